"""What the shipped definitions make of the errors of the real service: the kind, and the exact hint."""

from __future__ import annotations

import asyncio

import pytest

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.definitions.project import Project
from runner.emulator.testing import start_org
from runner.errors import CallError, NotConnected, TerapiError
from runner.store import Store
from tests.api import Api, Reply
from tests.auth.orgs import ROOT, Ours
from tests.calls.test_errors import GENERAL
from tests.conftest import Waits

LOGIN = "A sandbox user logs in with salesforce-sandbox, a production or developer user with salesforce."


def rest(code: str, status: int = 400) -> Reply:
    return Reply([{"message": "it says so", "errorCode": code}], status)


def oauth(error: str, description: str = "it says so", status: int = 400) -> Reply:
    return Reply({"error": error, "error_description": description}, status)


CALLS = [
    (rest("INVALID_SESSION_ID", 401), "token_expired", None),
    (Reply(b"Bad_OAuth_Token", 403), "token_expired", None),
    (rest("REQUEST_LIMIT_EXCEEDED", 403), "rate_limited",
     "The org has used up its API calls of the last 24 hours, or too many run at once; Setup, Company Information "
     "shows how many there are."),
    (rest("API_DISABLED_FOR_ORG", 403), "auth",
     "This edition, or this user's profile, has no API access; an administrator can allow \"API Enabled\"."),
    (rest("UNABLE_TO_LOCK_ROW"), "unavailable", None),
    (rest("QUERY_TIMEOUT"), "unavailable", None),
    (rest("SERVER_UNAVAILABLE", 503), "unavailable", None),
    (rest("INVALID_QUERY_LOCATOR"), "cursor_expired",
     "The list of pages has expired; the next run begins it anew."),
    (rest("INVALID_FIELD"), "invalid_field",
     "The field does not exist in this org, or field-level security hides it from the connected user."),
    (rest("INVALID_TYPE"), "invalid_type",
     "The object does not exist in this org, or the connected user may not see it."),
    (rest("DUPLICATE_VALUE"), "duplicate", None),
    (rest("DUPLICATES_DETECTED"), "duplicate", None),
    (rest("NOT_FOUND", 404), "not_found", None),
    (rest("ENTITY_IS_DELETED"), "not_found", None),
    (Reply(["/a", "/b"], 300), "duplicate", None),
    (rest("MALFORMED_QUERY"), "bad_request", "The SOQL cannot be read; try it out with `terapi call query --with soql=…`."),
    (Reply({"odd": 1}, 400), "bad_request", None),
]  # fmt: skip
TOKENS = [
    (oauth("invalid_client_id"), "auth",
     "The Consumer Key is not known where you log in. A new connected app takes up to ten minutes to be known; a "
     "sandbox's app needs salesforce-sandbox. If the key is right, the developer user's password must not contain "
     "special characters."),
    (oauth("invalid_client"), "auth",
     "The Consumer Secret is not the app's: set it again with `terapi client set`."),
    (oauth("redirect_uri_mismatch"), "auth",
     "Add the callback URL that terapi prints to the connected app, letter by letter."),
    (oauth("invalid_grant", "authentication failure"), "auth", LOGIN),
    (oauth("invalid_grant", "audience is invalid"), "auth", f"The login does not belong to this org. {LOGIN}"),
    (oauth("invalid_grant", "user hasn't approved this consumer"), "auth",
     f"Where you log in, nobody of this name may use the app. {LOGIN[:-1]}; in the app's OAuth policies, let users "
     "be approved in advance."),
    (oauth("invalid_grant", "request not supported on this domain"), "auth",
     "Client credentials are given by the org's own login only; connect with --config "
     "login_url=https://YOUR-DOMAIN.my.salesforce.com"),
    (oauth("invalid_grant", "no client credentials user enabled"), "auth",
     "In the connected app's policies name the user that client credentials run as."),
    (oauth("invalid_grant", "invalid assertion"), "auth",
     "The private key does not belong to the certificate of the connected app."),
    (oauth("invalid_grant", "token request is already being processed"), "unavailable", None),
    (oauth("invalid_grant", "expired access/refresh token"), "needs_reconnect",
     "Access was revoked or has expired. Without the scope refresh_token every connection ends after about two "
     "hours."),
    (oauth("inactive_user"), "needs_reconnect",
     "An administrator has deactivated the user, or the org is closed."),
    (oauth("inactive_org"), "needs_reconnect",
     "An administrator has deactivated the user, or the org is closed."),
    (oauth("rate_limit_exceeded"), "rate_limited", None),
]  # fmt: skip


@pytest.fixture
def access(store: Store, waits: Waits) -> Access:
    environ = {"TERAPI_SALESFORCE_CLIENT_ID": "the-key", "TERAPI_SALESFORCE_CLIENT_SECRET": "the-secret"}
    return Access(Project.load(ROOT).checked(), store, environ, waits)


def new(api: Api) -> NewConnection:
    return NewConnection(id="demo", config={"login_url": api.url, "instance_url": api.url}, allow_local=True)


@pytest.mark.parametrize(("reply", "kind", "hint"), CALLS)
def test_an_error_of_a_call(access: Access, api: Api, reply: Reply, kind: str, hint: str | None) -> None:
    api.anything = lambda seen: Reply({"access_token": "new"}) if seen.path.endswith("/token") else reply
    given = Credentials(type="OAUTH2_CC", access_token="old", checked_at=1e12)
    connection = access.connect.keep(access.project.provider("salesforce"), new(api), given)

    async def work() -> None:
        async with access:
            client = access.client(connection)
            await client.call(client.provider.operations["limits"], {})

    with pytest.raises(CallError) as caught:
        asyncio.run(work())
    assert (caught.value.kind, caught.value.hint) == (kind, hint or GENERAL.get(kind))


@pytest.mark.parametrize(("reply", "kind", "hint"), TOKENS)
def test_an_error_of_the_token_endpoint(
    access: Access, api: Api, reply: Reply, kind: str, hint: str | None
) -> None:
    api.anything = lambda seen: reply

    async def work() -> None:
        async with access:
            given = Credentials(type="OAUTH2_CC")
            await access.connect.make(access.project.provider("salesforce"), new(api), given)

    with pytest.raises(TerapiError) as caught:
        asyncio.run(work())
    error = caught.value
    assert isinstance(error, NotConnected) is (kind in ("auth", "needs_reconnect"))
    meant = error.__cause__ if isinstance(error, NotConnected) else error
    assert (getattr(meant, "kind", None), error.hint) == (kind, hint or GENERAL.get(kind))


def test_every_rule_is_in_a_table() -> None:
    """A rule that is added to providers.yaml is tried here as well."""
    provider = Project.load(ROOT).checked().provider("salesforce")
    hints = {rule.hint.evaluate({}) for rule in provider.errors if rule.hint is not None}
    told = {hint for _, _, hint in [*CALLS, *TOKENS]}
    assert hints - told == {
        'Allow "Introspect All Tokens" in the connected app; until then the token is refreshed when a call is '
        "refused."  # tried in test_renewal.py
    }


def test_a_dead_token_is_renewed_wherever_it_is_noticed(store: Store) -> None:
    with start_org() as org:
        ours = Ours(org, store)
        ours.log_in()
        org.expire_tokens()
        assert isinstance(ours.call("current_user"), dict)
