"""Access to a project's connections: the store, the vault and the wires, opened and closed together."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import NamedTuple

from runner.auth import oauth
from runner.auth.clients import Clients
from runner.auth.connect import Connect
from runner.auth.tokens import Held, Tokens
from runner.auth.vault import Vault
from runner.calls.asking import Asking
from runner.calls.chain import Chain, Wire
from runner.calls.client import Client
from runner.calls.limits import Gates
from runner.calls.transport import Transport
from runner.definitions.model import Provider
from runner.definitions.project import Project
from runner.errors import CallError, NotConnected, UsageError
from runner.store import Connection, Store


class Access:
    """What every caller of APIs starts from; an async context manager.

    Args:
        sleep: how waits between tries are waited; tests give their own.
        clock: seconds since 1970; tests give their own.
        transport: what all requests go by; without it they go out over the network.
    """

    def __init__(
        self,
        project: Project,
        store: Store,
        environ: Mapping[str, str] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        transport: Transport | None = None,
    ) -> None:
        environ = os.environ if environ is None else environ
        self.environ = environ
        self.project = project
        self.store = store
        self.vault = Vault.load(store.folder, environ)
        self.clients = Clients(store, self.vault, environ)
        self._transports = {allow: transport or Transport(allow_local=allow) for allow in (False, True)}
        ask = Asking(self._transports, sleep)
        self.tokens = Tokens(store, self.vault, self.clients, ask, clock)
        self.connect = Connect(store, self.vault, self.clients, ask, clock)
        self._gates = Gates()
        self._sleep = sleep
        self._clock = clock

    async def __aenter__(self) -> Access:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for transport in self._transports.values():
            await transport.close()

    def client(self, connection: Connection) -> Client:
        """Calls for a connection.

        Raises:
            UsageError: its integration is no longer defined.
        """
        provider = self.project.provider(connection.integration)
        transport = self._transports[connection.allow_local]
        gate = self._gates.of(provider, connection)
        return Client(
            Chain(provider, connection, self.tokens, Wire(transport, gate, self._sleep, self._clock))
        )

    def connection(self, id: str | None, integrations: tuple[str, ...] | None = None) -> Connection:
        """The connection of that id, or the only one, among those of ``integrations``.

        Raises:
            NotConnected: there is none.
            UsageError: there are several.
        """
        found = self.store.connections.find(id) if id else self.store.connections.all()
        fitting = [one for one in found if integrations is None or one.integration in integrations]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            names = ", ".join(sorted({f"{one.id} ({one.integration})" for one in fitting}))
            raise UsageError("there are several connections", hint=f"name one with --connection: {names}")
        wanted = (integrations or tuple(self.project.providers) or ("INTEGRATION",))[0]
        what = f"no connection `{id}`" if id else "no connection yet"
        there = ", ".join(sorted({one.id for one in self.store.connections.all()}))
        hint = f"terapi connect {wanted} --connection {id or 'NAME'}"
        raise NotConnected(f"there is {what}", hint=f"{hint}; there are: {there}" if there else hint)

    async def keep(self, made: Connection) -> Kept:
        """Stores a connection that was just made, once it is proved; one of the same id is replaced.

        An API that has trouble just now is no reason to make a person log in once more: then it is stored all
        the same, and the advice says so.

        Raises:
            NotConnected: it does not work; what was stored before stays.
        """
        client = self.client(made)
        try:
            advice = await self._proved(client)
        except CallError as exc:
            if not exc.transient:
                raise
            advice = (f"it could not be proved yet: {exc.message}",)
        return Kept(self.store.connections.save(client.connection), advice)

    async def check(self, connection: Connection) -> tuple[str, ...]:
        """Proves that a connection works: by the provider's `verify`, else by getting it a valid token.

        Returns:
            What works, but not as well as it could, and how to mend it.

        Raises:
            NotConnected: it does not work.
            CallError: the API has trouble just now.
        """
        return await self._proved(self.client(connection))

    async def _proved(self, client: Client) -> tuple[str, ...]:
        provider = client.provider
        if provider.verify is not None:
            try:
                await client.call(provider.operations[provider.verify], {})
            except CallError as exc:
                if exc.transient:
                    raise
                raise NotConnected(exc.message, where=exc.where, hint=exc.hint) from exc
        held = await self.tokens.fresh(provider, self.tokens.open(client.connection))
        advice = (oauth.lasting(provider, held.credentials), await self._asked(provider, held))
        return tuple(one for one in advice if one is not None)

    async def _asked(self, provider: Provider, held: Held) -> str | None:
        """What is amiss with asking the API about a token that has just proved to work."""
        try:
            said = await self.tokens.introspect(provider, held)
        except CallError as exc:
            return exc.hint or exc.message
        if said is None or said.active:
            return None
        return (
            f"{provider.display_name} calls a token inactive that works: the app may not ask about tokens; "
            "until it may, the token is refreshed more often than needed"
        )


class Kept(NamedTuple):
    """A connection that was made and stored."""

    connection: Connection
    #: what works, but not as well as it could
    advice: tuple[str, ...]
