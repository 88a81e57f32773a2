"""Rows written as the text of a format: what `decode` reads, `encode` writes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from runner.definitions.bounds import size, spend
from runner.definitions.conversions import json, text
from runner.definitions.values import describe, is_absent


def encode(rows: object, form: object, delimiter: object = ",", null: object = "") -> str:
    """A list of maps as the text of a format, `csv` or `ndjson`.

    input.contacts | encode('csv', null='#N/A')

    A CSV (RFC 4180) has a column for each key of any row; a row that lacks it leaves it empty.

    Args:
        delimiter: of a CSV.
        null: what stands for null in a CSV.
    """
    if not isinstance(rows, list | tuple):
        raise ValueError(f"`encode` takes a list of maps, found {describe(rows)}")
    for row in rows:
        if not isinstance(row, Mapping):
            raise ValueError(f"`encode` takes a list of maps, found {describe(row)} in it")
    if form == "csv":
        found = _csv(rows, text(delimiter), text(null))
    elif form == "ndjson":
        found = "".join(f"{json(dict(row))}\n" for row in rows)
    else:
        raise ValueError(f"{describe(form)} is no format that `encode` writes; there are csv, ndjson")
    spend(size(found))
    return found


def _csv(rows: Sequence[Mapping[str, object]], delimiter: str, null: str) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    try:
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    except TypeError as exc:
        raise ValueError(f"{delimiter!r} separates no columns") from exc
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row[name], null) if name in row else "" for name in names])
    return out.getvalue()


def _cell(value: object, null: str) -> str:
    if value is None:
        return null
    if is_absent(value):
        return ""
    return value if isinstance(value, str) else text(json(value))
