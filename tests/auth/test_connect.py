"""Making connections: proved before they are kept, and what stood there before stays where they are not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from runner.auth import oauth
from runner.auth.connect import NewConnection, resumed
from runner.auth.credentials import Credentials
from runner.calls.access import Access, Kept
from runner.errors import NotConnected, TerapiError, UsageError
from runner.store import Connection
from tests.api import Api, Reply

T = TypeVar("T")
REDIRECT = "http://localhost:8976/callback"


def run(access: Access, work: Callable[[], Awaitable[T]]) -> T:
    async def inside() -> T:
        async with access:
            return await work()

    return asyncio.run(inside())


def place(api: Api, **more: object) -> NewConnection:
    return NewConnection(id="demo", config={"url": api.url}, allow_local=True, **more)  # type: ignore[arg-type]


def import_tokens(access: Access, new: NewConnection, **tokens: object) -> Kept:
    provider = access.project.provider("shop")
    given = Credentials(type="OAUTH2", raw=tokens, **tokens)  # type: ignore[arg-type]

    async def work() -> Kept:
        return await access.keep(await access.connect.make(provider, new, given))

    return run(access, work)


def stored(access: Access) -> Connection:
    found = access.store.connections.get("shop", "demo")
    assert found is not None
    return found


def tokens_of(access: Access) -> tuple[str | None, str | None]:
    held = access.tokens.open(stored(access)).credentials
    return held.access_token, held.refresh_token


def test_a_login_is_traded_for_tokens_and_kept(access: Access, api: Api) -> None:
    api.on("/token", Reply({"access_token": "access-1", "refresh_token": "refresh-1", "region": "eu"}))
    provider, new = access.project.provider("shop"), place(api, metadata={"plan": "pro"})
    attempt = access.connect.begin(provider, new, REDIRECT)
    answer = {"code": "the-code", "state": attempt.state}

    async def work() -> Kept:
        return await access.keep(await access.connect.finish(provider, new, attempt, answer))

    kept = run(access, work)
    form = next(seen for seen in api.seen if seen.path == "/token").form()
    assert (form["code"], form["redirect_uri"]) == ("the-code", REDIRECT)
    assert oauth.challenge(form["code_verifier"]) in attempt.url
    assert (kept.connection.config["region"], kept.connection.metadata) == ("eu", {"plan": "pro"})
    assert tokens_of(access) == ("access-1", "refresh-1")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            {"state": "another", "code": "x"},
            "the answer of the login carries a wrong `state`: it does not belong",
        ),
        ({"code": "x"}, "the answer of the login carries a wrong `state`"),
        ({"state": "", "error": "access_denied"}, "the login was refused: access_denied"),
        (
            {"state": "", "error": "access_denied", "error_description": "no thanks"},
            "the login was refused: no thanks",
        ),
        ({"state": ""}, "the answer of the login carries no code"),
        (
            {"state": "", "code": "x", "iss": "https://evil.test"},
            "the answer of the login comes from another place than was asked",
        ),
    ],
)
def test_what_is_no_answer_to_this_login_is_refused(
    access: Access, api: Api, answer: dict[str, str], message: str
) -> None:
    attempt = access.connect.begin(access.project.provider("shop"), place(api), REDIRECT)
    if answer.get("state") == "":
        answer = {**answer, "state": attempt.state}
    with pytest.raises(NotConnected) as caught:
        oauth.code_of(attempt, answer)
    assert caught.value.message.startswith(message)
    assert caught.value.hint is not None


def test_the_place_that_answers_may_say_who_it_is(access: Access, api: Api) -> None:
    attempt = access.connect.begin(access.project.provider("shop"), place(api), REDIRECT)
    assert oauth.code_of(attempt, {"state": attempt.state, "code": "x", "iss": api.url}) == "x"


def test_what_does_not_work_is_not_kept_and_what_worked_stays(
    access: Access, api: Api, connection: Connection
) -> None:
    api.on("/ping", Reply({"error": "no"}, 403))
    with pytest.raises(NotConnected, match="answered 403: no"):
        import_tokens(access, place(api), access_token="other", refresh_token="other")
    assert tokens_of(access) == ("access-token-1", "refresh-token-1")
    assert stored(access).error is None


def test_a_token_set_that_is_refused_says_so_and_leaves_no_trace(access: Access, api: Api) -> None:
    api.on("/ping", Reply({}, 401))
    api.on("/token", Reply({"error": "invalid_grant"}, 400))
    with pytest.raises(NotConnected) as caught:
        import_tokens(access, place(api), access_token="dead-token", refresh_token="dead-refresh")
    assert caught.value.message.startswith("the connection `demo` needs reconnecting: ")
    assert access.store.connections.all() == []


def test_a_dead_access_token_is_renewed_before_it_is_kept(access: Access, api: Api) -> None:
    api.on(
        "/ping",
        lambda seen: Reply({}, 200 if seen.headers["authorization"] == "Bearer new-token" else 401),
    )
    api.on("/token", Reply({"access_token": "new-token", "refresh_token": "new-refresh", "region": "us"}))
    kept = import_tokens(access, place(api), access_token="dead-token", refresh_token="old-refresh")
    assert (tokens_of(access), kept.connection.config["region"]) == (("new-token", "new-refresh"), "us")


def test_an_api_in_trouble_does_not_undo_a_login(access: Access, api: Api) -> None:
    api.on("/ping", Reply({"error": "busy"}, 503))
    kept = import_tokens(access, place(api), access_token="a-token", refresh_token="a-refresh")
    assert kept.advice == (f"it could not be proved yet: {api.url}/ping answered 503: busy",)
    assert tokens_of(access) == ("a-token", "a-refresh")


def test_a_connection_that_will_end_is_told(access: Access, api: Api) -> None:
    kept = import_tokens(access, place(api), access_token="a-token")
    assert kept.advice == ("it has no refresh token, and ends with its access token",)


def test_connecting_again_needs_no_more_than_its_name(
    access: Access, api: Api, connection: Connection
) -> None:
    provider = access.project.provider("shop")
    access.store.connections.set_config(connection, {"region": "eu"})
    again = resumed(access.store, provider, NewConnection(id="demo"))
    assert (again.config, again.allow_local) == ({"url": api.url}, True)
    other = resumed(access.store, provider, NewConnection(id="demo", config={"url": "http://other"}))
    assert other.config == {"url": "http://other"}
    assert resumed(access.store, provider, NewConnection(id="new")).config == {}


def test_an_integration_without_a_client_says_how_to_give_one(access: Access, api: Api) -> None:
    bare = Access(access.project, access.store, {})
    with pytest.raises(NotConnected) as caught:
        bare.connect.begin(bare.project.provider("shop"), place(api), REDIRECT)
    assert caught.value.message == "shop has no Client ID yet"
    assert caught.value.hint == ("terapi client set shop --id … --secret-stdin, or set TERAPI_SHOP_CLIENT_ID")


def test_a_token_answer_without_a_token_is_an_error(access: Access, api: Api) -> None:
    api.on("/token", Reply({"token": "elsewhere"}))
    provider, new = access.project.provider("shop"), place(api)
    attempt = access.connect.begin(provider, new, REDIRECT)
    with pytest.raises(TerapiError, match="the token endpoint's answer holds no access_token"):
        run(
            access,
            lambda: access.connect.finish(provider, new, attempt, {"state": attempt.state, "code": "x"}),
        )


@pytest.mark.usefixtures("connection")
def test_a_token_set_that_does_not_say_where_the_api_is_is_refused(access: Access) -> None:
    provider = access.project.provider("shop")
    given = Credentials(type="OAUTH2", access_token="a-token")
    with pytest.raises(UsageError) as caught:
        run(access, lambda: access.connect.make(provider, NewConnection(id="x"), given))
    assert (
        caught.value.message == "neither the token set nor the config says where the API is: `url` is missing"
    )
    assert caught.value.hint == "add it to the set, or give it with --config url=…"
