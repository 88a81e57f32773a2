"""The authorization endpoint and the two pages behind it (RFC 6749 §4.1, RFC 7636)."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from runner.emulator.clients import Client, Code
from runner.emulator.errors import OAuthError
from runner.emulator.oauth import pages
from runner.emulator.oauth.ask import Ask, asked
from runner.emulator.oauth.scopes import granted_scope
from runner.emulator.oauth.visits import AuthorizeRequest
from runner.emulator.org import Org

COOKIE = "emulator_visit"
LOGIN_FAILED = (
    "Please check your username and password. If you still can't log in, contact your administrator."
)
#: where apps without a page of their own are sent
SUCCESS = "/services/oauth2/success"


async def authorize(request: Request) -> Response:
    """Shows the login page, or the consent page to one who has logged in; `auto_approve=1` asks nobody."""
    ask = await asked(request)
    try:
        client = _client(ask)
    except OAuthError as exc:
        return pages.refused(exc.error, exc.description)
    try:
        wanted = _wanted(client, ask)
    except OAuthError as exc:
        failed = {"error": exc.error, "error_description": exc.description}
        return _back(ask.field("redirect_uri"), failed, ask.form.get("state"))
    if ask.field("auto_approve") == "1":
        return _allow(ask.org, wanted, ask.org.user_id)
    return first_page(request, ask, wanted)


def first_page(request: Request, ask: Ask, wanted: AuthorizeRequest) -> Response:
    """Login, or consent where somebody has logged in already."""
    org = ask.org
    browser = org.visits.browser(request.cookies.get(COOKIE))
    request_id = org.visits.ask(browser, wanted)
    user_id = org.visits.user(browser)
    if user_id is None or "login" in wanted.prompt.split():
        page: Response = pages.login(ask.address.prefix, request_id, username=wanted.login_hint)
    else:
        page = _consent_page(ask, request_id, wanted, user_id)
    return _remember(page, browser)


async def login(request: Request) -> Response:
    """Checks the password, then shows the consent page."""
    ask = await asked(request)
    org, browser, request_id = ask.org, request.cookies.get(COOKIE), ask.field("request")
    wanted = org.visits.asked(request_id, browser)
    if wanted is None or browser is None:
        return _abandoned()
    username = ask.field("username")
    user_id = org.clients.user_by_password(username, ask.field("password"))
    if user_id is None or not org.clients.is_active(user_id) or not ask.address.for_its_users:
        return pages.login(ask.address.prefix, request_id, username=username, error=LOGIN_FAILED)
    browser = org.visits.logged_in(request_id, browser, user_id)
    return _remember(_consent_page(ask, request_id, wanted, user_id), browser)


async def consent(request: Request) -> Response:
    """Sends the browser back to the app, with a code or with the refusal; or tells a device."""
    ask = await asked(request)
    org, browser, request_id = ask.org, request.cookies.get(COOKIE), ask.field("request")
    wanted = org.visits.asked(request_id, browser)
    user_id = org.visits.user(browser or "")
    if wanted is None or user_id is None:
        return _abandoned()
    org.visits.answered(request_id)
    allow = ask.field("decision") == "allow"
    if wanted.user_code:
        org.devices.decide(wanted.user_code, user_id, allow=allow)
        said = "It goes on by itself now." if allow else "It gets no access."
        return pages.told("Your device is connected" if allow else "Your device was refused", said)
    if not allow:
        denied = {"error": "access_denied", "error_description": "end-user denied authorization"}
        return _back(wanted.redirect_uri, denied, wanted.state)
    return _allow(org, wanted, user_id)


async def success(_request: Request) -> Response:
    """Where apps without a page of their own read the code off the address."""
    return pages.told("Access was allowed", "The app reads the rest off this page's address.")


def _client(ask: Ask) -> Client:
    """The app, with a redirect URI that is its own; where it is not, nothing may be sent there."""
    client = ask.client()
    redirect_uri = ask.field("redirect_uri")
    if not redirect_uri:
        raise OAuthError("redirect_uri_missing", "redirect_uri not provided")
    if not client.redirects_to(redirect_uri) and redirect_uri != ask.address.url + SUCCESS:
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
    if ask.org.options.require_pkce and not ask.field("code_challenge"):
        raise OAuthError("invalid_request", "missing required code challenge")
    return client


def _wanted(client: Client, ask: Ask) -> AuthorizeRequest:
    if ask.field("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response type not supported")
    if ask.form.get("code_challenge_method", "S256") != "S256":
        raise OAuthError("invalid_request", "code_challenge_method must be S256")
    return AuthorizeRequest(
        client_id=client.id,
        redirect_uri=ask.field("redirect_uri"),
        scope=granted_scope(client, ask.field("scope")),
        state=ask.form.get("state"),
        challenge=ask.field("code_challenge") or None,
        prompt=ask.field("prompt"),
        login_hint=ask.field("login_hint"),
        nonce=ask.form.get("nonce"),
    )


def _consent_page(ask: Ask, request_id: str, wanted: AuthorizeRequest, user_id: str) -> Response:
    client = ask.org.clients.get(wanted.client_id)
    row = ask.org.database.row('SELECT Username FROM "User" WHERE Id = ?', (user_id,))
    wish = pages.Wish(
        app=client.label if client else wanted.client_id,
        user=str(row[0]) if row else user_id,
        scopes=wanted.scope.split(),
        redirect_uri=wanted.redirect_uri,
    )
    return pages.consent(ask.address.prefix, request_id, wish)


def _allow(org: Org, wanted: AuthorizeRequest, user_id: str) -> Response:
    grant = org.tokens.new_grant(wanted.client_id, user_id, wanted.scope)
    code = Code(grant=grant, redirect_uri=wanted.redirect_uri, challenge=wanted.challenge, nonce=wanted.nonce)
    return _back(wanted.redirect_uri, {"code": org.clients.issue_code(code)}, wanted.state)


def _back(redirect_uri: str, answer: dict[str, str], state: str | None) -> Response:
    if state is not None:
        answer["state"] = state
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(
        f"{redirect_uri}{joint}{urlencode(answer)}", 302, headers={"Cache-Control": "no-store"}
    )


def _remember(response: Response, browser: str) -> Response:
    response.set_cookie(COOKIE, browser, httponly=True, samesite="lax", path="/")
    return response


def _abandoned() -> Response:
    return pages.refused("invalid_request", "This page is out of date. Go back to the app and begin again.")
