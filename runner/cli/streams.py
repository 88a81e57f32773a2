"""Which records a command is about: a model of a connection, in one variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from runner.cli.completing import variants
from runner.definitions.words import did_you_mean, there_are
from runner.errors import NotConnected, UsageError

if TYPE_CHECKING:
    from runner.store import Store, Stream, StreamKey

variant_option = click.option(
    "--variant",
    metavar="NAME",
    shell_complete=variants,
    help="Which variant of the model; may be left out if there is one.",
)


def stream_of(store: Store, model: str, connection: str | None, variant: str | None) -> Stream:
    """The records of a model; connection and variant may be left out where there is one.

    Raises:
        UsageError: nothing is stored of it, or more has to be said.
        NotConnected: there is no such connection.
    """
    streams = store.records.streams(connection=connection)
    there = [key for key in streams if key.model == model]
    fitting = [key for key in there if variant in (None, key.variant)]
    if len(fitting) == 1:
        return store.records.stream(*fitting[0])
    if fitting:
        raise _several(model, fitting)
    if connection is not None and not store.connections.find(connection):
        raise NotConnected(f"there is no connection `{connection}`", hint="terapi connections list")
    if there and variant is not None:
        names = {key.variant for key in there}
        hint = did_you_mean(variant, names, there_are(names))
        raise UsageError(f"nothing is stored of a variant `{variant}` of {model}", hint=hint)
    models = {key.model for key in streams}
    hint = did_you_mean(model, models, there_are(models)) if models else "terapi sync"
    raise UsageError(f"nothing is stored of a model `{model}`", hint=hint)


def _several(model: str, fitting: Sequence[StreamKey]) -> UsageError:
    """What has to be said beside the model."""
    connections = sorted({key.connection for key in fitting})
    if len(connections) > 1:
        names = ", ".join(connections)
        return UsageError(f"several connections have {model}", hint=f"name one with --connection: {names}")
    names = ", ".join(dict.fromkeys(key.variant for key in fitting))
    return UsageError(f"{model} has several variants", hint=f"name one with --variant: {names}")
