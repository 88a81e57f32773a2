"""Bars as SVG, on a dark ground of their own, so that they can be read on a light page and a dark one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

_GROUND, _INK, _FAINT = "#292929", "#c5c8c6", "#868887"
_COLOURS = ("#98a84b", "#608ab1", "#d0b344", "#cc555a", "#868887")
_WIDTH, _LEFT, _RIGHT, _BAR, _GAP = 960, 380, 150, 18, 22


class Group(NamedTuple):
    """Bars under one heading: name → value, and None where nothing was measured."""

    title: str
    bars: Mapping[str, float | None]


def bars(title: str, unit: str, groups: Sequence[Group]) -> str:
    """An SVG of horizontal bars, each with its value in ``unit``."""
    most = max(value for group in groups for value in group.bars.values() if value)
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    lines, y = [_text(24, 36, title, size=16)], 44
    for group in groups:
        y += _GAP + 8
        lines.append(_text(24, y, group.title, colour=_FAINT))
        y += 8
        for colour, (name, value) in zip(_COLOURS, group.bars.items(), strict=False):
            told = f"{value:,.0f} {unit}" if value else "not measured"
            lines += _bar(y, name, told, (value or 0) * scale, colour)
            y += _BAR + 4
    return "\n".join([_head(y + 24, title), *lines, "</svg>", ""])


def _bar(y: int, name: str, told: str, length: float, colour: str) -> list[str]:
    return [
        _text(_LEFT - 10, y + _BAR - 5, name, anchor="end"),
        f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2" fill="{colour}"/>',
        _text(_LEFT + length + 8, y + _BAR - 5, told),
    ]


def _text(x: float, y: float, text: str, *, size: int = 13, colour: str = _INK, anchor: str = "start") -> str:
    style = f'font-size="{size}" fill="{colour}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y}" {style}>{escape(text)}</text>'


def _head(height: int, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'font-family="Fira Code, monospace" role="img" aria-label="{escape(title)}">\n'
        f'<rect width="{_WIDTH}" height="{height}" rx="8" fill="{_GROUND}"/>'
    )
