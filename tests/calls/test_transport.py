"""The wire itself: TLS, proxies, the real service's names."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.calls.transport import Transport
from runner.definitions.exchange import Answer, Outgoing
from runner.emulator.testing import Org, start_org
from runner.errors import CallError
from tests.api import Api

ROOT = Path(__file__).parents[2]
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def get(url: str) -> Answer:
    async def inside() -> Answer:
        transport = Transport(allow_local=True)
        try:
            return await transport.send(Outgoing(method="GET", url=url, timeout=5.0), 1_000)
        finally:
            await transport.close()

    return asyncio.run(inside())


def test_a_proxy_of_the_environment_is_used(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", api.url.replace("127.0.0.1", "localhost"))
    assert get("http://shop.internal:8870/ping").status == 200
    assert (api.seen[0].path, api.seen[0].headers["host"]) == ("/ping", "shop.internal:8870")


def test_an_exception_from_the_proxy_is_heeded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with pytest.raises(CallError, match="cannot be reached: Connection refused"):
        get(f"{api.url}/ping")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert get(f"{api.url}/ping").status == 200


def test_what_a_request_says_of_itself(api: Api) -> None:
    get(f"{api.url}/ping?a=1%2F2+3&b=%C3%A9")
    seen = api.seen[0]
    assert seen.query == {"a": "1/2 3", "b": "é"}
    assert seen.headers["user-agent"].startswith("terapi/")
    assert "content-type" not in seen.headers


def test_a_raw_body_has_no_type_of_ours(api: Api) -> None:
    async def inside() -> None:
        transport = Transport(allow_local=True)
        await transport.send(Outgoing(method="POST", url=f"{api.url}/ping", content=b"x"), 1_000)
        await transport.close()

    asyncio.run(inside())
    assert (api.seen[0].body, api.seen[0].headers.get("content-type")) == (b"x", None)


# TLS, and the names of the real service


@pytest.fixture(scope="module")
def secure() -> Iterator[Org]:
    with start_org(records=0, tls=True) as org:
        yield org


class Terapi:
    """The command in an environment that reaches the org by the real names."""

    def __init__(self, folder: Path, org: Org) -> None:
        self.folder = folder
        self.environ = {
            **os.environ,
            "HTTPS_PROXY": str(org.proxy).replace("127.0.0.1", "localhost"),
            "SSL_CERT_FILE": str(org.authority),
            "TERAPI_SALESFORCE_CLIENT_ID": org.client_id,
            "TERAPI_SALESFORCE_CLIENT_SECRET": org.client_secret,
        }

    def __call__(self, *args: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "runner.cli", "-C", str(self.folder), *args],
            input=stdin, text=True, capture_output=True, timeout=60, env={**self.environ, **environ},
        )  # fmt: skip


@pytest.fixture
def terapi(tmp_path: Path, secure: Org) -> Terapi:
    (tmp_path / "providers.yaml").write_text((ROOT / "providers.yaml").read_text())
    return Terapi(tmp_path, secure)


def test_the_real_names_are_reached_by_tls_through_a_proxy(terapi: Terapi, secure: Org) -> None:
    domain = ["--config", "login_url=https://acme.my.salesforce.com"]
    given = json.dumps({"type": "OAUTH2_CC"})
    made = terapi("connect", "salesforce", *domain, "--credentials-stdin", "--json", stdin=given)
    assert json.loads(made.stdout)["config"]["instance_url"] == "https://acme.my.salesforce.com", made.stderr
    assert json.loads(terapi("call", "limits").stdout)["DailyApiRequests"]["Max"] == 15_000
    told = terapi("call", "limits", SSL_CERT_FILE="")
    assert told.returncode == 1
    assert (
        "error: acme.my.salesforce.com cannot prove who it is: unable to get local issuer certificate"
        in told.stderr
    )
    assert (
        "next: check the address; a certificate authority of your own is named with SSL_CERT_FILE"
        in told.stderr
    )


def test_client_credentials_at_the_login_of_everybody(terapi: Terapi) -> None:
    given = json.dumps({"type": "OAUTH2_CC"})
    told = terapi("connect", "salesforce", "--credentials-stdin", stdin=given)
    assert told.returncode == 4
    assert "answered 400: invalid_grant: request not supported on this domain" in told.stderr
    assert "login_url=https://YOUR-DOMAIN.my.salesforce.com" in told.stderr


@pytest.mark.parametrize(
    ("integration", "login"),
    [("salesforce", "login.salesforce.com"), ("salesforce-sandbox", "test.salesforce.com")],
)
def test_each_integration_knows_its_login(terapi: Terapi, secure: Org, integration: str, login: str) -> None:
    given = json.dumps({"access_token": "dead", "refresh_token": secure.refresh_token()})
    name = integration.upper().replace("-", "_")
    client = {
        f"TERAPI_{name}_CLIENT_ID": secure.client_id,
        f"TERAPI_{name}_CLIENT_SECRET": secure.client_secret,
    }
    made = terapi("connect", integration, "--credentials-stdin", "--json", stdin=given, **client)
    assert made.returncode == 0, made.stderr
    told = terapi("connect", integration, "--credentials-stdin", stdin=given, SSL_CERT_FILE="", **client)
    assert f"error: {login} cannot prove who it is" in told.stderr
