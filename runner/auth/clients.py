"""OAuth clients: who terapi is to an API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import msgspec

from runner.auth.vault import Vault
from runner.definitions.model import Provider
from runner.errors import NotConnected
from runner.store import OAuthClient, Store


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A client's two halves, and the secret that its webhooks are signed with."""

    id: str
    secret: str | None = None
    webhook_secret: str | None = None

    def __repr__(self) -> str:
        return f"Client({self.id})"

    def scope(self) -> dict[str, object]:
        return {"client": {"id": self.id, "secret": self.secret}}


def variable(integration: str, what: str) -> str:
    """The environment variable that carries a client's half: `TERAPI_CRM_CLIENT_ID`."""
    return f"TERAPI_{re.sub(r'[^A-Za-z0-9]', '_', integration).upper()}_{what}"


class Clients:
    """The clients of a store; the environment goes first."""

    def __init__(self, store: Store, vault: Vault, environ: Mapping[str, str]) -> None:
        self._store = store
        self._vault = vault
        self._environ = environ

    def find(self, integration: str) -> Client | None:
        kept = self._kept(integration)
        given = {
            "id": self._environ.get(variable(integration, "CLIENT_ID")) or (kept.id if kept else ""),
            "secret": self._environ.get(variable(integration, "CLIENT_SECRET"))
            or (kept.secret if kept else None),
            "webhook_secret": self._environ.get(variable(integration, "WEBHOOK_SECRET"))
            or (kept.webhook_secret if kept else None),
        }
        return msgspec.convert(given, Client) if any(given.values()) else None

    def get(self, provider: Provider) -> Client:
        """The client of an integration.

        Raises:
            NotConnected: there is none.
        """
        found = self.find(provider.name)
        if found is None or not found.id:
            name = variable(provider.name, "CLIENT_ID")
            raise NotConnected(
                f"{provider.display_name} has no {provider.client_id_label} yet",
                hint=f"terapi client set {provider.name} --id … --secret-stdin, or set {name}",
            )
        return found

    def of(self, provider: Provider, values: Mapping[str, object]) -> Client:
        """The client that a connection's own credentials bring along, else the integration's.

        Raises:
            NotConnected: there is none.
        """
        own, secret = values.get("client_id"), values.get("client_secret")
        if isinstance(own, str):
            return Client(id=own, secret=secret if isinstance(secret, str) else None)
        return self.get(provider)

    def _kept(self, integration: str) -> Client | None:
        row = self._store.connections.client(integration)
        if row is None:
            return None
        data = self._vault.open(row.sealed, row.key_id, f"client:{integration}")
        return Client(id=row.client_id, **cast(dict[str, str | None], data))

    def save(self, integration: str, client: Client) -> None:
        secrets = {"secret": client.secret, "webhook_secret": client.webhook_secret}
        sealed, key_id = self._vault.seal(secrets, f"client:{integration}")
        self._store.connections.save_client(
            OAuthClient(integration=integration, client_id=client.id, sealed=sealed, key_id=key_id)
        )
