"""What became of each record of an upload, written as Bulk API 2.0 and 1.0 tell it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TextIO

import orjson

from runner.emulator.bulk.job import DELIMITERS, LINE_ENDINGS
from runner.emulator.bulk.task import Task
from runner.emulator.bulk.uploads import Row, open_text, read_table
from runner.emulator.bulk.xml_rows import NAMESPACES
from runner.emulator.errors import ApiError
from runner.emulator.writer import Outcome
from runner.emulator.xml import DECLARATION, leaf

Tell = Callable[[Row, Outcome], None]


@contextmanager
def told(task: Task) -> Iterator[Tell]:
    """Takes each outcome with its row; all are in their files at the end."""
    telling = _parted if task.job.type != "Classic" else _IN_ORDER[task.job.content_type]
    with telling(task) as tell:
        yield tell


def in_words(problem: ApiError) -> str:
    """`CODE:message:fields --`"""
    fields = ", ".join(problem.fields or ())
    return f"{problem.code}:{problem.message}:{fields + ' ' if fields else ''}--"


@contextmanager
def _parted(task: Task) -> Iterator[Tell]:
    """Bulk API 2.0: what succeeded and what failed, each with its row as it was sent."""
    delimiter, ending = DELIMITERS[task.job.delimiter], LINE_ENDINGS[task.job.line_ending]
    with open_text(task.file("request")) as request:
        header = read_table(request, task.job).line
    with _text(task, "succeeded") as succeeded, _text(task, "failed") as failed:
        succeeded.write(f'"sf__Id"{delimiter}"sf__Created"{delimiter}{header}')
        failed.write(f'"sf__Id"{delimiter}"sf__Error"{delimiter}{header}')
        good, bad = (
            csv.writer(file, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL)
            for file in (succeeded, failed)
        )

        def tell(row: Row, outcome: Outcome) -> None:
            if outcome.problem is None:
                good.writerow([outcome.id, "true" if outcome.created else "false", *row.cells])
            else:
                bad.writerow([outcome.id, in_words(outcome.problem), *row.cells])

        yield tell


@contextmanager
def _csv(task: Task) -> Iterator[Tell]:
    with _text(task, "result") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(["Id", "Success", "Created", "Error"])

        def tell(_row: Row, outcome: Outcome) -> None:
            problem = outcome.problem
            success, created = ("true" if said else "false" for said in (problem is None, outcome.created))
            writer.writerow([outcome.id, success, created, in_words(problem) if problem else ""])

        yield tell


@contextmanager
def _json(task: Task) -> Iterator[Tell]:
    results: list[dict[str, object]] = []
    yield lambda _row, outcome: results.append(_object(outcome))
    task.file("result").write_bytes(orjson.dumps(results))


def _object(outcome: Outcome) -> dict[str, object]:
    problem = outcome.problem
    error = problem and {
        "message": problem.message,
        "fields": list(problem.fields or ()),
        "statusCode": problem.code,
        "extendedErrorDetails": None,
    }
    return {
        "success": problem is None,
        "created": outcome.created,
        "id": outcome.id or None,
        "errors": [error] if error else [],
    }


@contextmanager
def _xml(task: Task) -> Iterator[Tell]:
    with _text(task, "result") as file:
        file.write(f"{DECLARATION}\n<results {NAMESPACES}>")
        yield lambda _row, outcome: _write_xml(file, outcome)
        file.write("</results>")


def _write_xml(file: TextIO, outcome: Outcome) -> None:
    problem = outcome.problem
    error = ""
    if problem is not None:
        fields = "".join(leaf("fields", field) for field in problem.fields or ())
        code = leaf("statusCode", problem.code)
        error = f"<errors>{fields}{leaf('message', problem.message)}{code}</errors>"
    flags = leaf("success", problem is None) + leaf("created", outcome.created)
    file.write(f"<result>{error}{leaf('id', outcome.id or None)}{flags}</result>")


def _text(task: Task, name: Literal["succeeded", "failed", "result"]) -> TextIO:
    return task.file(name).open("w", encoding="utf-8", newline="")


_IN_ORDER = {"CSV": _csv, "JSON": _json, "XML": _xml}
