"""The rows of a `foreach` that is a map: read as they are needed, the same ones each time a run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol, cast

import orjson
import xxhash

from runner.definitions.conversions import text
from runner.definitions.formats import RowReader
from runner.definitions.formats.rows import CsvRules
from runner.definitions.model import ReadRecords, Rows, Value
from runner.errors import RunFailed
from runner.store import Stream
from runner.workflow.context import Context

#: bytes that are read of a file at a time
_PIECE = 64 * 1024
#: stored rows that are read at a time
_TOGETHER = 1_000
#: formats by the endings of names
_ENDINGS = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}


class Batch(NamedTuple):
    """Rows that are one item together."""

    rows: list[object]
    #: what leads to the same rows again
    mark: list[str] | None = None


class RowSource(Protocol):
    """Where rows come from."""

    def next(self, size: int, mark: list[str] | None) -> Batch | None:
        """The next rows; None behind the last.

        Args:
            mark: of a batch that an earlier process began, what leads to its rows.
        """


def source_of(rules: Rows, context: Context) -> RowSource:
    """The source of a step's rows.

    What must stay the same while the run lasts is noted with the step.

    Raises:
        RunFailed: the file is not there, may not be read, or is another than before.
    """
    if rules.records is not None:
        return _Stored(rules.records, context)
    return _InFile(rules, cast(Value, rules.file), context)


class _InFile:
    """The rows of a file, in their order."""

    def __init__(self, rules: Rows, file: Value, context: Context) -> None:
        self._path = _allowed(text(file.evaluate(context.scope())), rules, context)
        self._rules = rules
        digest, note = self._digest(), context.entry.note
        if note.setdefault("digest", digest) != digest:
            raise self._refused("is another than when the run began", "run it anew with this one")
        self._rows = self._read()

    def next(self, size: int, mark: list[str] | None) -> Batch | None:
        rows = list(islice(self._rows, size))
        return Batch(rows) if rows else None

    def _digest(self) -> str:
        found = xxhash.xxh3_64()
        try:
            with self._path.open("rb") as file:
                while piece := file.read(_PIECE):
                    found.update(piece)
        except OSError as exc:
            hint = "name a file that this process may read"
            raise self._refused(f"cannot be read: {exc.strerror}", hint) from exc
        return found.hexdigest()

    def _read(self) -> Iterator[object]:
        form = self._rules.format or _ENDINGS.get(self._path.suffix.lower())
        if form is None:
            raise self._refused("has a name that does not tell its format", "say it: `format: csv`")
        reader = RowReader([form], CsvRules(empty="text"))
        try:
            with self._path.open("rb") as file:
                while piece := file.read(_PIECE):
                    yield from reader.feed(piece)
            yield from reader.end()
        except ValueError as exc:
            raise self._refused(f"is not what its format says: {exc}", "mend the file") from exc

    def _refused(self, why: str, hint: str) -> RunFailed:
        return RunFailed(f"{self._path.name} {why}", where=self._rules.place, hint=hint, kind="bad_file")


def _allowed(name: str, rules: Rows, context: Context) -> Path:
    """The file of a name. What comes from afar may name only what lies openly in the project's folder."""
    root = context.running.access.project.root.resolve()
    path = (root / Path(name).expanduser()).resolve()
    inside = path.is_relative_to(root) and not any(
        part.startswith(".") for part in path.relative_to(root).parts
    )
    if not inside and context.running.started_afar:
        hint = "put it into the project's folder, and name it from there"
        raise RunFailed(f"{name} may not be read", where=rules.place, hint=hint, kind="bad_file")
    return path


class _Stored:
    """The records that were stored when the step began, in the order of their keys.

    A batch is known by the keys between which it lies: records that were changed meanwhile are read as they
    are now, those that are not wanted any more are left out, and none moves to another batch.
    """

    def __init__(self, wanted: ReadRecords, context: Context) -> None:
        place = context.client.connection
        store = context.running.access.store
        self._wanted = wanted
        self._scope = context.scope()
        variant = text(wanted.variant.evaluate(self._scope))
        self._stream: Stream = store.records.stream(place.integration, place.id, wanted.model, variant)
        self._until = cast(int, context.entry.note.setdefault("until", self._stream.newest()))
        self._after = ""

    def next(self, size: int, mark: list[str] | None) -> Batch | None:
        after, to = (self._after, None) if mark is None else (mark[0], mark[1])
        rows: list[object] = []
        last = after
        for key, row in self._read(after, to):
            rows.append(row)
            last = key
            if mark is None and len(rows) == size:
                break
        if not rows and mark is None:
            return None
        self._after = last if to is None else to
        return Batch(rows, [after, self._after])

    def _read(self, after: str, to: str | None) -> Iterator[tuple[str, object]]:
        while page := self._stream.between(after=after, to=to, until=self._until, limit=_TOGETHER):
            for record in page:
                if record.state in self._wanted.changes and record.pruned_at is None:
                    row = orjson.loads(record.payload)
                    if self._holds(row):
                        yield record.id, row
            after = page[-1].id

    def _holds(self, row: object) -> bool:
        where = self._wanted.where
        return where is None or where.holds({**self._scope, "record": row})
