"""The syncs that one definition stands for: one for each combination of its matrix, and for each variant."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar, cast

import msgspec
import orjson

from runner.calls.client import Client
from runner.definitions.model import Axis, Fixed, Matrix, Sync, Value
from runner.definitions.model.matrix import BASE, VARIANT, cell_name, is_meant, misnamed
from runner.definitions.values import describe, is_nothing
from runner.definitions.words import did_you_mean, there_are
from runner.errors import ExpressionError, RunFailed, StoreError, TerapiError, UsageError
from runner.store import NewRun, Store
from runner.sync.params import params_of
from runner.sync.reading import arguments

T = TypeVar("T")
S = TypeVar("S")

#: syncs that one definition stands for at the most
MOST = 5_000
#: syncs of a definition without a matrix that run at once: it has several where somebody made variants
_AT_ONCE = 4
#: names that a message lists
_LISTED = 20


class Expansion(NamedTuple):
    """What a definition stands for just now."""

    syncs: list[Sync]
    #: names of those that have run before and are no more, where they were not told yet
    gone: list[str]


class Cell(msgspec.Struct, frozen=True):
    """A combination while its axes are gone through, each with the name and the value that it has there."""

    names: Mapping[str, str] = {}
    values: Mapping[str, object] = {}

    def at(self, axis: str, name: str, value: object) -> Cell:
        return Cell({**self.names, axis: name}, {**self.values, axis: value})

    @property
    def variant(self) -> str:
        return self.names.get(VARIANT, BASE)


async def expanded(sync: Sync, client: Client, store: Store) -> list[Sync]:
    """The syncs that a definition stands for on a connection; itself alone where it has no matrix.

    Variants that somebody made stand beside those of the matrix, or beside the base.

    Raises:
        UsageError: the connection's params do not fit, or there are too many.
        ExpressionError: an axis gives no list, or a value that cannot be a name.
        CallError: its operation failed.
    """
    place = client.connection
    made = store.variants.of(place.integration, place.id, sync.name)
    if sync.matrix is not None:
        return await _Expanding(sync, sync.matrix, client, made).syncs()
    return [sync, *(_variant(sync, name) for name in made)]


def _variant(sync: Sync, variant: str) -> Sync:
    name = cell_name(sync.name, {VARIANT: variant})
    return msgspec.structs.replace(sync, name=name, variant=variant)


def names_of(sync: Sync, made: Sequence[str]) -> list[str]:
    """The names that together mean all that a definition stands for.

    Args:
        made: the variants that somebody made of it.
    """
    further = () if sync.matrix is not None else made
    return [sync.name, *(cell_name(sync.name, {VARIANT: variant}) for variant in further)]


def meant(sync: Sync, syncs: Sequence[Sync], wanted: str | None) -> list[Sync]:
    """Those of a definition's syncs that a name means.

    Args:
        wanted: the definition's own name means all of its matrix; where it has none, itself without the
            variants that somebody made. None for all.

    Raises:
        UsageError: none has that name.
    """
    if wanted is None or (wanted == sync.name and sync.matrix is not None):
        return list(syncs)
    name = f"{wanted}::{BASE}" if wanted == sync.name else wanted
    found = [one for one in syncs if is_meant(name, one.name)]
    if not found:
        names = [one.name for one in syncs]
        listed = there_are(names) if len(names) <= _LISTED else f"it stands for {len(names):,} syncs just now"
        hint = did_you_mean(wanted, names, listed)
        raise UsageError(f"`{sync.name}` has no `{wanted}`", where=sync.place, hint=hint)
    return found


async def expanded_to_run(sync: Sync, client: Client, store: Store, wanted: str | None = None) -> Expansion:
    """As `expanded`, for a run of those that a name means; what cannot be expanded is kept as a failed run.

    Raises:
        TerapiError: see `expanded` and `meant`.
    """
    try:
        syncs = await expanded(sync, client, store)
    except TerapiError:
        place = client.connection
        new = NewRun(
            kind="sync", name=wanted or sync.name, integration=place.integration, connection=place.id
        )
        with store.runs.begin(new):
            raise
    return Expansion(meant(sync, syncs, wanted), _note_gone(sync, syncs, client, store))


def _note_gone(sync: Sync, syncs: Sequence[Sync], client: Client, store: Store) -> list[str]:
    """The syncs of a definition that have run and are no more, each told once: what they stored stays."""
    place, there = client.connection, {one.name for one in syncs}
    names = store.states.names(place.integration, place.id, sync.name)
    gone = [name for name in names if name not in there]
    return store.states.vanish(place.integration, place.id, gone) if gone else []


def at_once(sync: Sync) -> int:
    """How many syncs of a definition run at once."""
    return sync.matrix.concurrency if sync.matrix is not None else _AT_ONCE


async def some_at_once(items: Sequence[S], run: Callable[[S], Awaitable[T]], limit: int) -> list[T]:
    """What ``run`` gives for each item, in their order; it is begun in their order, too."""
    gate = asyncio.Semaphore(limit)

    async def one(item: S) -> T:
        async with gate:
            return await run(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


async def all_of(syncs: Sequence[Sync], run: Callable[[Sync], Awaitable[T]], limit: int) -> list[T]:
    """As `some_at_once`, for syncs: one that fails keeps no other from running.

    Raises:
        TerapiError: the failure of the only one, or that several have run and which of them failed; transient
            where another try can help.
        StoreError: the state cannot be written: nothing goes on then.
    """
    failures: dict[str, TerapiError] = {}

    async def one(sync: Sync) -> T | None:
        try:
            return await run(sync)
        except StoreError:
            raise
        except TerapiError as exc:
            failures[sync.name] = exc
            return None

    found = await some_at_once(syncs, one, limit)
    if failures:
        raise _together(failures, len(syncs))
    return cast("list[T]", found)


def _together(failures: Mapping[str, TerapiError], count: int) -> TerapiError:
    first = next(iter(failures.values()))
    if count == 1:
        return first
    told = "; ".join(f"{name}: {one.message}" for name, one in failures.items())
    error = RunFailed(f"{len(failures)} of {count} syncs failed: {told}", hint=first.hint)
    error.transient = any(one.transient for one in failures.values())
    return error


class _Expanding:
    """The combinations of one matrix on one connection."""

    def __init__(self, sync: Sync, matrix: Matrix, client: Client, made: Sequence[str]) -> None:
        self._sync = sync
        self._matrix = matrix
        self._client = client
        self._made = made
        self._scope = {**client.scope(), "params": params_of(sync, client.connection)}
        #: what operations gave, by axis and arguments: each is asked once
        self._given: dict[tuple[str, bytes], object] = {}

    async def syncs(self) -> list[Sync]:
        cells = [Cell()]
        for axis in self._matrix.axes:
            cells = [
                cell.at(axis.axis, name, value)
                for cell in cells
                for name, value in (await self._values(axis, cell)).items()
            ]
            self._check_count(cells)
        if not any(axis.axis == VARIANT for axis in self._matrix.axes) and self._made:
            cells = [cell.at(VARIANT, name, name) for cell in cells for name in (BASE, *self._made)]
        syncs = [self._bound(cell) for cell in cells]
        self._check_apart(syncs)
        return syncs

    async def _values(self, axis: Axis, above: Cell) -> dict[str, object]:
        """The values of an axis by their names, in order."""
        scope = {**self._scope, "matrix": above.values}
        if axis.call is not None:
            scope["result"] = await self._result(axis, scope)
        listed = axis.values.evaluate(scope)
        if not is_nothing(listed) and not isinstance(listed, list | tuple):
            message = f"`{axis.axis}` of the matrix gave {describe(listed)}, expected a list"
            raise ExpressionError(message, where=axis.place)
        found: dict[str, object] = {}
        for item in cast("Sequence[object]", () if is_nothing(listed) else listed):
            inner = {**scope, "item": item}
            if axis.where is None or axis.where.holds(inner):
                self._take(axis, item if axis.name is None else axis.name.evaluate(inner), item, found)
        if axis.axis == VARIANT:
            found |= {name: name for name in self._made if name not in found}
        return found

    def _take(self, axis: Axis, name: object, item: object, found: dict[str, object]) -> None:
        wrong = misnamed(name)
        if wrong is not None:
            hint = "say with `name` what it is called, or leave it out with `where`"
            message = f"`{axis.axis}` of the matrix: {describe(name)} {wrong}"
            raise ExpressionError(message, where=axis.place, hint=hint)
        if str(name) in found:
            message = f"`{axis.axis}` of the matrix has two values called `{name}`"
            raise ExpressionError(message, where=axis.place, hint="say with `name` what each is called")
        found[str(name)] = item

    async def _result(self, axis: Axis, scope: Mapping[str, object]) -> object:
        call = axis.call
        if call is None:
            return None
        given = arguments(call, scope)
        key = axis.axis, orjson.dumps(given, option=orjson.OPT_SORT_KEYS)
        if key not in self._given:
            self._given[key] = await self._client.call(call.operation, given)
        return self._given[key]

    def _bound(self, cell: Cell) -> Sync:
        scope = {**self._scope, "matrix": cell.values, VARIANT: cell.variant}
        return msgspec.structs.replace(
            self._sync,
            name=cell_name(self._sync.name, cell.names),
            model=_text(self._matrix.model, scope),
            matrix=None,
            cell=cell.values,
            variant=cell.variant,
            digest=self._digest(cell),
        )

    def _digest(self, cell: Cell) -> str:
        """Changes with what the file says of a value; what an API or a connection says may come and go."""
        said = [cell.values[axis.axis] for axis in self._matrix.axes if isinstance(axis.values, Fixed)]
        told = [value for value in said if isinstance(value, dict)]
        if not told:
            return self._sync.digest
        content = orjson.dumps([self._sync.digest, told], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(content).hexdigest()[:16]

    def _check_count(self, cells: Sequence[Cell]) -> None:
        if len(cells) > MOST:
            message = (
                f"the matrix of `{self._sync.name}` has {len(cells):,} combinations, and {MOST:,} is the most"
            )
            where = self._matrix.axes[-1].place
            raise UsageError(message, where=where, hint="leave some out with `where`")

    def _check_apart(self, syncs: Sequence[Sync]) -> None:
        """No two of them may delete what they miss of the same records."""
        if self._sync.deletes is None or not self._sync.deletes.missing:
            return
        owners: dict[tuple[str, str], str] = {}
        for one in syncs:
            owner = owners.setdefault((one.model, one.variant), one.name)
            if owner != one.name:
                message = f"`{owner}` and `{one.name}` store {one.model}, and each deletes what it misses"
                hint = "name the axis `variant`, or the model by the matrix"
                raise UsageError(message, where=one.model_place, hint=hint)


def _text(model: Value, scope: Mapping[str, object]) -> str:
    """A model's name; one that is none is refused when its sync runs, and keeps no other from running."""
    found = model.evaluate(scope)
    return found if isinstance(found, str) else describe(found)
