"""Connections: who agreed to what, and the sealed credentials that came of it; and the OAuth clients."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import msgspec

from runner.store.database import Database, load_queries


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One customer's access to one integration; its credentials are sealed and opaque here."""

    id: str
    integration: str
    provider: str
    #: the type of its credentials, such as OAUTH2
    auth: str
    sealed: bytes
    key_id: str
    config: Mapping[str, object] = {}
    metadata: Mapping[str, object] | None = None
    tags: Mapping[str, str] = {}
    end_user: Mapping[str, object] | None = None
    #: whether its calls may go to this machine and its private networks
    allow_local: bool = False
    #: grows with every change of the credentials
    version: int = 1
    #: why it no longer works; None while it does
    error: str | None = None
    #: its row in the store; 0 before it is stored
    number: int = 0
    created_at: float = 0.0
    updated_at: float = 0.0
    last_fetched_at: float | None = None

    @property
    def stored(self) -> bool:
        return self.number > 0


class OAuthClient(msgspec.Struct, frozen=True, kw_only=True):
    """The client that an integration authorises with; `sealed` holds its secrets."""

    integration: str
    client_id: str
    sealed: bytes
    key_id: str
    updated_at: float = 0.0


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which connections are wanted; all that is given must hold."""

    id: str | None = None
    integrations: Sequence[str] | None = None
    #: a part of the id, or of the end user's id, e-mail address or name, in any case
    text: str | None = None
    #: the ids of the end user and of the end user's organization
    user: str | None = None
    organization: str | None = None
    tags: Mapping[str, str] = {}


class Connections:
    """The connections of a store."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._sql = load_queries("connections")
        self._clock = clock

    def save(self, connection: Connection) -> Connection:
        """Keeps a connection, and gives it as it is stored.

        One of the same id under the same integration is replaced; its number, its age and, where there is no
        new one, its metadata stay.
        """
        row = {name: getattr(connection, name) for name in _PLAIN}
        row |= {name: _json(getattr(connection, name)) for name in ("config", "metadata", "tags", "end_user")}
        with self._database.atomic(durable=True):
            self._database.run(self._sql["save"], {**row, "now": self._clock()})
            return cast(Connection, self.get(connection.integration, connection.id))

    def get(self, integration: str, id: str) -> Connection | None:
        row = self._database.row(self._sql["get"], {"integration": integration, "id": id})
        return _connection(row) if row else None

    def places(self) -> list[tuple[str, str]]:
        """Integration and id of every connection."""
        return [(row["integration"], row["id"]) for row in self._database.rows(self._sql["places"])]

    def find(self, id: str) -> list[Connection]:
        """Every connection of that id, whatever its integration."""
        return [_connection(row) for row in self._database.rows(self._sql["find"], {"id": id})]

    def all(self, *, integration: str | None = None, limit: int = -1, offset: int = 0) -> list[Connection]:
        given = {"integration": integration, "limit": limit, "offset": offset}
        return [_connection(row) for row in self._database.rows(self._sql["list"], given)]

    def search(self, wanted: Wanted, *, limit: int = -1, offset: int = 0) -> list[Connection]:
        """Those that are wanted, in the order in which they were made."""
        given = {
            **msgspec.structs.asdict(wanted), "limit": limit, "offset": offset,
            "integrations": None if wanted.integrations is None else json.dumps(list(wanted.integrations)),
            "text": None if wanted.text is None else wanted.text.lower(),
            "tags": json.dumps(dict(wanted.tags)),
        }  # fmt: skip
        return [_connection(row) for row in self._database.rows(self._sql["search"], given)]

    def update_credentials(
        self, connection: Connection, sealed: bytes, key_id: str, config: Mapping[str, object]
    ) -> Connection | None:
        """Replaces what is sealed, unless somebody else did since ``connection`` was read: then None.

        It is on the disk when this returns. The keys of ``config`` are set; those that others set stay.
        """
        with self._database.atomic(durable=True):
            stored = self.get(connection.integration, connection.id)
            if stored is None:
                return None
            given = {
                **_key(connection), "sealed": sealed, "key_id": key_id, "expected": connection.version,
                "config": _json({**stored.config, **config}), "now": self._clock(),
            }  # fmt: skip
            changed = self._database.run(self._sql["update_credentials"], given)
            return self.get(connection.integration, connection.id) if changed else None

    def set_error(self, connection: Connection, error: str | None) -> None:
        self._database.run(self._sql["set_error"], {**_key(connection), "error": error, "now": self._clock()})

    def set_config(
        self, connection: Connection, values: Mapping[str, object], *, remove: Iterable[str] = ()
    ) -> None:
        """Sets keys of the config, and removes others."""
        with self._database.atomic():
            stored = self.get(connection.integration, connection.id) or connection
            self._set("set_config", connection, _without({**stored.config, **values}, remove))

    def set_metadata(
        self, connection: Connection, values: Mapping[str, object], *, remove: Iterable[str] = ()
    ) -> None:
        """Sets keys of the metadata, and removes others; null is a value."""
        with self._database.atomic():
            stored = self.get(connection.integration, connection.id) or connection
            self._set("set_metadata", connection, _without({**(stored.metadata or {}), **values}, remove))

    def replace_metadata(self, connection: Connection, values: Mapping[str, object]) -> None:
        """Puts ``values`` in place of all metadata."""
        self._set("set_metadata", connection, values)

    def _set(self, query: str, connection: Connection, values: Mapping[str, object]) -> None:
        given = {**_key(connection), "value": _json(values), "now": self._clock()}
        self._database.run(self._sql[query], given)

    def touch(self, connection: Connection) -> None:
        """Notes that somebody fetched it just now."""
        self._database.run(self._sql["touch"], {**_key(connection), "now": self._clock()})

    def delete(self, connection: Connection) -> bool:
        """Removes it, its records and the state of its syncs; False where it is gone already."""
        with self._database.atomic():
            for query in _BELONGINGS:
                self._database.run(self._sql[query], _key(connection))
            return self._database.run(self._sql["delete"], _key(connection)) > 0

    def save_client(self, client: OAuthClient) -> None:
        row = {name: getattr(client, name) for name in ("integration", "client_id", "sealed", "key_id")}
        with self._database.atomic(durable=True):
            self._database.run(self._sql["save_client"], {**row, "now": self._clock()})

    def client(self, integration: str) -> OAuthClient | None:
        row = self._database.row(self._sql["get_client"], {"integration": integration})
        return OAuthClient(**dict(row)) if row else None

    def clients(self) -> list[OAuthClient]:
        return [OAuthClient(**dict(row)) for row in self._database.rows(self._sql["list_clients"])]


#: what goes with a connection, in this order
_BELONGINGS = (
    "delete_seen", "delete_full_reads", "delete_records", "delete_streams", "delete_state", "delete_parents",
    "delete_sync_requests", "delete_variants", "delete_triggers",
)  # fmt: skip
_PLAIN = ("id", "integration", "provider", "auth", "sealed", "key_id", "allow_local")


def _key(connection: Connection) -> dict[str, object]:
    return {"integration": connection.integration, "id": connection.id}


def _without(values: Mapping[str, object], remove: Iterable[str]) -> dict[str, object]:
    return {key: value for key, value in values.items() if key not in set(remove)}


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _connection(row: sqlite3.Row) -> Connection:
    values = dict(row)
    for name in ("config", "metadata", "tags", "end_user"):
        values[name] = json.loads(values[name]) if values[name] else None
    values["allow_local"] = bool(values["allow_local"])
    return Connection(**values)
