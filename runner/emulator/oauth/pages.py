"""The pages that people see: login, consent, and why it goes no further."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from html import escape
from importlib import resources
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from runner.emulator import PRODUCT

_CLOUD = (
    '<svg viewBox="0 0 24 24" aria-hidden="true">'
    '<path d="M19.4 10A7.5 7.5 0 0 0 5.3 8 6 6 0 0 0 6 20h13a5 5 0 0 0 .4-10z"/></svg>'
)
#: what each scope allows, in people's words
SCOPES = {
    "api": "Access and manage your data",
    "full": "Do everything that you can do",
    "id": "See who you are",
    "openid": "See who you are",
    "profile": "See your profile",
    "email": "See your e-mail address",
    "address": "See your address",
    "phone": "See your phone number",
    "web": "Open the org in a browser for you",
    "refresh_token": "Do so at any time, until you take it back",
}


def login(prefix: str, request_id: str, *, username: str = "", error: str = "") -> HTMLResponse:
    """``prefix`` stands before the paths that the forms go to."""
    body = f"""
{_error(error)}
<form method="post" action="{escape(prefix)}/services/oauth2/login">
  <input type="hidden" name="request" value="{escape(request_id)}">
  <label for="username">Username</label>
  <input id="username" name="username" value="{escape(username)}" autocomplete="username" required autofocus>
  <label for="password">Password</label>
  <input id="password" name="password" type="password" autocomplete="current-password" required>
  <button>Log in</button>
</form>"""
    return _page("Log in", "to an emulated org on this machine", body)


class Wish(NamedTuple):
    """What an app asks somebody for."""

    app: str
    user: str
    scopes: list[str]
    #: where the answer goes; "" where a device waits for it
    redirect_uri: str


def consent(prefix: str, request_id: str, wish: Wish) -> HTMLResponse:
    said = dict.fromkeys(SCOPES.get(scope, f"Use {scope}") for scope in wish.scopes)
    wishes = "".join(f"<li>{escape(each)}</li>" for each in said)
    goes = f"The answer goes to {wish.redirect_uri}." if wish.redirect_uri else "Your device waits for it."
    body = f"""
<p><strong>{escape(wish.app)}</strong> asks to:</p>
<ul>{wishes}</ul>
<form method="post" action="{escape(prefix)}/services/oauth2/consent">
  <input type="hidden" name="request" value="{escape(request_id)}">
  <button name="decision" value="allow">Allow</button>
  <button name="decision" value="deny" class="quiet">Deny</button>
</form>
<p class="note">You are logged in as {escape(wish.user)}. {escape(goes)}</p>"""
    return _page("Allow access?", "", body, sends_to=wish.redirect_uri)


def device(prefix: str, *, user_code: str = "", error: str = "") -> HTMLResponse:
    body = f"""
{_error(error)}
<form method="post" action="{escape(prefix)}/setup/connect">
  <label for="user_code">Code that your device shows</label>
  <input id="user_code" name="user_code" value="{escape(user_code)}" autocomplete="off" required autofocus>
  <button>Connect</button>
</form>"""
    return _page("Connect your device", "", body)


def told(title: str, message: str) -> HTMLResponse:
    """The end of the way."""
    return _page(title, "", f"<p>{escape(message)}</p>")


def refused(error: str, description: str, status: int = 400) -> HTMLResponse:
    """An error that must not be sent to the app, because who it is, or where, is not proved."""
    said = escape(f"error={error}&error_description={description}")
    body = f'{_error(description)}<p class="note">{said}</p>'
    return _page("This cannot be authorised", "", body, status=status)


def _error(message: str) -> str:
    return f'<p class="error" role="alert">{escape(message)}</p>' if message else ""


def _page(title: str, subtitle: str, body: str, *, sends_to: str = "", status: int = 200) -> HTMLResponse:
    head = f"<header>{_CLOUD}<h1>{escape(title)}</h1><p>{escape(subtitle)}</p></header>"
    html = f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · emulated {PRODUCT}</title><style>{_style()}</style></head>
<body><main>{head}{body}</main></body>
</html>"""
    return HTMLResponse(html, status, headers=_headers(sends_to))


@lru_cache(maxsize=1)
def _style() -> str:
    return resources.files("runner.emulator.oauth").joinpath("page.css").read_text(encoding="utf-8")


def _headers(sends_to: str) -> dict[str, str]:
    """No script, no frame, no other style; a form goes to this org and, by redirect, back to the app."""
    style = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    parts = urlsplit(sends_to)
    target = f" {parts.scheme}://{parts.netloc}" if sends_to else ""
    policy = (
        f"default-src 'none'; style-src 'sha256-{style}'; form-action 'self'{target}; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy + "; base-uri 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
