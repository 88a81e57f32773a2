"""Which syncs run for which connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from runner.calls.access import Access
from runner.definitions.model import Sync
from runner.definitions.model.matrix import definition_of
from runner.definitions.project import Project
from runner.errors import NotConnected, TerapiError, UsageError
from runner.store import Connection


class Job(NamedTuple):
    """A sync's definition, as the integration of a connection runs it."""

    sync: Sync
    connection: Connection
    #: the name that means some of the syncs that it stands for; None for all of them
    wanted: str | None = None


def chosen(access: Access, names: Sequence[str], id: str | None) -> list[Job]:
    """The syncs of those names, each once; without names all that fit the connection, or every one.

    A name may go beyond its definition's: `objects.Contact`, `contacts::eu`.

    Args:
        id: the connection's; None where each sync has just one that fits it.

    Raises:
        NotConnected: there is no such connection.
        UsageError: a name is unknown, a sync does not run there, several connections fit, or nothing does.
    """
    if names:
        return [_named(access, name, id) for name in dict.fromkeys(names)]
    places = access.store.connections.find(id) if id else access.store.connections.all()
    places = places or [access.connection(id)]
    jobs = [
        Job(sync, place) for place in places for sync in all_of_integration(access.project, place.integration)
    ]
    if not jobs:
        where = ", ".join(sorted({place.integration for place in places}))
        raise UsageError(f"no sync runs on {where}", hint="write one in syncs/: terapi explain sync")
    return jobs


def all_of_integration(project: Project, integration: str) -> list[Sync]:
    """Every sync that runs on an integration, by name; each behind those that store its parents."""
    named = [name for name in project.syncs if integration in project.sync(name).integrations]
    syncs = [project.sync(name, integration) for name in named]
    found: dict[str, Sync] = {}

    def take(sync: Sync, above: frozenset[str]) -> None:
        above |= {sync.name}
        parents = sync.foreach.records if sync.foreach is not None else None
        for other in syncs:
            if parents in other.models and other.name not in above:
                take(other, above)
        found.setdefault(sync.name, sync)

    for sync in syncs:
        take(sync, frozenset())
    return list(found.values())


def _named(access: Access, wanted: str, id: str | None) -> Job:
    name = definition_of(wanted)
    integrations = access.project.sync(name).integrations
    there = access.store.connections.find(id) if id else access.store.connections.all()
    if there and not any(place.integration in integrations for place in there):
        raise _misplaced(name, id, integrations, there)
    place = access.connection(id, integrations)
    return Job(access.project.sync(name, place.integration), place, wanted)


def _misplaced(
    name: str, id: str | None, integrations: Sequence[str], there: Sequence[Connection]
) -> TerapiError:
    runs = " or ".join(integrations)
    if id is None:
        message = f"`{name}` runs on {runs}, and there is no connection to it yet"
        return NotConnected(message, hint=f"terapi connect {integrations[0]} --connection NAME")
    found = ", ".join(place.integration for place in there)
    message = f"`{name}` does not run on {found}, which `{id}` is a connection of"
    return UsageError(message, hint=f"it runs on {runs}")
