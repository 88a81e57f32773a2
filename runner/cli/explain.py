"""`terapi explain`"""

from __future__ import annotations

import click

from runner.definitions.explain import explain, reference
from runner.definitions.schema import SchemaBook


@click.command(epilog="Example: terapi explain sync.incremental.cursor")
@click.argument("key", required=False)
@click.option("--all", "everything", is_flag=True, help="Every key, as Markdown.")
def command(key: str | None, everything: bool) -> None:
    """Say what a key of a definition means.

    KEY begins with provider, sync, workflow or test; names that you chose may be left out.
    """
    if everything:
        click.echo(reference(SchemaBook()), nl=False)
        return
    click.echo(explain(key or "sync", SchemaBook()))
