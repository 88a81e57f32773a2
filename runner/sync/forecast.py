"""What the next run of a sync will do, told by the store alone: what its definition changes, what is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from runner.definitions.comparing import Change, compared
from runner.definitions.model import Sync
from runner.definitions.model.matrix import definition_of, is_meant
from runner.definitions.project import Project
from runner.definitions.words import did_you_mean, there_are
from runner.errors import NotConnected, UsageError
from runner.store import BASE, Connection, Store, SyncKey, SyncState


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What is to come of one sync for one connection; the JSON of `terapi plan --json`."""

    sync: str
    integration: str
    #: None where there is none yet
    connection: str | None
    model: str
    #: new: it has not run yet; gone: no definition is called so any more
    status: Literal["new", "unchanged", "changed", "gone"]
    #: whether the next run reads everything
    full: bool
    #: whether the run before was cut short, so that the next one ends it
    unfinished: bool = False
    #: from where it reads, where it does not
    checkpoint: str | int | float | None = None
    #: None with `changed` where it is not known what the definition was
    changes: Sequence[Change] | None = ()
    #: how many are stored; None where they are not read anew
    records: int | None = None
    #: about what reading that many takes, by the largest run that is kept; None where there is none
    requests: int | None = None
    seconds: float | None = None

    def as_data(self) -> dict[str, object]:
        data: dict[str, object] = msgspec.to_builtins(self)
        return data


def forecasts(project: Project, store: Store | None, names: Sequence[str], id: str | None) -> list[Forecast]:
    """What is to come of some syncs, or of all; of those that are gone, too, where all are asked for.

    Args:
        store: None where nothing is stored yet.
        id: the connection's; None for every one.

    Raises:
        UsageError: there is no such sync, or it does not run on that connection.
        NotConnected: there is no such connection.
    """
    places = _places(store, id)
    telling = _Telling(project, store, places)
    found = [
        one
        for name in dict.fromkeys(names or project.syncs)
        for one in _meant(name, list(telling.of_definition(definition_of(name))))
    ]
    if id is not None and names:
        _check_placed(project, found, id, places)
    if not names:
        found += telling.gone()
    return [one for one in found if id is None or one.connection is not None]


def _meant(name: str, found: Sequence[Forecast]) -> Sequence[Forecast]:
    """Those of a definition's forecasts that a name means."""
    if name == definition_of(name):
        return found
    named = [one for one in found if is_meant(name, one.sync)]
    if not named:
        known = [one.sync for one in found]
        message = f"`{definition_of(name)}` has no `{name}` that has run"
        raise UsageError(message, hint=did_you_mean(name, known, there_are(known)))
    return named


def _check_placed(project: Project, found: Sequence[Forecast], id: str, places: Sequence[Connection]) -> None:
    """Refuses a sync that does not run on the connection that was asked for."""
    for one in found:
        if one.connection is None:
            where = ", ".join(sorted({place.integration for place in places}))
            message = f"`{one.sync}` does not run on {where}, which `{id}` is a connection of"
            runs = " or ".join(project.sync(one.sync).integrations)
            raise UsageError(message, hint=f"it runs on {runs}")


def _places(store: Store | None, id: str | None) -> list[Connection]:
    every = store.connections.all() if store is not None else []
    found = [place for place in every if id in (None, place.id)]
    if id is not None and not found:
        known = [place.id for place in every]
        raise NotConnected(f"there is no connection `{id}`", hint=did_you_mean(id, known, there_are(known)))
    return found


class _Telling:
    """What is to come of the definitions of a project for some connections."""

    def __init__(self, project: Project, store: Store | None, places: Sequence[Connection]) -> None:
        self._project = project
        self._store = store
        self._places = places
        #: what has run: by connection and definition, then by name
        self._kept: dict[tuple[str, str, str], dict[str, list[SyncKey]]] = {}
        for key in store.states.all() if store is not None else ():
            names = self._kept.setdefault((key.integration, key.connection, definition_of(key.sync)), {})
            names.setdefault(key.sync, []).append(key)

    def of_definition(self, name: str) -> Iterator[Forecast]:
        sync = self._project.sync(name)
        fitting = [place for place in self._places if place.integration in sync.integrations]
        if self._store is None or not fitting:
            yield _new(sync, None)
            return
        for place in fitting:
            bound = self._project.sync(name, place.integration)
            kept = self._kept.get((place.integration, place.id, name), {})
            yield from _of_connection(bound, place, kept, self._store)

    def gone(self) -> Iterator[Forecast]:
        """Of the syncs that have run there and that no definition stands for any more."""
        defined = set(self._project.syncs)
        there = {(place.integration, place.id) for place in self._places}
        for (integration, connection, definition), names in self._kept.items():
            if self._store is not None and definition not in defined and (integration, connection) in there:
                yield from (_gone_one(key, self._store) for keys in names.values() for key in keys)


def _of_connection(
    sync: Sync, place: Connection, kept: Mapping[str, list[SyncKey]], store: Store
) -> Iterator[Forecast]:
    """Of each sync that a definition stands for, as far as its file or its runs tell of it.

    Args:
        kept: those that have run, by name.
    """
    written = sync.matrix.written_names(sync.name) if sync.matrix is not None else [sync.name]
    bases = {name.partition("::")[0] for name in written}
    for name in dict.fromkeys([*written, *kept]):
        if name not in kept:
            yield _new(msgspec.structs.replace(sync, name=name), place)
        elif written and name.partition("::")[0] not in bases:
            yield _gone_one(kept[name][-1], store)
        else:
            yield _Forecasting(sync, store, kept[name]).told()
    if not written and not kept:
        yield _new(sync, place)


def _gone_one(key: SyncKey, store: Store) -> Forecast:
    return Forecast(
        sync=key.sync, integration=key.integration, connection=key.connection, model=key.model,
        status="gone", full=False, records=_stored(store, key),
    )  # fmt: skip


def _new(sync: Sync, place: Connection | None) -> Forecast:
    return Forecast(
        sync=sync.name,
        integration=place.integration if place is not None else sync.integrations[0],
        connection=place.id if place is not None else None,
        model=sync.model,
        status="new",
        full=True,
    )


class _Forecasting:
    """One sync that has run.

    Args:
        keys: those that it is kept under, one for each model that it has had; the last one was kept last.
    """

    def __init__(self, sync: Sync, store: Store, keys: Sequence[SyncKey]) -> None:
        self._sync = sync
        self._store = store
        # The models of a matrix may be known when it runs alone.
        own = [key for key in keys if key.model in sync.models] if sync.models else keys
        self._key = own[-1] if own else keys[-1]
        self._model = sync.model if sync.matrix is None or not own else self._key.model
        self._state = store.states.get(self._key)

    def told(self) -> Forecast:
        changes = self._changes()
        changed = changes is None or bool(changes)
        state = SyncState() if changed else self._state
        full = self._reads_everything(state)
        # Counting takes its time where much is stored.
        records = _stored(self._store, self._key) if full else None
        requests, seconds = self._cost(records) if records is not None else (None, None)
        return Forecast(
            sync=self._key.sync,
            integration=self._key.integration,
            connection=self._key.connection,
            model=self._model,
            status="changed" if changed else "unchanged",
            full=full,
            unfinished=state.progress is not None,
            checkpoint=None if full else state.checkpoint,
            changes=changes,
            records=records,
            requests=requests,
            seconds=seconds,
        )

    def _reads_everything(self, state: SyncState) -> bool:
        if self._sync.incremental is None or state.progress is not None:
            return self._sync.incremental is None
        # With `foreach` each parent has a checkpoint of its own.
        reached = state.checkpoint if self._sync.foreach is None else state.last_run
        return reached is None

    def _changes(self) -> list[Change] | None:
        """What differs from the definition that stored what is there; None where that is not known."""
        found: list[Change] = []
        if self._key.model != self._model:
            found = [Change(change="changed", key="model", before=self._key.model, after=self._model)]
        if self._state.digest == self._sync.digest:
            return found
        before = self._store.outlines.get(self._state.digest)
        return None if before is None else [*found, *compared(before, self._sync.outline)]

    def _cost(self, records: int) -> tuple[int | None, float | None]:
        """Requests and seconds, in proportion to the records."""
        key = self._key
        largest = self._store.runs.largest(key.integration, key.connection, key.sync)
        output = largest.output if largest is not None else None
        if not isinstance(output, Mapping) or not output.get("read"):
            return None, None
        share = records / int(output["read"])
        return max(1, round(int(output["requests"]) * share)), round(float(output["seconds"]) * share, 1)


def _stored(store: Store, key: SyncKey) -> int:
    variant = key.sync.partition("::")[2] or BASE
    counts = store.records.stream(key.integration, key.connection, key.model, variant).count()
    return counts["added"] + counts["updated"]
