"""`terapi plan`"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from runner.cli.completing import sync_names
from runner.cli.main import app_of
from runner.cli.options import connection_option, json_option
from runner.cli.output import echo_json

if TYPE_CHECKING:
    from runner.definitions.comparing import Change
    from runner.sync.forecast import Forecast

#: characters of what is written that a person is shown
_SHOWN = 50
_MARKS = {"added": "+", "removed": "-", "retyped": "~", "changed": "~"}


@click.command(epilog="Example: terapi plan contacts --check")
@click.argument("syncs", nargs=-1, metavar="[SYNC]...", shell_complete=sync_names)
@click.option("--check", is_flag=True, help="Exit 1 where the next run of one would not just go on.")
@connection_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, syncs: tuple[str, ...], check: bool, connection: str | None, as_json: bool
) -> int:
    """Say what changed definitions will do: what differs, what is read anew.

    Every sync by default, for every connection. Holds the definitions against what the last run of each was
    made by; calls no API and changes nothing.
    """
    from runner.sync.forecast import forecasts

    app = app_of(ctx)
    project = app.project
    found = forecasts(project, app.store_if_there, syncs, connection)
    if as_json:
        echo_json([one.as_data() for one in found])
    else:
        for one in found:
            click.echo("\n".join(_lines(one)))
    return 1 if check and any(one.status != "unchanged" for one in found) else 0


def _lines(one: Forecast) -> Iterator[str]:
    place = f" ({one.connection})" if one.connection is not None else ""
    yield f"{one.sync}{place}: {_told(one)}"
    for change in one.changes or ():
        yield f"  {_MARKS[change.change]} {change.key}{_difference(change)}"


def _told(one: Forecast) -> str:
    if one.status == "gone":
        return f"no longer defined; {one.records or 0:,} records of {one.model} stay as they are"
    if one.status == "new":
        without = "" if one.connection is not None else ", and there is no connection for it"
        return f"has not run yet{without}; the first run reads everything"
    if one.changes is None:
        return f"changed, in what is not known; {_next(one)}"
    return f"{one.status}; {_next(one)}"


def _next(one: Forecast) -> str:
    """What the next run does."""
    if one.unfinished:
        return "the next run ends the one that was cut short"
    if not one.full:
        since = one.checkpoint if one.checkpoint is not None else "the last one"
        return f"the next run reads what changed since {since}"
    cost = f": about {one.records or 0:,} records"
    if one.requests is not None and one.seconds is not None:
        took = f"{one.seconds:,.0f} s" if one.seconds >= 1 else "under a second"
        cost += f", {one.requests:,} requests, {took}"
    return f"the next run reads everything{cost}"


def _difference(change: Change) -> str:
    if change.change == "retyped":
        return f": {change.before} → {change.after}"
    written = {"added": [change.after], "removed": []}.get(change.change, [change.before, change.after])
    shown = [_short(one) for one in written]
    return f": {' → '.join(shown)}" if shown and all(len(one) <= _SHOWN for one in shown) else ""


def _short(value: object) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
