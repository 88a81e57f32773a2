"""Secrets stay secret: an API that echoes all it was sent, in every form, in every flow, told in every way."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.definitions.exchange import Outgoing
from runner.definitions.project import Project
from runner.errors import CallError, ExpressionError, TerapiError
from runner.store import Store
from runner.workflow.run import Options, run_workflow
from tests.api import Api, Reply, Seen

#: signs that each form of a text writes in its own way
ODD = "+/=&<\"é%41'"
SECRETS = {
    name: f"{name}-{ODD}-{number}"
    for number, name in enumerate(("client", "access", "refresh", "code", "api-key", "password", "token"))
}
PROVIDERS = """
oauth: &oauth
  auth_mode: OAUTH2
  grants: [client_credentials, jwt_bearer]
  authorization_url: "{{ config.url }}/authorize"
  token_url: "{{ config.url }}/token"
  base_url: "{{ config.url }}"
  hosts: [api.shop.test]
  connection_config: {url: {type: string, format: uri}}
  retry: {attempts: 1}
  token:
    jwt: {claims: {iss: "{{ client.id }}", sub: "{{ credentials.username }}"}}
    introspect:
      request: {method: POST, url: "{{ config.url }}/introspect", form: {token: "{{ token.access_token }}", secret: "{{ client.secret }}"}}
      active: response.body.active
  operations: {ping: {request: {path: /ping}}}
  errors: [{when: response.status == 401, kind: token_expired, hint: "it said {{ response.body.error }}"}]
basic-client:
  alias: oauth
  token: {client_auth: basic, params: {extra: "{{ client.secret }}"}}
odd-client:
  alias: oauth
  token: {params: {extra: "{{ client.secret | number }}"}}
key:
  auth_mode: API_KEY
  base_url: "{{ config.url }}"
  hosts: [api.shop.test]
  connection_config: {url: {type: string, format: uri}}
  credentials: {apiKey: {title: API key, secret: true}}
  headers: {X-Key: "{{ credentials.apiKey | urlencode }}"}
  query: {key: "{{ credentials.apiKey }}"}
  retry: {attempts: 1}
  operations:
    ping: {request: {path: /ping}}
    write: {request: {method: POST, path: "/bot{{ credentials.apiKey | urlencode }}/x", json: {key: "{{ credentials.apiKey }}"}}}
odd-key:
  alias: key
  headers: {X-Key: "{{ credentials.apiKey | number }}"}
broken-key:
  alias: key
  headers: {X-Key: "{{ credentials.apiKey }}\\n"}
password:
  auth_mode: BASIC
  base_url: "{{ config.url }}"
  hosts: [api.shop.test]
  connection_config: {url: {type: string, format: uri}}
  credentials: {username: {title: Name}, password: {title: Password, secret: true}}
  retry: {attempts: 1}
  operations: {ping: {request: {path: /ping}}}
"""
WORKFLOW = """
version: 1
workflow: write
integrations: [key]
steps: [{id: done, use: write, with: {}}]
output: {it: steps.done}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "providers.yaml").write_text(PROVIDERS.replace(" &oauth", ""))
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "write.yaml").write_text(WORKFLOW)
    return tmp_path


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def echoed(seen: Seen) -> str:
    """All that a request held, as it came and as it was meant."""
    sent = seen.body.decode()
    parts = [seen.path, *seen.query.values(), *seen.headers.values(), sent, unquote_plus(sent)]
    basic = seen.headers.get("authorization", "").partition("Basic ")[2]
    parts.append(base64.b64decode(basic).decode() if basic else "")
    return " | ".join(parts)


def in_json(seen: Seen) -> Reply:
    return Reply({"error": "refused", "error_description": echoed(seen), "all": [{echoed(seen): 1}]}, 400)


def in_escaped_json(seen: Seen) -> Reply:
    said = json.dumps({"message": echoed(seen)}).replace("/", "\\/").replace("<", "\\u003c")
    return Reply(said.encode(), 400)


def in_text(seen: Seen) -> Reply:
    return Reply(f"no good: {echoed(seen)}".encode(), 400)


def in_html(seen: Seen) -> Reply:
    return Reply(f"<html><title>{html.escape(echoed(seen))}</title></html>".encode(), 403)


def in_url(seen: Seen) -> Reply:
    return Reply(quote_plus(echoed(seen)).encode(), 422)


def in_headers(seen: Seen) -> Reply:
    return Reply({"message": "no"}, 400, {"X-Echo": quote(echoed(seen))})


def in_a_refusal(seen: Seen) -> Reply:
    return Reply({"error": echoed(seen)}, 401)


def in_a_redirect(seen: Seen) -> Reply:
    return Reply(b"", 302, {"Location": f"https://evil.test/{quote(echoed(seen), safe='')}"})


def in_broken_json(seen: Seen) -> Reply:
    return Reply(b'{"token": "' + echoed(seen).encode())


def in_no_http(seen: Seen) -> Reply:
    return Reply(echoed(seen).encode(), broken="raw")


ECHOES = [
    in_json, in_escaped_json, in_text, in_html, in_url, in_headers, in_a_refusal, in_a_redirect, in_broken_json,
    in_no_http,
]  # fmt: skip


class Flows:
    """Every way in which terapi sends a secret to an API."""

    def __init__(self, access: Access, url: str, private_key: str) -> None:
        self.access = access
        self.private_key = private_key
        self.new = NewConnection(id="demo", config={"url": url}, allow_local=True)

    def _kept(self, integration: str, given: Credentials) -> None:
        self.access.connect.keep(self.access.project.provider(integration), self.new, given)

    async def _pinged(self, integration: str) -> None:
        connection = self.access.store.connections.get(integration, "demo")
        assert connection is not None
        client = self.access.client(connection)
        await client.call(client.provider.operations["ping"], {})

    async def code(self, integration: str) -> None:
        provider = self.access.project.provider(integration)
        attempt = self.access.connect.begin(provider, self.new, "http://localhost:1/callback")
        answer = {"state": attempt.state, "code": SECRETS["code"]}
        await self.access.connect.finish(provider, self.new, attempt, answer)

    async def client_credentials(self, integration: str) -> None:
        provider = self.access.project.provider(integration)
        await self.access.connect.make(provider, self.new, Credentials(type="OAUTH2_CC"))

    async def jwt(self, integration: str) -> None:
        provider = self.access.project.provider(integration)
        given = {"username": "ada", "private_key": self.private_key}
        await self.access.connect.make(provider, self.new, Credentials(type="JWT_BEARER", values=given))

    async def bad_jwt(self, integration: str) -> None:
        provider = self.access.project.provider(integration)
        given = {"username": "ada", "private_key": SECRETS["password"]}
        await self.access.connect.make(provider, self.new, Credentials(type="JWT_BEARER", values=given))

    async def refresh(self, integration: str) -> None:
        held = {"access_token": SECRETS["access"], "refresh_token": SECRETS["refresh"]}
        self._kept(integration, Credentials(type="OAUTH2", expires_at=1.0, **held))  # type: ignore[arg-type]
        await self._pinged(integration)

    async def bearer(self, integration: str) -> None:
        held = {"access_token": SECRETS["access"], "refresh_token": SECRETS["refresh"]}
        self._kept(integration, Credentials(type="OAUTH2", expires_at=1e12, checked_at=1e12, **held))  # type: ignore[arg-type]
        await self._pinged(integration)

    async def introspection(self, integration: str) -> None:
        held = {"access_token": SECRETS["access"], "refresh_token": SECRETS["refresh"]}
        self._kept(integration, Credentials(type="OAUTH2", **held))  # type: ignore[arg-type]
        connection = self.access.store.connections.get(integration, "demo")
        assert connection is not None
        provider = self.access.project.provider(integration)
        await self.access.tokens.introspect(provider, self.access.tokens.open(connection))

    async def api_key(self, integration: str) -> None:
        self._kept(integration, Credentials(type="API_KEY", values={"apiKey": SECRETS["api-key"]}))
        await self._pinged(integration)

    async def api_key_in_all_places(self, integration: str) -> None:
        self._kept(integration, Credentials(type="API_KEY", values={"apiKey": SECRETS["api-key"]}))
        connection = self.access.store.connections.get(integration, "demo")
        assert connection is not None
        client = self.access.client(connection)
        await client.call(client.provider.operations["write"], {})

    async def password(self, integration: str) -> None:
        given = {"username": "ada", "password": SECRETS["password"]}
        self._kept(integration, Credentials(type="BASIC", values=given))
        await self._pinged(integration)


FLOWS = [
    ("oauth", Flows.code), ("basic-client", Flows.code), ("oauth", Flows.client_credentials),
    ("basic-client", Flows.client_credentials), ("oauth", Flows.jwt), ("oauth", Flows.refresh),
    ("basic-client", Flows.refresh), ("oauth", Flows.bearer), ("oauth", Flows.introspection),
    ("key", Flows.api_key), ("key", Flows.api_key_in_all_places), ("password", Flows.password),
]  # fmt: skip


@pytest.fixture
def flows(folder: Path, store: Store, api: Api, private_key: str) -> Flows:
    environ = {}
    for name in ("OAUTH", "BASIC_CLIENT", "ODD_CLIENT"):
        environ[f"TERAPI_{name}_CLIENT_ID"] = "the-client-id"
        environ[f"TERAPI_{name}_CLIENT_SECRET"] = SECRETS["client"]
    return Flows(Access(Project.load(folder).checked(), store, environ), api.url, private_key)


def told(error: TerapiError, store: Store) -> str:
    """Everything by which anybody may come to see an error."""
    shown = [
        error.message, str(error.hint), repr(error), json.dumps(error.as_data()),
        "".join(traceback.format_exception(error)),
        *(str(connection.error) for connection in store.connections.all()),
    ]  # fmt: skip
    if isinstance(error, CallError):
        shown += [json.dumps(error.body, ensure_ascii=False), json.dumps(error.headers, ensure_ascii=False)]
    return "\n".join(shown)


def forms(secret: str) -> set[str]:
    """How a secret may be written, whole or as a part that gives it away."""
    encoded = [base64.b64encode(f"{before}{secret}".encode()).decode()[8:-8] for before in ("", "a", "ab")]
    plain = [secret, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret)]
    return {*plain, *encoded, json.dumps(secret)[1:-1], secret.partition("-")[0] + "-" + ODD[:5]}


def look(text: str, private_key: str) -> None:
    for name, secret in SECRETS.items():
        for form in forms(secret):
            assert form not in text, f"{name} as {form}"
    for line in private_key.splitlines()[1:-1]:
        assert line not in text


def failure(flows: Flows, work: Callable[[], Awaitable[object]]) -> TerapiError:
    async def inside() -> None:
        async with flows.access:
            await work()

    with pytest.raises(TerapiError) as caught:
        asyncio.run(inside())
    return caught.value


@pytest.mark.parametrize("echo", ECHOES, ids=lambda echo: echo.__name__)
@pytest.mark.parametrize(("integration", "flow"), FLOWS, ids=lambda flow: getattr(flow, "__name__", flow))
def test_an_echo_shows_nothing(
    flows: Flows,
    api: Api,
    integration: str,
    flow: Callable[[Flows, str], Awaitable[None]],
    echo: Callable[[Seen], Reply],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    api.anything = echo
    api.handlers.clear()
    error = failure(flows, lambda: flow(flows, integration))
    assert api.seen, "nothing was sent"
    look(told(error, flows.access.store) + caplog.text, flows.private_key)


@pytest.mark.parametrize(
    ("integration", "flow", "message"),
    [
        ("odd-client", Flows.client_credentials, "the text '•••' is no number"),
        ("odd-key", Flows.api_key, "the text '•••' is no number"),
        ("broken-key", Flows.api_key, "the header `X-Key` cannot hold a line break"),
        ("oauth", Flows.bad_jwt, "the private key cannot sign: expected one in PEM"),
    ],
)
def test_an_expression_that_fails_shows_nothing(
    flows: Flows, integration: str, flow: Callable[[Flows, str], Awaitable[None]], message: str
) -> None:
    error = failure(flows, lambda: flow(flows, integration))
    assert message in error.message
    assert integration == "oauth" or isinstance(error, ExpressionError)
    look(told(error, flows.access.store), flows.private_key)


def test_a_dry_run_shows_the_request_without_the_key(flows: Flows, api: Api) -> None:
    flows._kept("key", Credentials(type="API_KEY", values={"apiKey": SECRETS["api-key"]}))
    connection = flows.access.store.connections.get("key", "demo")
    assert connection is not None
    workflow = flows.access.project.workflow("write", "key")
    result = asyncio.run(run_workflow(flows.access, workflow, connection, {}, Options(dry=True)))
    shown = json.dumps(result.steps, ensure_ascii=False)
    assert f"{api.url}/bot•••/x" in shown
    assert '{\\"key\\": \\"•••\\"}' in shown
    assert api.seen == []
    look(shown, flows.private_key)


def test_nothing_that_is_held_shows_itself(flows: Flows) -> None:
    provider = flows.access.project.provider("oauth")
    attempt = flows.access.connect.begin(provider, flows.new, "http://localhost:1/callback")
    held = Credentials(
        type="OAUTH2", access_token=SECRETS["access"], values={"password": SECRETS["password"]}
    )
    connection = flows.access.connect.keep(provider, flows.new, held)
    client = flows.access.clients.get(provider)
    request = Outgoing(
        method="GET", url=f"https://x/y?key={SECRETS['token']}", headers={"A": SECRETS["access"]}
    )
    shown = [
        held,
        connection,
        client,
        request,
        flows.access.tokens.open(connection),
        flows.access.vault,
        attempt,
    ]
    look(" ".join(repr(one) for one in shown), flows.private_key)
    assert attempt.verifier is not None
    assert attempt.verifier not in repr(attempt)


def test_no_process_shows_a_secret(folder: Path, api: Api) -> None:
    """In the list of processes, while a command is at work with what it was given on standard input."""
    lists: list[str] = []

    def ping(seen: Seen) -> Reply:
        lists.append("\n".join(process.read_text(errors="replace") for process in processes()))
        return Reply({"ok": 1})

    api.on("/ping", ping)
    command = [
        sys.executable,
        "-m",
        "runner.cli",
        "-C",
        str(folder),
        "connect",
        "key",
        "--connection",
        "demo",
    ]
    process = subprocess.run(
        [*command, "--config", f"url={api.url}", "--allow-local", "--credentials-stdin"],
        input=json.dumps({"apiKey": "the-api-key"}),
        text=True,
        capture_output=True,
        timeout=60,
    )
    proved = subprocess.run(
        [sys.executable, "-m", "runner.cli", "-C", str(folder), "call", "ping"],
        capture_output=True,
        timeout=60,
    )
    assert (process.returncode, proved.returncode, len(lists)) == (0, 0, 1), process.stderr
    assert "runner.cli" in lists[0]
    assert "the-api-key" not in lists[0] + process.stdout + process.stderr + str(proved)


def processes() -> list[Path]:
    found = Path("/proc").glob("[0-9]*/cmdline")
    return [path for path in found if os.access(path, os.R_OK)]


CRASH = """
import sys
from runner.calls import chain
from runner.cli.main import main

def crash(*args):
    raise ZeroDivisionError("a fault of terapi's own")

chain.redirected = crash
main(sys.argv[1:])
"""


def test_a_fault_of_our_own_shows_nothing(folder: Path, api: Api) -> None:
    api.on("/ping", Reply({"ok": 1}))
    place = ["--config", f"url={api.url}", "--allow-local", "--credentials-stdin"]
    given = json.dumps({"apiKey": "the-api-key"})
    connected = subprocess.run(
        [sys.executable, "-m", "runner.cli", "-C", str(folder), "connect", "key", *place],
        input=given, text=True, capture_output=True, timeout=60,
    )  # fmt: skip
    crashed = subprocess.run(
        [sys.executable, "-c", CRASH, "-C", str(folder), "call", "ping"],
        text=True, capture_output=True, timeout=60,
    )  # fmt: skip
    assert (connected.returncode, crashed.returncode) == (0, 1)
    assert "a fault of terapi's own" in crashed.stderr
    assert "the-api-key" not in str(connected) + str(crashed)
