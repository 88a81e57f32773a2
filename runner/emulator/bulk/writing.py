"""Carries out an upload: each record created, changed or deleted, and what became of it told."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from runner.emulator.bulk import uploads
from runner.emulator.bulk.job import DELETES, Job
from runner.emulator.bulk.outcomes import told
from runner.emulator.bulk.task import BatchFailed, Task
from runner.emulator.errors import ApiError
from runner.emulator.lookups import Lookup, lookup
from runner.emulator.schema import Field, Kind, ObjectType, Schema
from runner.emulator.values import Unfit
from runner.emulator.writer import Outcome, Values, Writer

#: records that are written together
CHUNK = 200
#: the most records of a batch of Bulk API 1.0
MAX_RECORDS = 10_000

#: what each name of an upload stands for: a field of the schema, or a reference
Meanings = dict[str, str | Lookup]

_OPERATIONS: dict[str, Callable[[Writer, Values], Outcome]] = {
    "insert": Writer.insert,
    "update": Writer.update,
    "upsert": Writer.upsert,
    "delete": Writer.delete,
    "hardDelete": Writer.erase,
}
_XSD = {Kind.BOOLEAN: "boolean", Kind.INT: "int", Kind.DATE: "date", Kind.DATETIME: "dateTime"}


def apply(task: Task) -> None:
    """Raises BatchFailed, Stopped."""
    rows = uploads.read(task.file("request"), task.job)
    write = _writing(task)
    done = failed = 0
    with told(task) as tell:
        while chunk := list(islice(rows, CHUNK)):
            task.check()
            with task.database.atomic():
                outcomes = [write(row.values) for row in chunk]
            for row, outcome in zip(chunk, outcomes, strict=True):
                tell(row, outcome)
                failed += outcome.problem is not None
            done += len(chunk)
            task.progress(done, failed)


def _writing(task: Task) -> Callable[[Values], Outcome]:
    schema, job = task.database.visible, task.job
    item = schema.objects[job.object]
    key = item.field(job.external_id or "Id")
    names = uploads.names(task.file("request"), job)
    _check_size(task)
    meanings = _meanings(schema, item, names)
    if names:
        _check_names(job, key, {meaning for meaning in meanings.values() if isinstance(meaning, str)})
    writer, operation = Writer(task.records, item, job.user_id, key), _OPERATIONS[job.operation]

    def write(said: Values) -> Outcome:
        try:
            return operation(writer, _values(meanings, said))
        except ApiError as exc:
            return Outcome(str(said.get("Id") or ""), False, _in_bulk(exc, names))

    return write


def _check_size(task: Task) -> None:
    if task.job.type == "Classic":
        count = sum(1 for _ in uploads.read(task.file("request"), task.job))
        if count > MAX_RECORDS:
            raise BatchFailed(f"InvalidBatch : Too many records: {count}; a batch may have {MAX_RECORDS}")


def _meanings(schema: Schema, item: ObjectType, names: list[str]) -> Meanings:
    meanings: Meanings = {}
    for name in names:
        field = item.field(name)
        meaning = field.name if field is not None else lookup(schema, item, name)
        if meaning is None:
            raise BatchFailed(f"InvalidBatch : Field name not found : {name}")
        meanings[name] = meaning
    return meanings


def _check_names(job: Job, key: Field | None, fields: set[str]) -> None:
    if job.operation in DELETES and fields > {"Id"}:
        raise BatchFailed(f"InvalidBatch : The '{job.operation}' batch must contain only ids")
    if job.operation != "insert" and key is not None and key.name not in fields:
        raise BatchFailed(f"InvalidBatch : Field name not found : {key.name}")


def _values(meanings: Meanings, said: Values) -> Values:
    """A record by the names of the schema."""
    values: dict[str, object] = {}
    for name, value in said.items():
        meaning = meanings[name]
        field, value = (meaning, value) if isinstance(meaning, str) else meaning.said(value)
        values[field] = value
    return values


def _in_bulk(exc: ApiError, names: list[str]) -> ApiError:
    """A problem as the Bulk API words it."""
    if isinstance(exc, Unfit):
        places = {name.lower(): place for place, name in enumerate(names)}
        column = places.get(exc.field.name.lower(), 0)
        kind = _XSD.get(exc.field.kind, "double")
        message = f"Failed to deserialize field at col {column}. Due to, '{exc.value}' is not a valid value"
        return ApiError("INVALID_FIELD", f"{message} for the type xsd:{kind}", fields=[exc.field.name])
    if exc.code == "NOT_FOUND":
        return ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[])
    return exc
