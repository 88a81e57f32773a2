"""`terapi call`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli.main import app_of
from runner.cli.options import connection_option, json_option, values
from runner.cli.output import echo_json
from runner.definitions.words import nearest
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.calls.access import Access
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
        if every or found.records is None or found.output is not None:
            return await client.call(found, _texts(found, given))
        async for page in client.pages(found, _texts(found, given)):
            return page.records
        return []

    echo_json(app_of(ctx).run(work))


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
