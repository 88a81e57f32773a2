"""A webhook taken in: proved, answered where it is a handshake, else stored before it is acknowledged."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from runner.auth.clients import Clients, variable
from runner.definitions.conversions import text
from runner.definitions.model import TokenProof, WebhookRules
from runner.definitions.values import is_nothing
from runner.errors import ExpressionError, NotProved
from runner.store import Arrival, Delivery, Store
from runner.webhooks.incoming import Incoming
from runner.webhooks.route import Router
from runner.webhooks.verify import check

#: headers that carry secrets, or say something of the wire alone
_FORGOTTEN = frozenset({"authorization", "cookie", "proxy-authorization", "connection", "content-length"})


class Handshake(msgspec.Struct, frozen=True):
    """What the API wants to hear before it sends webhooks."""

    body: object


class Kept(msgspec.Struct, frozen=True):
    """A delivery that is on the disk; ``fresh`` is False where it came before."""

    delivery: Delivery
    fresh: bool


class Receiver:
    """Takes webhooks in.

    Args:
        clock: seconds since 1970.
    """

    def __init__(
        self, router: Router, store: Store, clients: Clients, clock: Callable[[], float] = time.time
    ) -> None:
        self._router = router
        self._store = store
        self._clients = clients
        self._clock = clock

    def handshake(self, integration: str, incoming: Incoming) -> Handshake | None:
        """The answer to what is no webhook yet, but the question whether they are taken here.

        Raises:
            UsageError: the integration takes no webhooks.
        """
        return _handshake(self._router.rules(integration), incoming)

    def receive(self, integration: str, incoming: Incoming) -> Kept:
        """One webhook.

        Raises:
            UsageError: the integration takes no webhooks.
            NotProved: it does not prove where it comes from, so nothing of it is kept.
            StoreError: it cannot be kept; the sender should send it again.
        """
        rules = self._router.rules(integration)
        check(rules, self._secret(integration), incoming, self._clock())
        return Kept(*self._store.deliveries.add(self._arrival(integration, rules, incoming)))

    def _secret(self, integration: str) -> str:
        client = self._clients.find(integration)
        if client is None or not client.webhook_secret:
            name = variable(integration, "WEBHOOK_SECRET")
            raise NotProved(
                f"`{integration}` has no webhook secret yet, so that nothing can be proved",
                hint=f"terapi client set {integration} --webhook-secret-stdin, or set {name}",
            )
        return client.webhook_secret

    def _arrival(self, integration: str, rules: WebhookRules, incoming: Incoming) -> Arrival:
        connection, event = self._summary(integration, incoming)
        secret = rules.proof if isinstance(rules.proof, TokenProof) else TokenProof()
        forgotten = {*_FORGOTTEN, (secret.header or "").lower()}
        return Arrival(
            integration=integration,
            headers={name: value for name, value in incoming.headers.items() if name not in forgotten},
            query={name: value for name, value in incoming.query.items() if name != secret.query},
            body=incoming.raw,
            external_id=_own_id(rules, incoming),
            connection=connection,
            event=event,
        )

    def _summary(self, integration: str, incoming: Incoming) -> tuple[str | None, str | None]:
        """The connection and the event, where all that it holds is of one."""
        try:
            events = self._router.events(integration, incoming)
        except ExpressionError:
            return None, None  # told when it is worked through
        names = sorted({event.name for event in events if event.name})
        ids = {connection.id for event in events for connection in event.connections}
        return ids.pop() if len(ids) == 1 else None, ", ".join(names) or None


def _handshake(rules: WebhookRules, incoming: Incoming) -> Handshake | None:
    if rules.respond_when is None or rules.respond_body is None:
        return None
    scope = incoming.scope
    try:
        return Handshake(rules.respond_body.evaluate(scope)) if rules.respond_when.holds(scope) else None
    except ExpressionError:
        return None  # it has not the shape of one


def _own_id(rules: WebhookRules, incoming: Incoming) -> str | None:
    if rules.id is None:
        return None
    try:
        found = rules.id.evaluate(incoming.scope)
    except ExpressionError:
        return None
    return None if is_nothing(found) or found == "" else text(found)
