"""What is asked of the OAuth endpoints: by which app, of which org, under which name."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_plus

import msgspec
from starlette.requests import Request

from runner.emulator.addresses import Address
from runner.emulator.clients import Client
from runner.emulator.errors import OAuthError
from runner.emulator.http import address_of, org_of, read_form
from runner.emulator.org import Org

Form = dict[str, str]


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    org: Org
    address: Address
    #: the fields of the form; the app's id and secret among them, wherever they stood
    form: Form

    def field(self, name: str) -> str:
        return self.form.get(name, "")

    def client(self, client_id: str | None = None) -> Client:
        """The app that asks. Raises OAuthError invalid_client_id."""
        client = self.org.clients.get(self.field("client_id") if client_id is None else client_id)
        if client is None:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        return client

    def proved_client(self) -> Client:
        """The app, which has shown its secret, unless the org wants none. Raises OAuthError."""
        client, secret = self.client(), self.field("client_secret")
        if not secret and not self.org.options.require_secret:
            return client
        if not client.has_secret(secret):
            raise OAuthError("invalid_client", "invalid client credentials")
        return client


async def asked(request: Request) -> Ask:
    form = _with_client(request, await read_form(request))
    return Ask(org=org_of(request), address=address_of(request), form=form)


def _with_client(request: Request, form: Form) -> Form:
    """The form, with the app's id and secret from `Authorization: Basic` where they stand there."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise OAuthError("invalid_client", "invalid client credentials") from exc
    return {**form, "client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}
