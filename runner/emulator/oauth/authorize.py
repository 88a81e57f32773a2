"""The authorization endpoint and the two pages behind it (RFC 6749 §4.1, RFC 7636)."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from runner.emulator.clients import SYNONYMS, Client, Code
from runner.emulator.errors import OAuthError
from runner.emulator.http import org_of, read_form
from runner.emulator.oauth import pages
from runner.emulator.oauth.visits import AuthorizeRequest
from runner.emulator.org import Org

COOKIE = "emulator_visit"


async def authorize(request: Request) -> Response:
    """Shows the login page, or the consent page to one who has logged in; `auto_approve=1` asks nobody."""
    org, form = org_of(request), await read_form(request)
    try:
        client = _client(org, form)
    except OAuthError as exc:
        return pages.refused(exc.error, exc.description)
    try:
        asked = _asked(client, form)
    except OAuthError as exc:
        failed = {"error": exc.error, "error_description": exc.description}
        return _back(form["redirect_uri"], failed, form.get("state"))
    if form.get("auto_approve") == "1":
        return _allow(org, asked, org.user_id)
    browser = org.visits.browser(request.cookies.get(COOKIE))
    return _remember(_next_page(org, browser, asked), browser)


async def login(request: Request) -> Response:
    """Checks the password, then shows the consent page."""
    org, form = org_of(request), await read_form(request)
    browser, request_id = request.cookies.get(COOKIE), form.get("request", "")
    asked = org.visits.asked(request_id, browser)
    if asked is None or browser is None:
        return _abandoned()
    username = form.get("username", "")
    user_id = org.clients.user_by_password(username, form.get("password", ""))
    if user_id is None or not org.clients.is_active(user_id):
        message = (
            "Please check your username and password. If you still can't log in, contact your administrator."
        )
        return pages.login(request_id, username=username, error=message)
    browser = org.visits.logged_in(request_id, browser, user_id)
    return _remember(_consent_page(org, request_id, asked, user_id), browser)


async def consent(request: Request) -> Response:
    """Sends the browser back to the app, with a code or with the refusal."""
    org, form = org_of(request), await read_form(request)
    browser, request_id = request.cookies.get(COOKIE), form.get("request", "")
    asked = org.visits.asked(request_id, browser)
    user_id = org.visits.user(browser or "")
    if asked is None or user_id is None:
        return _abandoned()
    org.visits.answered(request_id)
    if form.get("decision") != "allow":
        denied = {"error": "access_denied", "error_description": "end-user denied authorization"}
        return _back(asked.redirect_uri, denied, asked.state)
    return _allow(org, asked, user_id)


def _client(org: Org, form: dict[str, str]) -> Client:
    """The app, with a redirect URI that is its own; where it is not, nothing may be sent there."""
    client = org.clients.get(form.get("client_id", ""))
    if client is None:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    redirect_uri = form.get("redirect_uri")
    if not redirect_uri:
        raise OAuthError("redirect_uri_missing", "redirect_uri not provided")
    if not client.redirects_to(redirect_uri):
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
    return client


def _asked(client: Client, form: dict[str, str]) -> AuthorizeRequest:
    if form.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response type not supported")
    if form.get("code_challenge_method", "S256") != "S256":
        raise OAuthError("invalid_request", "code_challenge_method must be S256")
    return AuthorizeRequest(
        client_id=client.id,
        redirect_uri=form["redirect_uri"],
        scope=granted_scope(client, form.get("scope", "")),
        state=form.get("state"),
        challenge=form.get("code_challenge") or None,
        prompt=form.get("prompt", ""),
    )


def granted_scope(client: Client, wished: str) -> str:
    """The scopes that the app gets: what it wishes for, or all of its own. Raises OAuthError."""
    scopes = [SYNONYMS.get(scope, scope) for scope in wished.split()]
    if any(scope not in client.scopes for scope in scopes):
        raise OAuthError("invalid_scope", "the requested scope is not allowed")
    return " ".join(dict.fromkeys(scopes or client.scopes))


def _next_page(org: Org, browser: str, asked: AuthorizeRequest) -> Response:
    request_id = org.visits.ask(browser, asked)
    user_id = org.visits.user(browser)
    if user_id is None or "login" in asked.prompt.split():
        return pages.login(request_id)
    return _consent_page(org, request_id, asked, user_id)


def _consent_page(org: Org, request_id: str, asked: AuthorizeRequest, user_id: str) -> Response:
    client = org.clients.get(asked.client_id)
    row = org.database.row('SELECT Username FROM "User" WHERE Id = ?', (user_id,))
    return pages.consent(
        request_id,
        app=client.label if client else asked.client_id,
        user=str(row[0]) if row else user_id,
        scopes=asked.scope.split(),
        redirect_uri=asked.redirect_uri,
    )


def _allow(org: Org, asked: AuthorizeRequest, user_id: str) -> Response:
    grant = org.tokens.new_grant(asked.client_id, user_id, asked.scope)
    code = org.clients.issue_code(
        Code(grant=grant, redirect_uri=asked.redirect_uri, challenge=asked.challenge)
    )
    return _back(asked.redirect_uri, {"code": code}, asked.state)


def _back(redirect_uri: str, answer: dict[str, str], state: str | None) -> Response:
    if state is not None:
        answer["state"] = state
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(
        f"{redirect_uri}{joint}{urlencode(answer)}", 302, headers={"Cache-Control": "no-store"}
    )


def _remember(response: Response, browser: str) -> Response:
    response.set_cookie(COOKIE, browser, httponly=True, samesite="lax", path="/services/oauth2")
    return response


def _abandoned() -> Response:
    return pages.refused("invalid_request", "This page is out of date. Go back to the app and begin again.")
