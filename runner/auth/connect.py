"""Making connections: from a login in the browser, from credentials that a person has, from a token set."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import msgspec

from runner.auth import oauth
from runner.auth.clients import Clients
from runner.auth.credentials import BY_GRANT, Credentials, from_token_answer, seal
from runner.auth.tokens import Ask, captured, token_of, with_defaults
from runner.auth.vault import Vault
from runner.definitions.entered import check_complete, entered
from runner.definitions.exchange import Answer, Outgoing, Target
from runner.definitions.model import Provider
from runner.definitions.values import is_nothing
from runner.errors import CallError, ExpressionError, NotConnected, UsageError
from runner.store import Connection, Store

#: types of credentials that are nothing but what a person enters
_ENTERED = frozenset({"API_KEY", "BASIC"})


class NewConnection(msgspec.Struct, frozen=True, kw_only=True):
    """A connection that is about to be made; see `Connection` for what each part is."""

    id: str
    config: Mapping[str, object] = {}
    metadata: Mapping[str, object] | None = None
    tags: Mapping[str, str] = {}
    end_user: Mapping[str, object] | None = None
    allow_local: bool = False


def resumed(store: Store, provider: Provider, new: NewConnection) -> NewConnection:
    """With what the connection of that id has already, wherever ``new`` does not say it.

    So that connecting again needs no more than the connection's name. What a token answer tells is not taken
    over: it may be another account's.
    """
    before = store.connections.get(provider.name, new.id)
    if before is None:
        return new
    told = _captures(provider)
    return msgspec.structs.replace(
        new,
        config={**{name: value for name, value in before.config.items() if name not in told}, **new.config},
        tags=new.tags or before.tags,
        end_user=new.end_user or before.end_user,
        allow_local=new.allow_local or before.allow_local,
    )


class Connect:
    """Makes connections.

    What `finish` and `make` give is not stored yet: it is proved first, and what stood there before stays
    until then (see `Access.keep`).

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

    def begin(
        self, provider: Provider, new: NewConnection, redirect_uri: str, scopes: tuple[str, ...] = ()
    ) -> oauth.Authorization:
        """The first half of a login: where a person is sent, to come back to ``redirect_uri``.

        Raises:
            NotConnected: the integration has no client yet.
            UsageError: the configuration lacks something.
        """
        check_complete(provider.connection_config, new.config, "config")
        config = with_defaults(provider, new.config)
        return oauth.authorization(provider, self._clients.get(provider), config, redirect_uri, scopes)

    async def finish(
        self,
        provider: Provider,
        new: NewConnection,
        attempt: oauth.Authorization,
        answer: Mapping[str, str],
    ) -> Connection:
        """The second half: trades the code for tokens.

        Args:
            answer: what the browser came back with, the query of the redirect.

        Raises:
            NotConnected: the login was refused, or is not the answer to this attempt; or the API refuses the
                code or the client.
            CallError: the API fails.
        """
        code = oauth.code_of(attempt, answer)
        target = _target(provider, new)
        request = oauth.exchange_code(provider, self._clients.get(provider), target.config, attempt, code)
        token = token_of(await self._allowed(target, request))
        return self._answered(provider, new, Credentials(type="OAUTH2"), token)

    async def make(self, provider: Provider, new: NewConnection, given: Credentials) -> Connection:
        """A connection of credentials that need no browser: what a person entered, or a token set.

        A token is got where that is the credentials' way, or where the set does not say what a token answer
        would.

        Raises:
            NotConnected: the API refuses the credentials.
            CallError: the API fails.
            UsageError: the credentials or the configuration lack something, or are not what they must be.
        """
        given = _as_declared(provider, given)
        config = {**captured(provider, given.raw), **new.config}
        lost = given.type == "OAUTH2" and not _reaches(provider, config)
        if not lost or given.refresh_token:
            check_complete(provider.connection_config, config, "config")
        if given.type in BY_GRANT or (lost and given.refresh_token):
            target = _target(provider, new)
            client = self._clients.of(provider, given.values)
            request = oauth.renew(provider, client, target.config, given)
            return self._answered(provider, new, given, token_of(await self._allowed(target, request)))
        if lost:
            fields = provider.connection_config.values()
            name = next((one.name for one in fields if one.default is None and one.name not in config), "url")
            raise UsageError(
                f"neither the token set nor the config says where the API is: `{name}` is missing",
                hint=f"add it to the set, or give it with --config {name}=…",
            )
        return self._made(provider, msgspec.structs.replace(new, config=config), given)

    def keep(self, provider: Provider, new: NewConnection, credentials: Credentials) -> Connection:
        """Stores a connection as it is given, without asking anybody; one of the same id is replaced."""
        return self._store.connections.save(self._made(provider, new, credentials))

    def _made(self, provider: Provider, new: NewConnection, credentials: Credentials) -> Connection:
        sealed, key_id = seal(self._vault, credentials, provider.name, new.id)
        return Connection(
            integration=provider.name,
            provider=provider.name,
            auth=credentials.type,
            sealed=sealed,
            key_id=key_id,
            **msgspec.structs.asdict(new),
        )

    async def _allowed(self, target: Target, request: Outgoing) -> Answer:
        try:
            return await self._ask(target, request)
        except CallError as exc:
            if exc.kind not in ("auth", "needs_reconnect"):
                raise
            raise NotConnected(exc.message, hint=exc.hint) from exc

    def _answered(
        self, provider: Provider, new: NewConnection, held: Credentials, token: Mapping[str, object]
    ) -> Connection:
        credentials = from_token_answer(token, held, provider.token.lifetime, self._clock())
        config = {**new.config, **captured(provider, token)}
        return self._made(provider, msgspec.structs.replace(new, config=config), credentials)


def _as_declared(provider: Provider, given: Credentials) -> Credentials:
    """What a person entered, held against what the provider says of it; what OAuth has is not entered."""
    fields = provider.credentials
    if given.type not in _ENTERED or not fields:
        return given
    spare = {name: field.default for name, field in fields.items() if field.default is not None}
    values = {**spare, **entered(fields, given.values, "credential")}
    check_complete(fields, values, "credential")
    return msgspec.structs.replace(given, values=values)


def _target(provider: Provider, new: NewConnection) -> Target:
    config = with_defaults(provider, new.config)
    return Target(provider=provider, config=config, allow_local=new.allow_local)


def _captures(provider: Provider) -> list[str]:
    return [field.name for field in provider.connection_config.values() if field.captured is not None]


def _reaches(provider: Provider, config: Mapping[str, object]) -> bool:
    """Whether the base URL can be told from the config."""
    try:
        found = provider.base_url.evaluate({"config": with_defaults(provider, config)})
    except ExpressionError:
        return False
    return not is_nothing(found) and found != ""
