"""Browsers that are on their way through the login and consent pages."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import TypeVar

import msgspec

Kept = TypeVar("Kept")

#: browsers and requests that are remembered; the oldest go first
MAX_KEPT = 1_000


class AuthorizeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What an app asked of `/authorize`, checked."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str | None
    challenge: str | None
    #: what the app shows first: `login` asks for the password even of one who has logged in
    prompt: str = ""
    #: who is thought to log in
    login_hint: str = ""
    nonce: str | None = None
    #: the code of the device that asks; then nobody is sent back anywhere
    user_code: str = ""


class Visits:
    """A page carries the id of its request, a cookie that of the browser; only both together go on.

    So nobody can be made to allow what another site asked for: it knows neither.
    """

    def __init__(self) -> None:
        self._browsers: OrderedDict[str, str | None] = OrderedDict()
        self._requests: OrderedDict[str, tuple[str, AuthorizeRequest]] = OrderedDict()

    def browser(self, cookie: str | None) -> str:
        """The browser that a cookie names, or a new one."""
        if cookie is not None and cookie in self._browsers:
            return cookie
        return self._new_browser(None)

    def user(self, browser: str) -> str | None:
        """Who has logged in with this browser."""
        return self._browsers.get(browser)

    def ask(self, browser: str, request: AuthorizeRequest) -> str:
        """Remembers what is asked; gives the id that the page carries."""
        request_id = secrets.token_urlsafe(18)
        self._requests[request_id] = (browser, request)
        _trim(self._requests)
        return request_id

    def asked(self, request_id: str, browser: str | None) -> AuthorizeRequest | None:
        owner, request = self._requests.get(request_id, ("", None))
        return request if request is not None and browser and secrets.compare_digest(owner, browser) else None

    def has(self, request_id: str) -> bool:
        return request_id in self._requests

    def take(self, request_id: str, other: Visits) -> AuthorizeRequest | None:
        """Goes on with what another org was asked, and its browser: one of our users logs in there."""
        browser, request = other._requests.pop(request_id, ("", None))
        if request is not None:
            self._browsers[browser] = None
            self._requests[request_id] = (browser, request)
        return request

    def logged_in(self, request_id: str, browser: str, user_id: str) -> str:
        """Gives the browser a new name, so that one it had before the login is worth nothing."""
        fresh = self._new_browser(user_id)
        _, request = self._requests[request_id]
        self._requests[request_id] = (fresh, request)
        self._browsers.pop(browser, None)
        return fresh

    def answered(self, request_id: str) -> None:
        self._requests.pop(request_id, None)

    def _new_browser(self, user_id: str | None) -> str:
        browser = secrets.token_urlsafe(24)
        self._browsers[browser] = user_id
        _trim(self._browsers)
        return browser


def _trim(kept: OrderedDict[str, Kept]) -> None:
    while len(kept) > MAX_KEPT:
        kept.popitem(last=False)
