"""Tokens that work now: renewed before they end, when they are refused, and by one caller at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, cast

import msgspec

from runner.auth import oauth
from runner.auth.clients import Client, Clients
from runner.auth.credentials import Credentials, from_token_answer, seal, unseal
from runner.auth.vault import Vault
from runner.definitions.conversions import instant
from runner.definitions.exchange import Answer, Outgoing, Target, build
from runner.definitions.model import Introspect, Provider
from runner.definitions.values import is_nothing
from runner.errors import CallError, NotConnected
from runner.store import Connection, Store

#: kinds of failure after which only a person can help
_LOST = frozenset({"needs_reconnect", "auth"})
#: seconds between two looks at a lock that somebody else holds
_LOOK = 0.02


class Ask(Protocol):
    """Sends a request of the authorisation itself, and gives its decoded answer.

    Raises `CallError` where the API refuses, with the kind that the provider's `errors` give it.
    """

    def __call__(self, target: Target, request: Outgoing) -> Awaitable[Answer]: ...


class Held(msgspec.Struct, frozen=True):
    """A connection with its credentials opened."""

    connection: Connection
    credentials: Credentials


class Tokens:
    """Gives each call credentials that work now.

    Args:
        ask: how requests of the authorisation are sent.
        clock: seconds since 1970.
    """

    def __init__(
        self, store: Store, vault: Vault, clients: Clients, ask: Ask, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._vault = vault
        self._clients = clients
        self._ask = ask
        self._clock = clock

    def open(self, connection: Connection) -> Held:
        return Held(connection, unseal(self._vault, connection))

    async def fresh(self, provider: Provider, held: Held) -> Held:
        """The same, or with new credentials where these are not good for the provider's margin.

        Raises:
            NotConnected: it needs a person to connect it again.
            CallError: the token endpoint failed.
        """
        rules, now = provider.token, self._clock()
        if held.credentials.expires_at is not None:
            due = now >= held.credentials.expires_at - rules.refresh_margin
        elif rules.introspect is not None and held.credentials.access_token:
            due = now >= (held.credentials.checked_at or 0) + rules.introspect.every
        else:
            due = held.credentials.type in ("OAUTH2_CC", "JWT_BEARER") and not held.credentials.access_token
        return await self.renew(provider, held, ask_first=True) if due else held

    async def renew(self, provider: Provider, stale: Held, *, ask_first: bool = False) -> Held:
        """New credentials in place of ``stale``; where somebody else has renewed them meanwhile, theirs.

        Args:
            ask_first: whether the API is asked if the token still works, where it can be.
        """
        place = stale.connection
        lock = self._store.lock(f"refresh:{place.integration}:{place.id}")
        while not lock.acquire():  # noqa: ASYNC110 - the holder may be another process
            await asyncio.sleep(_LOOK)
        try:
            held = self.open(self._again(place))
            if held.connection.version != place.version:
                return held
            introspect = provider.token.introspect
            if ask_first and introspect is not None and held.credentials.expires_at is None:
                asked = await self._introspected(provider, held, introspect)
                if asked is not None:
                    return asked
            return await self._renewed(provider, held)
        finally:
            lock.release()

    def _again(self, connection: Connection) -> Connection:
        found = self._store.connections.get(connection.integration, connection.id)
        if found is None:
            raise NotConnected(f"the connection `{connection.id}` was deleted meanwhile")
        return found

    def _client(self, provider: Provider, held: Credentials) -> Client:
        own = held.values.get("client_id")
        if isinstance(own, str):
            return Client(id=own, secret=cast("str | None", held.values.get("client_secret")))
        return self._clients.get(provider)

    async def _introspected(self, provider: Provider, held: Held, rules: Introspect) -> Held | None:
        """The same credentials, where the API says that they still work (RFC 7662 §2.2)."""
        target = target_of(provider, held.connection)
        scope = {
            "config": target.config,
            "token": {**held.credentials.raw, "access_token": held.credentials.access_token},
            **self._client(provider, held.credentials).scope(),
        }
        try:
            answer = await self._ask(target, build(rules.request, scope, ""))
        except CallError as exc:
            if exc.transient:
                raise
            # It may not ask: go on with the token until a call is refused.
            return self._keep(held, held.credentials, held.connection.config)
        if not rules.active.holds(answer.scope()):
            return None
        ends = None if rules.expires_at is None else rules.expires_at.evaluate(answer.scope())
        left = instant(ends).timestamp() if not is_nothing(ends) else None
        if left is not None and self._clock() >= left - provider.token.refresh_margin:
            return None
        return self._keep(held, held.credentials, held.connection.config)

    async def _renewed(self, provider: Provider, held: Held) -> Held:
        target = target_of(provider, held.connection)
        client = self._client(provider, held.credentials)
        try:
            request = oauth.renew(provider, client, target.config, held.credentials)
            answer = await self._ask(target, request)
        except CallError as exc:
            if exc.kind in _LOST:
                raise self._lost(held.connection, exc) from exc
            raise
        except NotConnected as exc:
            raise self._lost(held.connection, exc) from exc
        token = token_of(answer)
        renewed = from_token_answer(token, held.credentials, provider.token.lifetime, self._clock())
        return self._keep(held, renewed, captured(provider, held.connection.config, token))

    def _keep(self, held: Held, credentials: Credentials, config: Mapping[str, object]) -> Held:
        """Stores credentials before anybody uses them: a rotated refresh token must outlive this process."""
        credentials = msgspec.structs.replace(credentials, checked_at=self._clock())
        connection = held.connection
        sealed, key_id = seal(self._vault, credentials, connection.integration, connection.id)
        kept = self._store.connections.update_credentials(connection, sealed, key_id, config)
        return Held(kept, credentials) if kept is not None else self.open(self._again(connection))

    def _lost(self, connection: Connection, cause: CallError | NotConnected) -> NotConnected:
        again = f"terapi connect {connection.integration} --connection {connection.id}"
        self._store.connections.set_error(connection, f"needs reconnect: {cause.message}")
        hint = f"{cause.hint}; then: {again}" if cause.hint else again
        return NotConnected(
            f"the connection `{connection.id}` needs reconnecting: {cause.message}", hint=hint
        )


def target_of(provider: Provider, connection: Connection) -> Target:
    """Where the calls of a connection may go; config that it does not have is the provider's default."""
    config = with_defaults(provider, connection.config)
    return Target(provider=provider, config=config, allow_local=connection.allow_local)


def with_defaults(provider: Provider, config: Mapping[str, object]) -> dict[str, object]:
    defaults = {f.name: f.default for f in provider.connection_config.values() if f.default is not None}
    return {**defaults, **config}


def token_of(answer: Answer) -> dict[str, object]:
    """The token answer (RFC 6749 §5.1).

    Raises:
        CallError: it holds no access token.
    """
    body = answer.body
    if not isinstance(body, dict) or not isinstance(body.get("access_token"), str):
        raise CallError(
            "the token endpoint's answer holds no access_token", kind="bad_answer", status=answer.status
        )
    return body


def captured(
    provider: Provider, config: Mapping[str, object], token: Mapping[str, object]
) -> dict[str, object]:
    """The config with the values that the provider takes from a token answer."""
    found = {
        field.name: value
        for field in provider.connection_config.values()
        if field.captured is not None and not is_nothing(value := field.captured.evaluate({"token": token}))
    }
    return {**config, **found}
