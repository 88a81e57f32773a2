"""`terapi call`"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import click

from runner.cli.main import app_of
from runner.cli.options import connection_option, json_option, values
from runner.cli.output import echo_json
from runner.cli.progress import Bars
from runner.definitions.words import nearest
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.calls.access import Access
    from runner.calls.client import Client
    from runner.definitions.model import Operation, Provider


@click.command(epilog="Example: terapi call limits --connection demo")
@click.argument("operation")
@click.option(
    "--with",
    "arguments",
    multiple=True,
    metavar="K=V",
    help="A parameter; a value that is JSON is taken as such.",
)
@click.option("--all", "every", is_flag=True, help="All pages, instead of the first.")
@connection_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    operation: str,
    arguments: tuple[str, ...],
    every: bool,
    connection: str | None,
    as_json: bool,
) -> None:
    """Call one operation of a provider.

    Prints what it gives as JSON: of records the first page, or all with `--all`.
    """
    given = values(arguments, "--with")

    async def work(access: Access) -> object:
        place = access.connection(connection)
        found = _operation(access.project.provider(place.integration), operation)
        client = access.client(place)
        if found.records is None or found.output is not None:
            return await client.call(found, _texts(found, given))
        return await _records(client, found, _texts(found, given), every)

    echo_json(app_of(ctx).run(work))


async def _records(
    client: Client, operation: Operation, arguments: dict[str, object], every: bool
) -> list[object]:
    """The records of the first page that has some, or of every one."""
    from runner.calls.client import in_order

    bars, records, whole = Bars(), list[object](), 0
    with bars.bar(operation.name) as bar:
        async with aclosing(client.pages(in_order(operation), arguments)) as pages:
            async for page in pages:
                if page.again:
                    del records[whole:]
                records += page.records
                whole = len(records) if page.whole else whole
                bars.update(bar, len(records))
                if records and not every:
                    break
    return records


def _operation(provider: Provider, name: str) -> Operation:
    if name in provider.operations:
        return provider.operations[name]
    guess = nearest(name, provider.operations)
    hint = f"did you mean `{guess}`?" if guess else f"terapi providers show {provider.name}"
    raise UsageError(f"{provider.name} has no operation `{name}`", hint=hint)


def _texts(operation: Operation, given: dict[str, object]) -> dict[str, object]:
    """The arguments, with a number that was typed for a text parameter back as the text that it was."""
    result = dict(given)
    for name, value in given.items():
        param = operation.params.get(name)
        if param is not None and param.type == "string" and isinstance(value, (int, float)):
            result[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return result
