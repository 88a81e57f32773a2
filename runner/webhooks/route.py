"""To whom a webhook belongs, and what it starts there."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runner.definitions.conversions import text
from runner.definitions.model import Sync, Trigger, WebhookRules, Workflow
from runner.definitions.project import Project
from runner.definitions.values import is_absent, is_nothing
from runner.errors import UsageError
from runner.store import Connection, Delivery, Store, Wanted
from runner.webhooks.incoming import Incoming


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a webhook, and the connections that it belongs to."""

    #: its place in the webhook, from 0
    index: int
    name: str
    #: what its expressions know: event, body, headers, request
    scope: Mapping[str, object]
    connections: tuple[Connection, ...]
    #: why there is no connection
    reason: str = ""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A sync or a workflow that an event starts for a connection."""

    #: the same whenever the same webhook is routed again
    key: str
    bound: Sync | Workflow
    trigger: Trigger
    connection: Connection
    scope: Mapping[str, object]

    @property
    def kind(self) -> str:
        return "sync" if isinstance(self.bound, Sync) else "workflow"

    def input(self) -> dict[str, object]:
        """The workflow's input; what is absent vanishes.

        Raises:
            ExpressionError: a value cannot be computed for this event.
        """
        found = {key: given.evaluate(self.scope) for key, given in self.trigger.input.items()}
        return {key: value for key, value in found.items() if not is_absent(value)}


class Router:
    """Finds what a project does with webhooks."""

    def __init__(self, project: Project, store: Store) -> None:
        self._project = project
        self._store = store

    def rules(self, integration: str) -> WebhookRules:
        """An integration's webhook rules.

        Raises:
            UsageError: there is no such integration, or it takes no webhooks.
        """
        rules = self._project.provider(integration).webhook
        if rules is None:
            raise UsageError(
                f"`{integration}` takes no webhooks",
                hint="say in providers.yaml how one is proved: terapi explain provider.webhook",
            )
        return rules

    def events(self, integration: str, incoming: Incoming) -> list[Event]:
        """The events of a webhook.

        Raises:
            UsageError: the integration takes no webhooks.
            ExpressionError: the webhook is not as the integration's rules expect it.
        """
        rules, scope = self.rules(integration), incoming.scope
        found = scope["body"] if rules.events is None else rules.events.evaluate(scope)
        each = [found] if rules.events is None or not isinstance(found, list | tuple) else found
        return [
            self._event(integration, rules, index, {**scope, "event": one}) for index, one in enumerate(each)
        ]

    def _event(self, integration: str, rules: WebhookRules, index: int, scope: Mapping[str, object]) -> Event:
        found = rules.event.evaluate(scope)
        name = "" if is_nothing(found) else text(found)
        connections, reason = self._connections(integration, rules, scope)
        return Event(index=index, name=name, scope=scope, connections=connections, reason=reason)

    def _connections(
        self, integration: str, rules: WebhookRules, scope: Mapping[str, object]
    ) -> tuple[tuple[Connection, ...], str]:
        """Those that an event belongs to, or why there are none."""
        if rules.connection is not None:
            found = rules.connection.evaluate(scope)
            if is_nothing(found) or found == "":
                return (), "it does not say which connection it belongs to"
            one = self._store.connections.get(integration, text(found))
            return ((one,), "") if one else ((), f"there is no connection `{text(found)}` of {integration}")
        every = self._store.connections.search(Wanted(integrations=[integration]))
        if not rules.where:
            if len(every) == 1:
                return tuple(every), ""
            why = (
                f"there are {len(every)} connections of {integration}" if every else "there is no connection"
            )
            return (), f"{why}, and the provider's `webhook` does not say which of them is meant"
        wanted = {key: given.evaluate(scope) for key, given in rules.where.items()}
        fitting = tuple(one for one in every if _fits(one, wanted))
        return fitting, "" if fitting else f"no connection of {integration} has {_listed(wanted)}"

    def tasks(self, delivery: Delivery, event: Event) -> list[Task]:
        """What an event starts.

        Raises:
            ExpressionError: a `when` cannot be computed for this event.
        """
        return [
            Task(
                key=f"{event.index}:{type(bound).__name__.lower()}:{bound.name}:{connection.id}",
                bound=bound, trigger=trigger, connection=connection, scope=scope,
            )
            for connection in event.connections
            for bound, trigger in self._wanting(delivery.integration, event.name)
            for scope in [{**event.scope, "connection": _named(connection)}]
            if trigger.when is None or trigger.when.holds(scope)
        ]  # fmt: skip

    def _wanting(self, integration: str, event: str) -> list[tuple[Sync | Workflow, Trigger]]:
        """The syncs, then the workflows, that name the event."""
        project = self._project
        syncs = [project.sync(name) for name in project.syncs]
        workflows = [project.workflow(name) for name in project.workflows]
        found: list[Sync | Workflow] = [
            *(project.sync(one.name, integration) for one in syncs if integration in one.integrations),
            *(
                project.workflow(one.name, integration)
                for one in workflows
                if integration in one.integrations
            ),
        ]
        return [(one, one.trigger) for one in found if one.trigger is not None and one.trigger.event == event]


def _named(connection: Connection) -> dict[str, object]:
    metadata = dict(connection.metadata or {})
    return {"id": connection.id, "integration": connection.integration, "metadata": metadata}


def _fits(connection: Connection, wanted: Mapping[str, object]) -> bool:
    places = {"config": connection.config, "metadata": connection.metadata or {}}
    for key, value in wanted.items():
        place, _, name = key.partition(".")
        own = places[place].get(name)
        if is_nothing(value) or own is None or text(own) != text(value):
            return False
    return True


def _listed(wanted: Mapping[str, object]) -> str:
    shown = {key: "none" if is_nothing(value) else text(value) for key, value in wanted.items()}
    return " and ".join(f"{key} {value}" for key, value in shown.items())
