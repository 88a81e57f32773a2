"""The steps of a run, drawn as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from runner.definitions.problems import visible

if TYPE_CHECKING:
    from runner.workflow.tree import Node

#: items of a list that are drawn; those that failed or wait are drawn all
_ITEMS = 5
#: seconds that are worth telling
_SHORTEST = 0.05
#: characters of what went in and out in one line
_WIDEST = 100
_SIGNS = {
    "success": "✓", "caught": "✓", "failed": "✗", "skipped": "-", "waiting": "…", "running": "▸",
}  # fmt: skip


def tree_lines(nodes: Sequence[Node], depth: int = 1) -> Iterator[str]:
    """The lines of a tree: each step with its time and tries, and what went in and out."""
    shown, left = _drawn(nodes)
    for node in shown:
        yield from _lines(node, "  " * depth)
        yield from tree_lines(node.steps, depth + 1)
    if left:
        yield f"{'  ' * depth}  … {left:,} more that ended well"


def _drawn(nodes: Sequence[Node]) -> tuple[list[Node], int]:
    """All steps, and of items the first few and those that did not end well."""
    items = [node for node in nodes if node.name.startswith("[")]
    if len(items) <= _ITEMS:
        return list(nodes), 0
    first = {node.path for node in items[:_ITEMS]}
    kept = [node for node in nodes if node not in items or node.path in first or node.status != "success"]
    return kept, len(nodes) - len(kept)


def _lines(node: Node, margin: str) -> Iterator[str]:
    yield f"{margin}{_SIGNS.get(node.status, '?')} {node.name} ({node.step}){_told(node)}"
    if node.waits_for is not None:
        yield f"{margin}    waits for {visible(node.waits_for)}"
    if node.input is not None:
        yield f"{margin}    in   {_short(node.input)}"
    if node.output is not None:
        yield f"{margin}    out  {_short(node.output)}"
    if node.error is not None:
        word = "error" if node.status == "failed" else "met"
        yield f"{margin}    {word:<5}{_short(node.error.get('message'))}"
    if node.repeated:
        yield f"{margin}    was under way when its process ended, and was done again"


def _told(node: Node) -> str:
    parts = []
    if node.finished_at is not None and node.finished_at - node.started_at >= _SHORTEST:
        parts.append(f"{node.finished_at - node.started_at:.1f} s")
    if node.tries > 1:
        parts.append(f"{node.tries} tries")
    if node.run is not None:
        parts.append(f"run {node.run[:8]}")
    return f"  {', '.join(parts)}" if parts else ""


def _short(value: object) -> str:
    from runner.workflow.tree import compact

    shown = visible(compact(value))
    return shown if len(shown) <= _WIDEST else shown[: _WIDEST - 1] + "…"
