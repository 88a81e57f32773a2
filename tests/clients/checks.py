"""Runs a client's checks in an environment of its own, against an org over TLS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from runner.emulator.testing import Org
from tests.clients.environments import Environment

SCRIPTS = Path(__file__).parent / "scripts"


def variables(org: Org) -> dict[str, str]:
    """What a client's process needs to reach the org by the names of the real service, and what it must know."""
    authority, proxy = str(org.authority), str(org.proxy)
    known = {
        "url": org.url,
        "client_id": org.client_id,
        "client_secret": org.client_secret,
        "username": org.username,
        "password": org.password,
        "security_token": org.security_token,
        "token": org.token(),
        "refresh_token": org.refresh_token(),
        "private_key": org.jwt_private_key,
    }
    return {
        "ORG": json.dumps(known),
        "PYTHONPATH": str(SCRIPTS),
        "HTTPS_PROXY": proxy,
        "https_proxy": proxy,
        "NO_PROXY": "",
        "no_proxy": "",
        "REQUESTS_CA_BUNDLE": authority,
        "SSL_CERT_FILE": authority,
        "NODE_EXTRA_CA_CERTS": authority,
    }


def checks_of(script: str, mark: str = "def check_") -> list[str]:
    """The names of a script's checks."""
    lines = (SCRIPTS / script).read_text("utf-8").splitlines()
    return [line.removeprefix(mark).partition("(")[0] for line in lines if line.startswith(mark)]


def outcomes(
    environment: Environment, script: str, org: Org, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What each check of a script says: "" where it passed, else why it did not."""
    told = environment.run(SCRIPTS / script, env={**variables(org), **(extra or {})}, timeout=300)
    found: dict[str, str] = json.loads(told.splitlines()[-1])
    return found
