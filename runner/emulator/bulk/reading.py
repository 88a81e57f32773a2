"""Carries out a query: what it selects, written into the batch's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence

import orjson

from runner.emulator import clock
from runner.emulator.bulk.files import RowWriter
from runner.emulator.bulk.job import DELIMITERS, LINE_ENDINGS
from runner.emulator.bulk.selection import Table, table
from runner.emulator.bulk.task import BatchFailed, Task
from runner.emulator.bulk.xml_rows import NAMESPACES, xml_record
from runner.emulator.database import Value
from runner.emulator.errors import ApiError
from runner.emulator.schema import Kind
from runner.emulator.soql.compile import Asked

PAGE = 2_000

Record = dict[str, object]


def answer(task: Task) -> None:
    """Raises BatchFailed, Stopped."""
    job = task.job
    asked = Asked(
        text=job.soql or task.file("request").read_text("utf-8", "replace"),
        now=task.clock.now(),
        base_url=f"/services/data/v{job.version}",
        all_rows=job.operation == "queryAll",
    )
    try:
        found = table(asked, task.database.visible, job.version)
        keys = task.database.numbers(
            found.keys_sql, {**found.records.values, "first": task.batch.first, "end": task.batch.end}
        )
        _write(task, found, keys)
    except ApiError as exc:
        raise BatchFailed(explained(exc)) from exc
    except sqlite3.Error as exc:
        raise BatchFailed(f"InvalidBatch : Failed to process query: QUERY_TOO_COMPLICATED: {exc}") from exc


def explained(exc: ApiError) -> str:
    """Why a query cannot be answered, as the state of a batch says it."""
    if exc.code == "FEATURENOTENABLED":
        return f"FeatureNotEnabled : {exc.message.replace(' V2', '')}"
    code = "FUNCTIONALITY_NOT_ENABLED" if exc.code == "API_ERROR" else exc.code
    return f"InvalidBatch : Failed to process query: {code}: {exc.message.strip()}"


def _write(task: Task, found: Table, keys: Sequence[int]) -> None:
    path = task.file("result")
    match task.job.content_type:
        case "CSV":
            form = DELIMITERS[task.job.delimiter], LINE_ENDINGS[task.job.line_ending]
            with RowWriter(path, found.csv_header(*form)) as out:
                for rows in _pages(task, found.csv_sql(*form), found.values, keys):
                    out.write(rows)
        case "JSON":
            with path.open("wb") as file:
                separator = b"["
                for record in _records(task, found, keys):
                    file.write(separator + orjson.dumps(_with_dates(record, found, _ms)))
                    separator = b",\n"
                file.write(b"]" if keys else b"[]")
        case "XML":
            with path.open("wb") as file:
                file.write(b'<?xml version="1.0" encoding="UTF-8"?>\n<queryResult %b>' % NAMESPACES.encode())
                for record in _records(task, found, keys):
                    file.write(xml_record("records", _with_dates(record, found, _zulu)))
                file.write(b"</queryResult>")


def _records(task: Task, found: Table, keys: Sequence[int]) -> Iterator[Record]:
    for rows in _pages(task, found.records.page_sql, found.records.values, keys):
        yield from orjson.loads(b"[" + b",".join(rows) + b"]")


def _pages(task: Task, sql: str, values: dict[str, Value], keys: Sequence[int]) -> Iterator[list[bytes]]:
    for start in range(0, len(keys), PAGE):
        task.check()
        wanted = "[" + ",".join(map(str, keys[start : start + PAGE])) + "]"
        yield task.database.blobs(sql, {**values, "keys": wanted})
        task.progress(min(start + PAGE, len(keys)), 0)


def _with_dates(record: Record, found: Table, write: Callable[[str], object]) -> Record:
    """The record, its dates and datetimes written anew."""
    for column in found.columns:
        if column.kind not in (Kind.DATE, Kind.DATETIME):
            continue
        holder: object = record
        for parent in column.parents:
            holder = holder.get(parent) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and holder.get(column.name) is not None:
            holder[column.name] = write(str(holder[column.name]))
    return record


def _ms(text: str) -> int:
    """Milliseconds since 1970, which is how Bulk API 1.0 has dates in JSON."""
    return int(clock.read(text).timestamp() * 1000)


def _zulu(text: str) -> str:
    return text.replace("+0000", "Z")
