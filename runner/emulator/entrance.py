"""The way into a server of several orgs: each has a port and a My Domain of its own, and all share the hosts
of the login.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import jwt
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runner.emulator.addresses import login_gate, my_domain
from runner.emulator.app import application
from runner.emulator.errors import ApiError
from runner.emulator.org import Org
from runner.emulator.soap.envelope import read

#: a longer body of a login is none
MAX_LOGIN = 64 * 1024

Said = dict[str, str]


class Entrance:
    """The outermost ASGI application. ``orgs`` are by their ports, the first stands for all."""

    def __init__(self, orgs: Mapping[int, Org]) -> None:
        self._orgs = dict(orgs)
        self._apps: dict[int, ASGIApp] = {port: application(org) for port, org in orgs.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        port = scope["server"][1]
        if len(self._orgs) > 1 and (gate := login_gate(scope)):
            body = await _body(receive)
            port = self._meant(gate, _said(scope, body), port)
            receive = _again(body)
        elif name := my_domain(scope):
            port = next((each for each, org in self._orgs.items() if org.options.name == name), port)
        await self._apps[port](scope, receive, send)

    def _meant(self, gate: str, said: Said, port: int) -> int:
        """The port of the org that a login is for; the one it came to where no org knows what is said."""
        fitting = {
            each: org for each, org in self._orgs.items() if org.options.is_sandbox == (gate == "test")
        }
        meant = next((each for each, org in fitting.items() if _knows(org, said)), next(iter(fitting), port))
        if "request" not in said or "username" not in said:
            return meant
        for each, org in fitting.items():
            # Until somebody logged in on its page, one org stood for all that have the app.
            if each != meant and org.clients.user_by_name(said["username"]) is not None:
                org.take_login(said["request"], self._orgs[meant])
                return each
        return meant


def _knows(org: Org, said: Said) -> bool:
    """Whether what a login says is the org's: the first of these that is said decides."""
    if token := said.get("refresh_token") or said.get("token"):
        return org.tokens.find(token) is not None
    if request := said.get("request"):
        return org.visits.has(request)
    if code := said.get("code"):
        return org.clients.has_code(code) or org.devices.has(code)
    if user_code := said.get("user_code"):
        return org.devices.shown(user_code) is not None
    if username := said.get("username") or said.get("sub"):
        return org.clients.user_by_name(username) is not None
    return org.clients.get(said.get("client_id", "")) is not None


def _said(scope: Scope, body: bytes) -> Said:
    """The fields of the query and of the body: a form, an envelope of SOAP, an assertion's claims."""
    said = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    if scope["path"].startswith("/services/Soap/"):
        return said | _soap(body)
    said |= dict(parse_qsl(body.decode("utf-8", "replace")))
    return said | _claims(said.get("assertion", ""))


def _soap(body: bytes) -> Said:
    try:
        _, call = read(body)
    except ApiError:
        return {}
    return {child.name: child.text.strip() for child in call.children}


def _claims(assertion: str) -> Said:
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError:
        return {}
    return {"sub": str(claims.get("sub") or claims.get("prn") or "")}


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more and len(body) <= MAX_LOGIN:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    return body


def _again(body: bytes) -> Receive:
    """Gives a body that was read already once more."""
    told = False

    async def receive() -> Message:
        nonlocal told
        message: Message = {"type": "http.disconnect"} if told else {"type": "http.request", "body": body}
        told = True
        return message

    return receive
