"""Who loads all contacts of an org: terapi, a plain script, and two published connectors as they come.

Each loads the same 22 fields into what it stores in: terapi and the script into SQLite, tap-salesforce into
the JSON lines of target-jsonl, dlt into DuckDB. The connectors live in environments of their own.
"""

from __future__ import annotations

import json
import shlex
import ssl
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.figures import Bench, Measured, measured
from tests.clients.environments import venv

_PEERS = Path(__file__).parent / "peers"
_DLT = ("dlt[duckdb]==1.31.0", "duckdb==2.0.0")
_TAP, _TARGET = "tap-salesforce==2.8.1", "target-jsonl==0.1.4"
_CALLBACK = "http://localhost:8976/callback"
_WHO = "Id Name FirstName LastName Salutation Title Department Email CreatedDate SystemModstamp"
_WHERE = "MailingStreet MailingCity MailingState MailingPostalCode MailingCountry"
#: what the plain script asks for, but for the parent's name, which a tap cannot ask for
_FIELDS = frozenset(
    f"{_WHO} Phone MobilePhone AccountId OwnerId LeadSource Birthdate Description {_WHERE} IsDeleted".split()
)


class Unreachable(Exception):
    """A connector cannot be installed here; the text says why."""


class Contender(NamedTuple):
    """One that loads all contacts, from nothing."""

    name: str
    load: Callable[[Bench], Measured]


def by_hand() -> list[Contender]:
    """terapi, and what one writes without it."""
    return [
        Contender("terapi", terapi),
        Contender("a plain simple-salesforce script into SQLite", plain_script),
    ]


def connectors() -> list[Contender]:
    """Published ones, which take minutes."""
    return [
        Contender("tap-salesforce into target-jsonl", tap_salesforce),
        Contender("dlt into DuckDB", dlt),
    ]


def terapi(bench: Bench) -> Measured:
    with anew(bench) as fresh:
        return fresh.sync()[0]


@contextmanager
def anew(bench: Bench) -> Iterator[Bench]:
    """A project that is connected to the same org, and has stored nothing yet."""
    with tempfile.TemporaryDirectory() as folder:
        yield Bench(Path(folder), bench.org)


def plain_script(bench: Bench) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, str(_PEERS / "plain_script.py"), *_org(bench), f"{folder}/peer.db")
        return measured(command, bench.environ)


def dlt(bench: Bench) -> Measured:
    python = _installed(*_DLT) / "bin" / "python"
    with tempfile.TemporaryDirectory() as folder:
        environ = {**bench.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": folder}
        command = (str(python), str(_PEERS / "with_dlt.py"), *_org(bench), f"{folder}/peer.duckdb")
        return measured(command, environ, Path(folder))


def tap_salesforce(bench: Bench) -> Measured:
    """By Bulk API, which is its fastest way: it waits for few answers."""
    tap = _installed(_TAP) / "bin" / "tap-salesforce"
    target = _installed(_TARGET) / "bin" / "target-jsonl"
    proxy = {"HTTPS_PROXY": bench.org["https_proxy"], "https_proxy": bench.org["https_proxy"]}
    environ = {**bench.environ, **proxy, "NO_PROXY": "", "no_proxy": ""}
    with tempfile.TemporaryDirectory() as folder:
        config = _write(f"{folder}/config.json", _tap_config(bench))
        found = subprocess.run([tap, "--config", config, "--discover"], env=environ, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, check=True).stdout  # fmt: skip
        catalog = _write(f"{folder}/catalog.json", _selected(json.loads(found)))
        told = _write(f"{folder}/target.json", {"destination_path": folder})
        piped = shlex.join([str(tap), "--config", config, "--properties", catalog]) + " 2>/dev/null | "
        piped += shlex.join([str(target), "--config", told])
        return measured(("bash", "-o", "pipefail", "-c", piped), environ)


def _installed(*packages: str) -> Path:
    try:
        return venv(*packages).folder
    except pytest.skip.Exception as exc:
        raise Unreachable(str(exc)) from exc


def _org(bench: Bench) -> tuple[str, str, str]:
    return bench.org["url"], bench.org["client_id"], bench.org["client_secret"]


def _write(path: str, content: object) -> str:
    Path(path).write_text(json.dumps(content))
    return path


def _tap_config(bench: Bench) -> dict[str, object]:
    return {
        "client_id": bench.org["client_id"],
        "client_secret": bench.org["client_secret"],
        "refresh_token": _refresh_token(bench),
        "start_date": "2000-01-01T00:00:00Z",
        "api_type": "BULK",
    }


def _selected(found: dict[str, list[dict[str, object]]]) -> dict[str, object]:
    """The catalogue of a tap with the contacts alone, and of them the fields that all load."""
    stream = next(one for one in found["streams"] if one["tap_stream_id"] == "Contact")
    for entry in stream["metadata"]:  # type: ignore[attr-defined]
        place, about = entry["breadcrumb"], entry["metadata"]
        about["selected"] = not place or place[-1] in _FIELDS
        if not place:
            about |= {"replication-method": "INCREMENTAL", "replication-key": "SystemModstamp"}
    return {"streams": [stream]}


def _refresh_token(bench: Bench) -> str:
    """One that a user gives by the login page, which asks nobody."""
    org = bench.org
    query = {"response_type": "code", "client_id": org["client_id"], "redirect_uri": _CALLBACK}
    asked = urllib.parse.urlencode({**query, "scope": "api refresh_token", "auto_approve": "1"})
    answer = _opener(org).open(f"{org['url']}/services/oauth2/authorize?{asked}")
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(answer.headers["location"]).query)["code"][0]
    form = {**query, "grant_type": "authorization_code", "code": code, "client_secret": org["client_secret"]}
    answer = _opener(org).open(f"{org['url']}/services/oauth2/token", urllib.parse.urlencode(form).encode())
    return str(json.loads(answer.read())["refresh_token"])


def _opener(org: dict[str, str]) -> urllib.request.OpenerDirector:
    trust = ssl.create_default_context(cafile=org["ca_file"])
    return urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust), _Stays())


class _Stays(urllib.request.HTTPRedirectHandler):
    """Takes a redirect as the answer that it is."""

    def http_error_302(self, req, fp, code, msg, headers):  # type: ignore[no-untyped-def]
        return fp
