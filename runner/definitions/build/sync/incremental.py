"""How a sync reads only what changed, and how a long range is cut."""

from __future__ import annotations

from typing import cast

from runner.definitions import yaml
from runner.definitions.build.keys import below, data, mapping, seconds, text
from runner.definitions.build.sync.known import Known
from runner.definitions.conversions import instant
from runner.definitions.model import Incremental, Slices


def read_incremental(known: Known) -> Incremental | None:
    node = below(known.node, "incremental")
    if not node.entries:
        return None
    start = data(node, "start", cast("str | int | None", None))
    kind = "token" if "token" in node.entries else text(node, "type", "timestamp")
    if start is not None:
        _check_start(known, node, start, kind)
    return Incremental(
        cursor=known.reader.optional(node, "cursor", known.record),
        type=kind,
        lookback=seconds(node, "lookback", 0.0),
        start=start,
        slices=_slices(known, node, kind),
    )


def _slices(known: Known, incremental: yaml.Mapping, kind: str) -> Slices | None:
    node, size = below(incremental, "slices"), below(below(incremental, "slices"), "size")
    if not node.entries:
        return None
    if kind == "number":
        message = "`slices` cuts time, and the cursor here is a number"
        known.reader.problem(incremental.keys["slices"], message, "slices", "remove it")
    return Slices(
        by=seconds(node, "by", 0.0) or None,
        size=known.call(size) if size.entries else None,
        total=known.reader.optional(size, "total", {**known.base, "result": None}),
        most=data(node, "most", 50_000),
        concurrency=data(node, "concurrency", 4),
    )


def _check_start(known: Known, node: yaml.Mapping, start: object, kind: str) -> None:
    place = node.entries["start"]
    if kind == "timestamp":
        try:
            instant(start)
        except ValueError as exc:
            known.reader.problem(place, str(exc), "start")
    elif kind == "number" and not isinstance(start, int):
        known.reader.problem(place, "`start` must be a number where the cursor is one", "start")


def check_tokens(known: Known) -> None:
    """Of a sync that goes on from tokens, each `fetch` must give them."""
    node = known.node.entries["fetch"]
    for call in map(mapping, node.items if isinstance(node, yaml.Sequence) else [node]):
        operation = known.provider.operations.get(text(call, "use"))
        if operation is not None and operation.checkpoint is None:
            message = f"`{operation.name}` gives no `checkpoint`, which `token` needs"
            mend = (
                "say in the operation where its answer has it: terapi explain provider.operations.checkpoint"
            )
            known.reader.problem(call.entries["use"], message, "token", mend)
