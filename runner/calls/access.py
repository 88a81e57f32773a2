"""Access to a project's connections: the store, the vault and the wires, opened and closed together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType

import msgspec

from runner.auth import oauth
from runner.auth.clients import Client as OAuthClient
from runner.auth.clients import Clients
from runner.auth.credentials import Credentials, from_token_answer, seal
from runner.auth.tokens import Tokens, captured, target_of, token_of, with_defaults
from runner.auth.vault import Vault
from runner.calls.chain import Chain
from runner.calls.classify import TRANSIENT, decode, failure
from runner.calls.client import Client
from runner.calls.guard import check_url
from runner.calls.limits import Gates
from runner.calls.transport import Transport
from runner.definitions.exchange import Answer, Outgoing, Target
from runner.definitions.model import Provider
from runner.definitions.project import Project
from runner.errors import CallError, NotConnected, UsageError
from runner.store import Connection, Store


class Access:
    """What every caller of APIs starts from; an async context manager.

    Args:
        sleep: how waits between tries are waited; tests give their own.
    """

    def __init__(
        self,
        project: Project,
        store: Store,
        environ: Mapping[str, str] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        environ = os.environ if environ is None else environ
        self.project = project
        self.store = store
        self.vault = Vault.load(store.folder, environ)
        self.clients = Clients(store, self.vault, environ)
        self.tokens = Tokens(store, self.vault, self.clients, self.ask)
        self._sleep = sleep
        self._gates = Gates()
        self._transports = {allow: Transport(allow_local=allow) for allow in (False, True)}

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
        return Client(Chain(provider, connection, self.tokens, transport, gate, self._sleep))

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

    async def ask(self, target: Target, request: Outgoing) -> Answer:
        """Sends a request of the authorisation itself; see `tokens.Ask`."""
        rules = target.provider.retry
        for attempt in range(1, rules.attempts + 1):
            try:
                return await self._asked(target, request)
            except CallError as exc:
                if not exc.transient or attempt == rules.attempts:
                    raise
                await self._sleep(exc.retry_after or rules.initial * 2 ** (attempt - 1))
        raise AssertionError("a provider's attempts are at least one")

    async def _asked(self, target: Target, request: Outgoing) -> Answer:
        check_url(request.url, target)
        answer = await self._transports[target.allow_local].send(request, target.provider.limits.answer)
        answer = msgspec.structs.replace(answer, body=decode(answer, "json"))
        error = failure(target.provider, answer, {"config": target.config}, None, [])
        if error is None:
            return answer
        # `token_expired` is about calls; at the token endpoint a 401 is about the client (RFC 6749 §5.2).
        error.kind = "auth" if error.kind == "token_expired" else error.kind
        error.transient = error.kind in TRANSIENT
        raise error

    async def finish_code(
        self, provider: Provider, attempt: oauth.Authorization, code: str, place: NewConnection
    ) -> Connection:
        """Ends an authorisation: trades the code and keeps the connection."""
        client = self.clients.get(provider)
        target = self._target(provider, place)
        request = oauth.exchange_code(provider, client, target.config, attempt, code)
        return self._kept(
            provider, place, Credentials(type="OAUTH2"), token_of(await self.ask(target, request))
        )

    async def finish_credentials(
        self, provider: Provider, given: Credentials, place: NewConnection
    ) -> Connection:
        """Keeps a connection made without a browser; gets a token where its kind of credentials wants one."""
        if given.type not in ("OAUTH2_CC", "JWT_BEARER"):
            token = dict(given.raw) if given.access_token else {}
            config = captured(provider, place.config, token)
            return self._save(provider, place, given, {**config, **place.config})
        own = given.values.get("client_id")
        secret = given.values.get("client_secret")
        client = (
            OAuthClient(id=own, secret=str(secret)) if isinstance(own, str) else self.clients.get(provider)
        )
        target = self._target(provider, place)
        request = oauth.renew(provider, client, target.config, given)
        return self._kept(provider, place, given, token_of(await self.ask(target, request)))

    def _target(self, provider: Provider, place: NewConnection) -> Target:
        config = with_defaults(provider, place.config)
        return Target(provider=provider, config=config, allow_local=place.allow_local)

    def _kept(
        self, provider: Provider, place: NewConnection, held: Credentials, token: dict[str, object]
    ) -> Connection:
        credentials = from_token_answer(token, held, provider.token.lifetime)
        return self._save(provider, place, credentials, captured(provider, place.config, token))

    def _save(
        self, provider: Provider, place: NewConnection, credentials: Credentials, config: Mapping[str, object]
    ) -> Connection:
        sealed, key_id = seal(self.vault, credentials, provider.name, place.id)
        connection = Connection(
            id=place.id,
            integration=provider.name,
            provider=provider.name,
            auth=credentials.type,
            sealed=sealed,
            key_id=key_id,
            config=config,
            allow_local=place.allow_local,
        )
        return self.store.connections.save(connection)

    async def check(self, connection: Connection) -> None:
        """Proves that a connection works: by the provider's `verify`, else by getting it a valid token.

        Raises:
            NotConnected, CallError: it does not.
        """
        provider = self.project.provider(connection.integration)
        client = self.client(connection)
        if provider.verify is not None:
            await client.call(provider.operations[provider.verify], {})
        else:
            await self.tokens.fresh(provider, self.tokens.open(connection))

    def target(self, connection: Connection) -> Target:
        return target_of(self.project.provider(connection.integration), connection)


class NewConnection(msgspec.Struct, frozen=True, kw_only=True):
    """A connection that is about to be made."""

    id: str
    config: Mapping[str, object] = {}
    allow_local: bool = False
