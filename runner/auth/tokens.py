"""Tokens that work now: renewed before they end, when they are refused, and by one caller at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Literal, Protocol

import msgspec

from runner.auth import oauth
from runner.auth.clients import Clients
from runner.auth.credentials import Credentials, from_token_answer, moment, seal, unseal
from runner.auth.masking import Mask, hide
from runner.auth.vault import Vault
from runner.definitions.exchange import Answer, Outgoing, Target, build
from runner.definitions.model import Provider, TokenRules
from runner.definitions.values import is_nothing
from runner.errors import CallError, ExpressionError, NotConnected, joined
from runner.store import Connection, Store

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


class Introspected(msgspec.Struct, frozen=True):
    """What an API says of an access token."""

    active: bool
    #: seconds since 1970; None where it does not say
    expires_at: float | None


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
        """The connection with its credentials.

        Raises:
            StoreError: they do not open.
        """
        return Held(connection, unseal(self._vault, connection))

    async def fresh(self, provider: Provider, held: Held) -> Held:
        """The same, or with new credentials where these are not good for the provider's margin.

        Raises:
            NotConnected: it needs a person to connect it again.
            CallError: the token endpoint failed.
        """
        if self._due(provider.token, held.credentials) is None:
            return held
        async with self._alone(held.connection):
            found = self._again(held.connection)
            due = self._due(provider.token, found.credentials)
            if due is None:
                return found
            still = await self._still(provider, found) if due == "ask" else None
            return still or await self._renewed(provider, found)

    async def renew(self, provider: Provider, refused: Held) -> Held:
        """New credentials in place of those that the API refused, or somebody else's, who was faster.

        Raises:
            NotConnected, CallError: as `fresh`.
        """
        async with self._alone(refused.connection):
            found = self._again(refused.connection)
            if found.credentials.access_token != refused.credentials.access_token:
                return found
            return await self._renewed(provider, found)

    async def introspect(self, provider: Provider, held: Held) -> Introspected | None:
        """What the API says of the access token (RFC 7662 §2.2); None where there is nothing to ask.

        Raises:
            CallError: the API refuses to tell, or fails.
        """
        rules = provider.token.introspect
        if rules is None or held.credentials.access_token is None:
            return None
        target = target_of(provider, held.connection)
        client = self._clients.of(provider, held.credentials.values)
        token = {**held.credentials.raw, "access_token": held.credentials.access_token}
        secrets = (*held.credentials.secrets(), client.secret or "")
        try:
            request = build(rules.request, {"config": target.config, "token": token, **client.scope()}, "")
        except ExpressionError as exc:
            hide(exc, Mask(secrets))
            raise
        answer = await self._ask(target, msgspec.structs.replace(request, secrets=secrets))
        ends = None if rules.expires_at is None else rules.expires_at.evaluate(answer.scope())
        return Introspected(active=rules.active.holds(answer.scope()), expires_at=moment(ends))

    async def revoke(self, provider: Provider, connection: Connection) -> bool:
        """Takes the connection's token back at the API, so that it works for nobody any more (RFC 7009).

        Returns:
            False where the API takes none back, or there is none.

        Raises:
            CallError: the API refuses, or fails.
        """
        async with self._alone(connection):
            held = self._again(connection)
            target = target_of(provider, held.connection)
            try:
                client = self._clients.of(provider, held.credentials.values)
            except NotConnected:
                client = None
            request = oauth.revoke(provider, client, target.config, held.credentials)
            if request is None:
                return False
            await self._ask(target, request)
            return True

    def _due(self, rules: TokenRules, held: Credentials) -> Literal["ask", "renew"] | None:
        """What must happen before credentials are used; `ask`: whether they still work is not known."""
        now, ends = self._clock(), held.expires_at
        if not held.renewable:
            return "renew" if ends is not None and now >= ends else None
        if held.access_token is None or (ends is not None and now >= ends - rules.refresh_margin):
            return "renew"
        asks = rules.introspect is not None and now >= (held.checked_at or 0.0) + rules.introspect.every
        return "ask" if asks else None

    @asynccontextmanager
    async def _alone(self, connection: Connection) -> AsyncIterator[None]:
        """Nobody else renews this connection meanwhile: no task, no thread, no process."""
        lock = self._store.lock(f"refresh:{connection.integration}:{connection.id}")
        while not lock.acquire():  # noqa: ASYNC110 - the holder may be another process
            await asyncio.sleep(_LOOK)
        try:
            yield
        finally:
            lock.release()

    def _again(self, connection: Connection) -> Held:
        """As it is stored now; as it is, where it is not stored yet."""
        if not connection.stored:
            return self.open(connection)
        found = self._store.connections.get(connection.integration, connection.id)
        if found is None:
            raise NotConnected(f"the connection `{connection.id}` was deleted meanwhile")
        return self.open(found)

    async def _still(self, provider: Provider, held: Held) -> Held | None:
        """The same credentials, where the API says that they still work, or does not let itself be asked."""
        try:
            said = await self.introspect(provider, held)
        except (CallError, ExpressionError) as exc:
            if exc.transient:
                raise
            # The client may not ask: go on with the token until a call is refused.
            return self._keep(held, held.credentials, {})
        if said is None or not said.active:
            return None
        margin = provider.token.refresh_margin
        if said.expires_at is not None and self._clock() >= said.expires_at - margin:
            return None
        return self._keep(held, msgspec.structs.replace(held.credentials, expires_at=said.expires_at), {})

    async def _renewed(self, provider: Provider, held: Held) -> Held:
        target = target_of(provider, held.connection)
        client = self._clients.of(provider, held.credentials.values)
        try:
            answer = await self._ask(target, oauth.renew(provider, client, target.config, held.credentials))
            token = token_of(answer)
        except NotConnected as exc:
            raise self._lost(held.connection, exc) from exc
        except CallError as exc:
            if exc.kind == "needs_reconnect":
                raise self._lost(held.connection, exc) from exc
            if exc.kind == "auth":
                raise self._refused(held.connection, exc) from exc
            raise
        renewed = from_token_answer(token, held.credentials, provider.token.lifetime, self._clock())
        return self._keep(held, renewed, captured(provider, token))

    def _keep(self, held: Held, credentials: Credentials, config: Mapping[str, object]) -> Held:
        """Stores credentials before anybody uses them: a rotated refresh token must outlive this process."""
        credentials = msgspec.structs.replace(credentials, checked_at=self._clock())
        connection = held.connection
        sealed, key_id = seal(self._vault, credentials, connection.integration, connection.id)
        if not connection.stored:
            merged = {**connection.config, **config}
            new = msgspec.structs.replace(connection, sealed=sealed, key_id=key_id, config=merged)
            return Held(new, credentials)
        kept = self._store.connections.update_credentials(connection, sealed, key_id, config)
        return Held(kept, credentials) if kept is not None else self._again(connection)

    def _lost(self, connection: Connection, cause: CallError | NotConnected) -> NotConnected:
        """Only a person can help; everything that was stored stays."""
        self._note(connection, f"needs reconnect: {cause.message}")
        again = f"connect again: terapi connect {connection.integration} --connection {connection.id}"
        message = f"the connection `{connection.id}` needs reconnecting: {cause.message}"
        return NotConnected(message, hint=joined(cause.hint, again))

    def _refused(self, connection: Connection, cause: CallError) -> NotConnected:
        """The client is refused, not the connection, which works again as soon as the client is right."""
        self._note(connection, cause.message)
        return NotConnected(cause.message, hint=cause.hint)

    def _note(self, connection: Connection, error: str) -> None:
        if connection.stored:
            self._store.connections.set_error(connection, error)


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


def captured(provider: Provider, token: Mapping[str, object]) -> dict[str, object]:
    """The config that the provider takes from a token answer."""
    return {
        field.name: value
        for field in provider.connection_config.values()
        if field.captured is not None and not is_nothing(value := field.captured.evaluate({"token": token}))
    }
