"""How terapi is let in, at a real HTTP org and by the shipped definitions: every grant, and every refusal."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from runner.auth.callback import Callback
from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.emulator.testing import Org, start_org
from runner.errors import NotConnected, TerapiError, UsageError
from runner.store import Store
from tests.auth.orgs import Ours

JWT = "JWT_BEARER"
WRONG_LOGIN = (
    "A sandbox user logs in with salesforce-sandbox, a production or developer user with salesforce."
)


@pytest.fixture
def org() -> Iterator[Org]:
    with start_org() as running:
        yield running


@pytest.fixture
def ours(org: Org, store: Store) -> Ours:
    return Ours(org, store)


def refused(error: TerapiError) -> tuple[str, str | None]:
    """What a person is told, without the address of this very org."""
    _, _, message = error.message.rpartition(" answered ")
    return message or error.message, error.hint


def test_a_person_logs_in_and_allows(ours: Ours) -> None:
    kept = ours.log_in()
    assert kept.advice == ()
    assert kept.connection.config == {"login_url": ours.org.url, "instance_url": ours.org.url}
    assert (ours.credentials.type, ours.credentials.raw["scope"]) == ("OAUTH2", "api refresh_token")
    assert ours.asked() == ["authorize", "login", "consent", "token", "limits", "introspect"]
    assert isinstance(ours.call("current_user"), dict)


def test_a_person_denies(ours: Ours) -> None:
    with pytest.raises(NotConnected) as caught:
        ours.log_in(decision="deny")
    assert caught.value.message == "the login was refused: end-user denied authorization"
    assert caught.value.hint == "run the command again and allow the access"
    assert ours.store.connections.all() == []


def test_nobody_comes_back(ours: Ours) -> None:
    with pytest.raises(NotConnected) as caught:
        Callback(0).wait(0)
    assert caught.value.message == "nobody came back from the login within 0 seconds"
    assert caught.value.hint == "run the command again and finish the login in the browser"


def test_a_code_works_once(ours: Ours) -> None:
    callback = Callback(0)
    attempt = ours.access.connect.begin(ours.provider, ours.new, callback.redirect_uri)
    httpx.get(f"{attempt.url}&auto_approve=1", follow_redirects=True)
    answer = callback.wait(10)
    ours.run(lambda: ours.access.connect.finish(ours.provider, ours.new, attempt, answer))
    with pytest.raises(TerapiError) as caught:
        ours.run(lambda: ours.access.connect.finish(ours.provider, ours.new, attempt, answer))
    assert refused(caught.value)[0] == "400: invalid_grant: expired authorization code"


def test_a_stolen_code_is_worth_nothing_without_its_verifier(ours: Ours) -> None:
    callback = Callback(0)
    attempt = ours.access.connect.begin(ours.provider, ours.new, callback.redirect_uri)
    httpx.get(f"{attempt.url}&auto_approve=1", follow_redirects=True)
    answer = callback.wait(10)
    another = ours.access.connect.begin(ours.provider, ours.new, callback.redirect_uri)
    with pytest.raises(TerapiError) as caught:
        ours.run(
            lambda: ours.access.connect.finish(
                ours.provider, ours.new, another, {**answer, "state": another.state}
            )
        )
    assert refused(caught.value)[0] == "400: invalid_grant: invalid code verifier"


def test_the_browser_is_answered_once_and_never_with_the_code(ours: Ours) -> None:
    callback = Callback(0)
    first = httpx.get(callback.redirect_uri, params={"code": "the-code", "state": "s"})
    second = httpx.get(callback.redirect_uri, params={"code": "another-code"})
    elsewhere = httpx.get(callback.redirect_uri.replace("/callback", "/favicon.ico"))
    assert "You can close this page and go back to the terminal." in first.text
    assert "This login was answered already." in second.text
    assert (elsewhere.status_code, "code" in first.text + second.text) == (404, False)
    assert callback.wait(10) == {"code": "the-code", "state": "s"}


def test_a_taken_port_is_told(ours: Ours) -> None:
    callback = Callback(0)
    port = httpx.URL(callback.redirect_uri).port
    assert port is not None
    with pytest.raises(UsageError) as caught:
        Callback(port)
    assert caught.value.message == (
        f"port {port} of this machine is taken, and the browser has to come back to it"
    )
    httpx.get(callback.redirect_uri)
    callback.wait(10)


def test_client_credentials(ours: Ours) -> None:
    kept = ours.make(Credentials(type="OAUTH2_CC"))
    assert (kept.connection.auth, kept.connection.config["instance_url"]) == ("OAUTH2_CC", ours.org.url)
    ours.org.expire_tokens()
    assert ours.call() is not None
    assert ours.asked() == ["token", "limits", "introspect", "limits", "token", "limits"]


def test_client_credentials_of_the_connections_own(ours: Ours, store: Store) -> None:
    own = {"client_id": ours.org.client_id, "client_secret": ours.org.client_secret}
    ours.environ.clear()
    ours.make(Credentials(type="OAUTH2_CC", values=own))
    ours.org.expire_tokens()
    assert ours.call() is not None


def test_jwt_bearer(ours: Ours) -> None:
    values = {"username": ours.org.username, "private_key": ours.org.jwt_private_key}
    kept = ours.make(Credentials(type=JWT, values=values))
    assert kept.connection.auth == JWT
    ours.org.expire_tokens()
    assert ours.call() is not None
    assert ours.credentials.refresh_token is None


def test_an_imported_token_set(ours: Ours) -> None:
    given = {"access_token": ours.org.token(), "refresh_token": ours.org.refresh_token()}
    raw = {**given, "instance_url": ours.org.url}
    kept = ours.make(Credentials(type="OAUTH2", raw=raw, **given))  # type: ignore[arg-type]
    assert kept.connection.config["instance_url"] == ours.org.url
    assert ours.asked() == ["introspect", "limits", "introspect"]
    assert ours.call() is not None


def test_an_imported_token_set_that_does_not_say_where_the_org_is(ours: Ours) -> None:
    given = {"access_token": "gone", "refresh_token": ours.org.refresh_token()}
    kept = ours.make(Credentials(type="OAUTH2", raw=given, **given))  # type: ignore[arg-type]
    assert kept.connection.config["instance_url"] == ours.org.url
    assert ours.asked() == ["token", "limits", "introspect"]
    with pytest.raises(UsageError) as caught:
        ours.make(Credentials(type="OAUTH2", access_token="gone"))
    assert caught.value.message == (
        "neither the token set nor the config says where the API is: `instance_url` is missing"
    )
    assert caught.value.hint == "add it to the set, or give it with --config instance_url=…"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"client_id": "unknown"},
            (
                "400: invalid_client_id: client identifier invalid",
                "The Consumer Key is not known where you log in. A new connected app takes up to ten minutes to be "
                "known; a sandbox's app needs salesforce-sandbox. If the key is right, the developer user's "
                "password must not contain special characters.",
            ),
        ),
        (
            {"client_secret": "not-the-secret"},
            (
                "400: invalid_client: invalid client credentials",
                "The Consumer Secret is not the app's: set it again with `terapi client set`.",
            ),
        ),
    ],
)
def test_a_client_that_the_org_does_not_know(
    ours: Ours, changed: dict[str, str], told: tuple[str, str]
) -> None:
    values = {"client_id": ours.org.client_id, "client_secret": ours.org.client_secret, **changed}
    with pytest.raises(TerapiError) as caught:
        ours.make(Credentials(type="OAUTH2_CC", values=values))
    assert refused(caught.value) == told


def test_a_jwt_of_another_key(ours: Ours) -> None:
    assert ours.org.jwt_private_key
    with start_org() as other:
        values = {"username": ours.org.username, "private_key": other.jwt_private_key}
    with pytest.raises(TerapiError) as caught:
        ours.make(Credentials(type=JWT, values=values))
    assert refused(caught.value) == (
        "400: invalid_grant: invalid assertion",
        "The private key does not belong to the certificate of the connected app.",
    )


@pytest.mark.parametrize("values", [{}, {"private_key": "no PEM"}, {"private_key": 7}])
def test_a_private_key_that_is_none(ours: Ours, values: dict[str, object]) -> None:
    with pytest.raises(NotConnected) as caught:
        ours.make(Credentials(type=JWT, values={"username": "ada", **values}))
    assert caught.value.message == "the private key cannot sign: expected one in PEM"
    assert caught.value.hint == "give it as `private_key` on standard input"


def test_a_user_of_the_sandbox_at_the_production_login_and_the_reverse(store: Store) -> None:
    app = {"client_id": "the-app", "client_secret": "the-apps-secret"}
    with (
        start_org(**app, username="ada@acme.example") as production,
        start_org(**app, username="ada@acme.example.uat") as sandbox,
    ):
        for org, integration, stranger in (
            (production, "salesforce", sandbox),
            (sandbox, "salesforce-sandbox", production),
        ):
            ours = Ours(org, store, integration)
            values = {"username": stranger.username, "private_key": org.jwt_private_key}
            with pytest.raises(TerapiError) as caught:
                ours.make(Credentials(type=JWT, values=values))
            assert refused(caught.value) == (
                "400: invalid_grant: user hasn't approved this consumer",
                f"Where you log in, nobody of this name may use the app. {WRONG_LOGIN[:-1]}; in the app's OAuth "
                "policies, let users be approved in advance.",
            )


def test_an_assertion_for_another_login(ours: Ours) -> None:
    values = {"username": ours.org.username, "private_key": ours.org.jwt_private_key}
    elsewhere = {"login_url": ours.org.url.replace("127.0.0.1", "localhost")}
    new = NewConnection(id="demo", config=elsewhere, allow_local=True)
    with pytest.raises(TerapiError) as caught:
        ours.make(Credentials(type=JWT, values=values), new)
    assert refused(caught.value) == (
        "400: invalid_grant: audience is invalid",
        f"The login does not belong to this org. {WRONG_LOGIN}",
    )
