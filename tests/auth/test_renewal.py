"""Tokens that work when they are used: renewed in time, when they die, and by one caller at a time."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.definitions.project import Project
from runner.emulator.testing import Org, start_org
from runner.errors import CallError, NotConnected
from runner.store import Connection, Store, open_store
from tests.api import Api, Reply, Seen
from tests.auth import children
from tests.auth.orgs import ROOT, Ours, url_of
from tests.conftest import ENVIRON

QUERY = {"soql": "SELECT Id FROM Contact", "batch_size": 200}


@pytest.fixture
def org() -> Iterator[Org]:
    with start_org(records=1000) as running:
        yield running


@pytest.fixture
def ours(org: Org, store: Store) -> Ours:
    found = Ours(org, store)
    found.log_in()
    found.asked()
    return found


def ids(found: object) -> set[str]:
    assert isinstance(found, list)
    assert len(found) == len({record["Id"] for record in found})
    return {record["Id"] for record in found}


# in time


def test_a_young_token_is_simply_used(ours: Ours) -> None:
    ours.pass_time(9 * 60)
    ours.call()
    assert ours.asked() == ["limits"]


def test_the_org_is_asked_now_and_then_and_its_answer_is_remembered(ours: Ours) -> None:
    ours.pass_time(11 * 60)
    ours.call()
    ours.call()
    assert ours.asked() == ["introspect", "limits", "limits"]
    assert ours.credentials.expires_at is not None
    assert abs(ours.credentials.expires_at - (ours.org._org.clock.time() + 7200 - 11 * 60)) < 5


def test_a_token_is_renewed_before_it_ends(ours: Ours) -> None:
    ours.pass_time(11 * 60)
    ours.call()
    ours.asked()
    ours.pass_time(7200 - 11 * 60 - 4 * 60)
    before = ours.credentials.access_token
    ours.call()
    assert ours.asked() == ["token", "limits"]
    assert ours.credentials.access_token != before


def test_an_introspection_that_finds_a_token_at_its_end_renews_it(ours: Ours) -> None:
    ours.pass_time(7200 - 60)
    ours.call()
    assert ours.asked() == ["introspect", "token", "limits"]


def test_an_org_that_does_not_let_itself_be_asked(ours: Ours) -> None:
    ours.org.configure(introspection="refused")
    ours.pass_time(11 * 60)
    ours.call()
    ours.call()
    assert ours.asked() == ["introspect", "limits", "limits"]
    ours.pass_time(7200)
    ours.call()
    assert ours.asked() == ["introspect", "limits", "token", "limits"]


def test_an_org_that_calls_every_token_inactive(ours: Ours) -> None:
    ours.org.configure(introspection="inactive")
    ours.pass_time(11 * 60)
    ours.call()
    ours.call()
    assert ours.asked() == ["introspect", "token", "limits", "limits"]


@pytest.mark.parametrize(
    ("introspection", "advice"),
    [
        ("allowed", ()),
        (
            "refused",
            (
                'Allow "Introspect All Tokens" in the connected app; until then the token is refreshed when a call '
                "is refused.",
            ),
        ),
        (
            "inactive",
            (
                "Salesforce calls a token inactive that works: the app may not ask about tokens; until it may, the "
                "token is refreshed more often than needed",
            ),
        ),
    ],
)
def test_a_check_tells_whether_the_org_may_be_asked(
    ours: Ours, introspection: str, advice: tuple[str, ...]
) -> None:
    ours.org.configure(introspection=introspection)
    assert ours.run(lambda: ours.access.check(ours.connection)) == advice


def test_an_api_that_tells_the_lifetime_is_believed(access: Access, connection: Connection, api: Api) -> None:
    late = [0.0]
    timed = Access(access.project, access.store, ENVIRON, clock=lambda: late[0])
    api.on("/token", Reply({"access_token": "access-token-2", "expires_in": "3600"}))
    api.on("/ping", [Reply({}, 401), Reply({"ok": 1})])

    async def calls() -> None:
        async with timed:
            client = timed.client(connection)
            for moment in (0.0, 3299.0, 3300.0):
                late[0] = moment
                await client.call(client.provider.operations["ping"], {})

    asyncio.run(calls())
    assert api.paths() == ["GET /ping", "POST /token", "GET /ping", "GET /ping", "POST /token", "GET /ping"]


# when it dies


def test_a_token_that_died_is_renewed(ours: Ours) -> None:
    ours.org.expire_tokens()
    ours.call()
    assert ours.asked() == ["limits", "token", "limits"]


def test_a_token_that_dies_between_two_pages_loses_nothing(ours: Ours) -> None:
    ours.org.fault("expire:path=/query,after=2,count=1")
    assert len(ids(ours.call("query", **QUERY))) == 1000
    assert ours.asked().count("token") == 1


def test_a_token_that_dies_within_a_page_loses_nothing(ours: Ours) -> None:
    ours.org.fault("truncate:path=/query,after=2,count=1")
    ours.org.fault("expire:path=/query,after=2,count=1")
    assert len(ids(ours.call("query", **QUERY))) == 1000
    assert len(ours.waits) == 1
    assert ours.asked().count("token") == 1


def test_a_token_that_dies_again_and_again_is_an_error(ours: Ours) -> None:
    ours.org.fault("expire:path=/limits")
    with pytest.raises(CallError) as caught:
        ours.call()
    assert caught.value.kind == "token_expired"
    assert ours.asked() == ["limits", "token", "limits"]


def test_an_org_that_moves_is_followed(ours: Ours) -> None:
    moved = ours.org.url.replace("127.0.0.1", "localhost")
    ours.org._org.url = moved
    ours.org.expire_tokens()
    ours.call()
    assert ours.connection.config["instance_url"] == moved
    assert ours.access.client(ours.connection).scope()["config"]["instance_url"] == moved  # type: ignore[index]


MOVING = """
shop:
  auth_mode: OAUTH2
  authorization_url: "{{ config.login }}/authorize"
  token_url: "{{ config.login }}/token"
  base_url: "{{ config.home }}/v1"
  hosts: [api.shop.test]
  connection_config: {login: {type: string, format: uri}, home: {from: token.home}}
  operations: {ping: {request: {path: /ping}}}
"""


@pytest.mark.parametrize("ends", [None, 1.0])
def test_the_call_itself_goes_where_the_api_has_moved(
    access: Access, folder: Path, api: Api, ends: float | None
) -> None:
    """Whether the token is found dead by the call, or renewed before it."""
    new_home = Api()
    try:
        (folder / "providers.yaml").write_text(MOVING)
        (folder / "syncs" / "orders.yaml").unlink()
        access.project = Project.load(folder).checked()
        api.on("/token", Reply({"access_token": "access-2", "home": new_home.url}))
        api.on("/v1/ping", Reply({}, 401))
        new_home.on("/v1/ping", Reply({"ok": 1}))
        given = Credentials(
            type="OAUTH2", access_token="access-1", refresh_token="refresh-1", expires_at=ends
        )
        new = NewConnection(id="demo", config={"login": api.url, "home": api.url}, allow_local=True)
        connection = access.connect.keep(access.project.provider("shop"), new, given)

        async def work() -> object:
            async with access:
                client = access.client(connection)
                return await client.call(client.provider.operations["ping"], {})

        assert asyncio.run(work()) == {"ok": 1}
        assert [seen.headers["authorization"] for seen in new_home.seen] == ["Bearer access-2"]
        assert api.paths() == (["GET /v1/ping", "POST /token"] if ends is None else ["POST /token"])
    finally:
        new_home.close()


def test_rotated_refresh_tokens_are_kept(ours: Ours) -> None:
    ours.org.configure(rotate_refresh_tokens=True)
    seen = {ours.credentials.refresh_token}
    for _ in range(3):
        ours.org.expire_tokens()
        ours.call()
        seen.add(ours.credentials.refresh_token)
    assert len(seen) == 4


def test_a_killed_process_loses_no_rotated_token(
    access: Access, connection: Connection, folder: Path, api: Api
) -> None:
    """Killed at the moment when the API sees the new access token for the first time."""
    running: list[subprocess.Popen[str]] = []

    def ping(seen: Seen) -> Reply:
        if seen.headers["authorization"] != "Bearer access-token-2":
            return Reply({}, 401)
        os.kill(running[0].pid, signal.SIGKILL)
        return Reply({"ok": 1})

    api.on("/token", Reply({"access_token": "access-token-2", "refresh_token": "refresh-token-2"}))
    api.on("/ping", ping)
    running.append(children.start(folder, url_of(access.store), "ping", ENVIRON))
    assert children.go(running[0]) == ""
    assert running[0].wait(30) == -signal.SIGKILL
    kept = access.store.connections.get("shop", "demo")
    assert kept is not None
    held = access.tokens.open(kept).credentials
    assert (held.access_token, held.refresh_token) == ("access-token-2", "refresh-token-2")


# by one at a time


def test_of_many_processes_one_renews(ours: Ours) -> None:
    ours.org.configure(rotate_refresh_tokens=True)
    started = [children.start(ROOT, url_of(ours.store), "limits", ours.environ) for _ in range(4)]
    for child in started:
        children.await_ready(child)
    ours.org.expire_tokens()
    for child in started:
        children.let_go(child)
    assert [child.communicate(timeout=60)[0].strip() for child in started] == ["fine"] * 4
    asked = ours.asked()
    assert (asked.count("token"), asked.count("limits")) == (1, 8)


def test_of_many_threads_one_renews(ours: Ours) -> None:
    ours.org.configure(rotate_refresh_tokens=True)
    connection, together, came = ours.connection, threading.Barrier(6), []

    async def call(store: Store) -> object:
        async with Access(ours.access.project, store, ours.environ) as access:
            client = access.client(connection)
            return await client.call(ours.provider.operations["limits"], {})

    def work() -> None:
        with open_store(url_of(ours.store)) as store:
            together.wait(30)
            came.append(asyncio.run(call(store)))

    ours.org.expire_tokens()
    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    asked = ours.asked()
    assert (len(came), asked.count("token"), asked.count("limits")) == (6, 1, 12)


def test_of_many_tasks_one_renews_and_one_asks(ours: Ours) -> None:
    async def many() -> None:
        clients = [ours.access.client(ours.connection) for _ in range(8)]
        limits = ours.provider.operations["limits"]
        await asyncio.gather(*(client.call(limits, {}) for client in clients))

    ours.org.expire_tokens()
    ours.run(many)
    assert ours.asked().count("token") == 1
    ours.pass_time(11 * 60)
    ours.run(many)
    asked = ours.asked()
    assert (asked.count("introspect"), asked.count("token")) == (1, 0)


def test_a_loser_renews_where_the_winners_token_is_the_one_that_was_refused(ours: Ours) -> None:
    """Somebody noted something about the connection meanwhile, but its token is still the dead one."""
    stale = ours.access.tokens.open(ours.connection)
    ours.pass_time(11 * 60)
    ours.call()
    assert ours.connection.version > stale.connection.version
    ours.org.expire_tokens()
    ours.asked()
    held = ours.run(lambda: ours.access.tokens.renew(ours.provider, stale))
    assert held.credentials.access_token != stale.credentials.access_token
    assert ours.asked() == ["token"]


# when it cannot be


def test_a_revoked_connection_needs_a_person_and_keeps_everything(ours: Ours) -> None:
    before = ours.connection
    ours.org.expire_tokens(refresh=True)
    with pytest.raises(NotConnected) as caught:
        ours.call()
    url = f"{ours.org.url}/services/oauth2/token"
    said = f"{url} answered 400: invalid_grant: expired access/refresh token"
    assert caught.value.message == f"the connection `demo` needs reconnecting: {said}"
    assert caught.value.hint == (
        "Access was revoked or has expired. Without the scope refresh_token every connection ends after about two "
        "hours. Connect again: terapi connect salesforce --connection demo"
    )
    assert ours.connection.error == f"needs reconnect: {said}"
    assert (ours.connection.config, ours.connection.sealed) == (before.config, before.sealed)
    ours.log_in()
    assert ours.connection.error is None
    assert ours.call() is not None


def test_a_connection_without_the_scope_to_be_renewed(ours: Ours) -> None:
    kept = ours.log_in(scopes=("api",))
    assert kept.advice == ("it was allowed without the scope refresh_token, and ends with its access token",)
    ours.pass_time(3600)
    assert ours.call() is not None
    ours.pass_time(3601)
    with pytest.raises(NotConnected) as caught:
        ours.call()
    assert caught.value.message == (
        "the connection `demo` needs reconnecting: the access token has ended and there is no refresh token to "
        "renew it with"
    )
    assert caught.value.hint == (
        "allow the scopes api refresh_token. Connect again: terapi connect salesforce --connection demo"
    )


def test_a_user_who_may_no_longer_log_in(ours: Ours) -> None:
    ours.org.deactivate_user()
    ours.org.expire_tokens()
    with pytest.raises(NotConnected) as caught:
        ours.call()
    assert "answered 400: inactive_user: user is inactive" in caught.value.message


def test_a_client_that_is_wrong_does_not_end_the_connection(ours: Ours) -> None:
    ours.org.expire_tokens()
    ours.environ["TERAPI_SALESFORCE_CLIENT_SECRET"] = "not-the-secret"
    with pytest.raises(NotConnected) as caught:
        ours.call()
    assert caught.value.hint == "The Consumer Secret is not the app's: set it again with `terapi client set`."
    assert str(ours.connection.error).startswith(f"{ours.org.url}/services/oauth2/token answered 400: ")
    ours.environ["TERAPI_SALESFORCE_CLIENT_SECRET"] = ours.org.client_secret
    assert ours.call() is not None
    assert ours.connection.error is None


def test_a_token_endpoint_in_trouble_is_asked_again(ours: Ours) -> None:
    ours.org.expire_tokens()
    ours.org.fault("status:code=503,path=/oauth2/token,count=2,retry_after=3")
    ours.org.fault("reset:path=/oauth2/token,count=1")
    assert ours.call() is not None
    assert len(ours.waits) == 3
    ours.org.expire_tokens()
    ours.org.fault("status:code=503,path=/oauth2/token")
    with pytest.raises(CallError) as caught:
        ours.call()
    assert caught.value.kind == "unavailable"
    assert ours.connection.error is None


def test_a_connection_that_was_deleted_meanwhile(ours: Ours) -> None:
    client = ours.access.client(ours.connection)
    ours.store.connections.delete(ours.connection)
    ours.org.expire_tokens()
    with pytest.raises(NotConnected, match="the connection `demo` was deleted meanwhile"):
        ours.run(lambda: client.call(ours.provider.operations["limits"], {}))


@pytest.mark.parametrize(
    ("answer", "kind", "marked"),
    [
        (Reply({"error": "invalid_grant"}, 400), None, True),
        (Reply({"error": "invalid_client"}, 401), None, False),
        (Reply({"error": "unauthorized_client"}, 400), None, False),
        (Reply({}, 401), None, False),
        (Reply({"error": "temporarily_unavailable"}, 400), "unavailable", False),
        (Reply({"error": "invalid_scope"}, 400), "bad_request", False),
        (Reply({"token": "elsewhere"}), "bad_answer", False),
    ],
)
def test_the_protocols_own_errors_are_known_without_rules(
    access: Access,
    folder: Path,
    connection: Connection,
    api: Api,
    answer: Reply,
    kind: str | None,
    marked: bool,
) -> None:
    text = (folder / "providers.yaml").read_text()
    without = "\n".join(line for line in text.splitlines() if "kind:" not in line and line != "  errors:")
    (folder / "providers.yaml").write_text(without)
    access.project = Project.load(folder).checked()
    api.on("/ping", Reply({}, 401))
    api.on("/token", answer)

    async def work() -> None:
        async with access:
            client = access.client(connection)
            await client.call(client.provider.operations["ping"], {})

    with pytest.raises(NotConnected if kind is None else CallError) as caught:
        asyncio.run(work())
    assert getattr(caught.value, "kind", None) == kind
    kept = access.store.connections.get("shop", "demo")
    assert kept is not None
    assert str(kept.error).startswith("needs reconnect: ") is marked
