"""The records that were uploaded, one by one: from CSV, JSON or XML."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import msgspec
import orjson

from runner.emulator.bulk.job import DELIMITERS, LINE_ENDINGS, Job
from runner.emulator.bulk.task import BatchFailed
from runner.emulator.bulk.xml_rows import values as xml_values
from runner.emulator.xml import InvalidXml, parse

#: what a cell says to empty a field; an empty one leaves it as it is
NULL = "#N/A"

Values = dict[str, object]


class Row(msgspec.Struct, frozen=True):
    """A record of an upload."""

    #: what it says of its fields; a field of a parent is `Account.External_Id__c`
    values: Values
    #: a line of CSV, cell by cell
    cells: list[str] = []


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """An upload of CSV; ``rows`` raises BatchFailed where a line does not fit the header."""

    header: list[str]
    #: the header as it was sent, with the end of its line
    line: str
    rows: Iterator[list[str]]


def read(path: Path, job: Job) -> Iterator[Row]:
    """Raises BatchFailed where the upload as a whole, or a line, is not what it is said to be."""
    match job.content_type:
        case "CSV":
            with open_text(path) as file:
                table = read_table(file, job)
                for cells in table.rows:
                    yield Row(_said(table.header, cells), cells)
        case "JSON":
            yield from (Row(_flat(record)) for record in _json(path.read_bytes()))
        case "XML":
            yield from (Row(_flat(record)) for record in _xml(path.read_bytes()))


def names(path: Path, job: Job) -> list[str]:
    """The names of all fields that the upload speaks of. Raises BatchFailed."""
    if job.content_type == "CSV":
        with open_text(path) as file:
            return read_table(file, job).header
    return list(dict.fromkeys(name for row in read(path, job) for name in row.values))


def open_text(path: Path, errors: str = "strict") -> TextIO:
    """Lines end as they do in the file."""
    return path.open(encoding="utf-8-sig", newline="", errors=errors)


def read_table(file: TextIO, job: Job) -> Table:
    """RFC 4180, with the delimiter and the ends of lines that the job names.

    Bulk API 1.0 takes either end of a line.
    """
    ending = LINE_ENDINGS[job.line_ending]
    try:
        line = file.readline()
    except UnicodeDecodeError as exc:
        raise _not_utf8() from exc
    if not line.strip():
        raise BatchFailed("InvalidBatch : Unable to parse CSV: there is no header")
    if job.type == "Classic":
        ending = "\r\n" if line.endswith("\r\n") else "\n"
    if line.endswith("\r\n") != (ending == "\r\n") and line.endswith("\n"):
        message = f"LineEnding is invalid on user data. Current LineEnding setting is {job.line_ending}"
        raise BatchFailed(f"ClientInputError : {message}")
    try:
        header = [name.strip() for name in next(csv.reader([line], delimiter=DELIMITERS[job.delimiter]))]
    except csv.Error as exc:
        raise BatchFailed(f"InvalidBatch : Unable to parse CSV: the header: {exc}") from exc
    return Table(header=header, line=line.rstrip("\r\n") + ending, rows=_lines(file, header, job))


def _lines(file: TextIO, header: list[str], job: Job) -> Iterator[list[str]]:
    reader = csv.reader(file, delimiter=DELIMITERS[job.delimiter], strict=True)
    try:
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                message = f"line {reader.line_num + 1} has {len(cells)} columns, the header {len(header)}"
                raise BatchFailed(f"InvalidBatch : Unable to parse CSV: {message}")
            yield cells
    except csv.Error as exc:
        raise BatchFailed(f"InvalidBatch : Unable to parse CSV: line {reader.line_num + 1}: {exc}") from exc
    except UnicodeDecodeError as exc:
        raise _not_utf8() from exc


def _not_utf8() -> BatchFailed:
    return BatchFailed("ClientInputError : Failed to read the data: they are not UTF-8")


def _said(header: list[str], cells: list[str]) -> Values:
    return {
        name: None if cell == NULL else cell for name, cell in zip(header, cells, strict=True) if cell != ""
    }


def _json(body: bytes) -> Iterator[Values]:
    try:
        records = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise BatchFailed(f"InvalidBatch : Unable to parse JSON: {exc}") from exc
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise BatchFailed("InvalidBatch : Unable to parse JSON: the batch must be a list of objects")
    yield from records


def _xml(body: bytes) -> Iterator[Values]:
    try:
        root = parse(body)
    except InvalidXml as exc:
        raise BatchFailed(f"InvalidBatch : {exc}") from exc
    if root.name != "sObjects":
        raise BatchFailed(f"InvalidBatch : Unable to parse the XML: sObjects expected, {root.name} found")
    for element in root.children:
        yield xml_values(element)


def _flat(record: Values) -> Values:
    """A parent's field beside the others, as CSV has it: `Account.Key__c`, `Lead:Who.Key__c`."""
    flat: Values = {}
    for name, value in record.items():
        if isinstance(value, dict) and name != "attributes":
            attributes = value.get("attributes")
            kind = f"{attributes['type']}:" if isinstance(attributes, dict) and "type" in attributes else ""
            flat |= {f"{kind}{name}.{key}": said for key, said in value.items() if key != "attributes"}
        elif name != "attributes":
            flat[name] = value
    return flat
