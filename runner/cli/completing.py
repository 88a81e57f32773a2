"""What the shell offers when somebody presses Tab: the project's own names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from runner.errors import TerapiError

if TYPE_CHECKING:
    from runner.cli.app import App

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def offering(names: Callable[[App], Iterable[str]]) -> Complete:
    """Offers those of the project's names that begin as what is typed; nothing where there is no project."""

    def complete(ctx: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
        from runner.cli.app import App

        try:
            app = App(ctx.find_root().params.get("folder"))
            return sorted({name for name in names(app) if name.startswith(typed)})
        except TerapiError:
            return []

    return complete


def shipped_names(kind: str) -> Complete:
    """Offers what ships with terapi; kind is `syncs` or `workflows`."""

    def offered(_ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
        from runner.definitions.resources import shipped

        return [name for name in (*shipped(kind), "all") if name.startswith(typed)]

    return offered


def _sync_names(app: App) -> Iterator[str]:
    """Definitions, what they stand for as far as their files say it, and what has run before."""
    for name in app.loaded.syncs:
        matrix = app.loaded.sync(name).matrix
        yield from (name, *(matrix.written_names(name) if matrix is not None else ()))
    with suppress(TerapiError):
        yield from app.store.states.syncs()


sync_names = offering(_sync_names)
workflow_names = offering(lambda app: app.loaded.workflows)
integrations = offering(lambda app: app.loaded.providers)
connection_ids = offering(lambda app: (connection.id for connection in app.store.connections.all()))
models = offering(lambda app: (key.model for key in app.store.records.streams()))
variants = offering(lambda app: (key.variant for key in app.store.records.streams()))
delivery_ids = offering(lambda app: (one.id[:8] for one in app.store.deliveries.newest()))
run_ids = offering(lambda app: (run.id[:8] for run in app.store.runs.newest()))
