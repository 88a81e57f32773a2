"""The journal of a run as a tree, for people: each step with its times, its tries, what went in and out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec
import orjson

from runner.store import Run, StepRow, Store
from runner.workflow.journal import json_of

#: characters of what a step gave that are shown
_SHOWN = 4_000
#: a step, and where a part of it stands: an item, a turn, a try, what takes it back
_PART = re.compile(r"[/:\[(^]")
_NUMBER = re.compile(r"\d+")


class Node(msgspec.Struct, kw_only=True):
    """One step of a run, with the steps below it; times are in seconds since 1970."""

    #: what it is called among its neighbours: `account`, `[3]`, `(2)`, `:undo`
    name: str
    path: str
    step: str
    line: int
    status: str
    tries: int = 0
    started_at: float
    finished_at: float | None = None
    input: str | None = None
    output: object = None
    error: Mapping[str, object] | None = None
    repeated: bool = False
    #: what it waits for
    waits_for: str | None = None
    #: the run of the workflow that it called
    run: str | None = None
    steps: list[Node] = []


def tree_of(store: Store, run: Run, mask: Callable[[str], str]) -> list[Node]:
    """The steps of a durable run, and of the runs that it called, as they began.

    Args:
        mask: takes what is secret out of a text.
    """
    nodes: dict[str, Node] = {}
    tops: list[Node] = []
    for row in sorted(store.steps.of(run.id).all(), key=_order):
        above = _above(row.path, nodes)
        node = _node(row, above.path if above is not None else "", mask)
        nodes[row.path] = node
        (tops if above is None else above.steps).append(node)
    for child in store.runs.children(run.id):
        caller = nodes.get(str((child.started_by or {}).get("step")))
        if caller is not None:
            caller.run = child.id
            caller.steps += tree_of(store, child, mask)
    return tops


def _order(row: StepRow) -> tuple[object, ...]:
    """Above before below, then as they began; items by their numbers."""
    numbers = tuple(int(found) for found in _NUMBER.findall(row.path))
    return (row.path.count("/") + len(_PART.findall(row.path)), row.started_at, numbers, row.path)


def _above(path: str, nodes: Mapping[str, Node]) -> Node | None:
    """The nearest step that a step is a part of."""
    for found in reversed(list(_PART.finditer(path))):
        if path[: found.start()] in nodes:
            return nodes[path[: found.start()]]
    return None


def _node(row: StepRow, above: str, mask: Callable[[str], str]) -> Node:
    waits = row.note.get("waits") if row.status == "waiting" else None
    return Node(
        name=row.path.removeprefix(above).removeprefix("/") or row.path,
        path=row.path,
        step=row.kind,
        line=row.line,
        status={"done": "success"}.get(row.status, row.status),
        tries=row.tries,
        started_at=row.started_at,
        finished_at=row.finished_at,
        input=row.shown,
        output=None if row.output is None else _masked(row.output, mask),
        error=row.error,
        repeated=row.repeated,
        waits_for=str(waits) if waits is not None else None,
    )


def _masked(output: bytes, mask: Callable[[str], str]) -> object:
    """What a step gave, without what is secret; a text where it is long."""
    if len(output) > _SHOWN:
        return mask(output[:_SHOWN].decode("utf-8", "ignore")) + "…"
    masked = mask(output.decode())
    try:
        return json_of(masked.encode())
    except ValueError:
        return masked


def waiting(nodes: Iterable[Node]) -> Iterator[Node]:
    """The steps of a tree that wait."""
    for node in nodes:
        if node.status == "waiting":
            yield node
        yield from waiting(node.steps)


def as_data(nodes: Iterable[Node]) -> list[dict[str, object]]:
    """A tree in JSON."""
    return [_data(node) for node in nodes]


def _data(node: Node) -> dict[str, object]:
    found = {name: getattr(node, name) for name in Node.__struct_fields__}
    found["steps"] = as_data(node.steps)
    optional = ("waits_for", "run", "steps", "repeated", "error", "input")
    return {key: value for key, value in found.items() if value or key not in optional}


def compact(value: object) -> str:
    """A value in one line."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
