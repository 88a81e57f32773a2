"""`terapi proxy`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import click

from runner.cli.main import app_of
from runner.cli.options import connection_option, content, header_of, pairs

if TYPE_CHECKING:
    from runner.calls.access import Access
    from runner.definitions.exchange import Answer


@click.command(epilog="Example: terapi proxy GET /services --connection demo")
@click.argument("method")
@click.argument("path")
@click.option("-d", "--data", metavar="JSON|@file", help="The body; @- is standard input.")
@click.option("-H", "--header", multiple=True, metavar="NAME: VALUE", help="A header.")
@click.option("-q", "--query", multiple=True, metavar="K=V", help="A query parameter.")
@connection_option
@click.pass_context
def command(
    ctx: click.Context,
    method: str,
    path: str,
    data: str | None,
    header: tuple[str, ...],
    query: tuple[str, ...],
    connection: str | None,
) -> int:
    """Make a raw call with the right base URL and token.

    Prints the body as it came; a status of 400 or more is told on stderr and gives exit 1.
    """
    headers = dict(header_of(one) for one in header)
    body = content(data) if data is not None else None
    if body is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    if query:
        path = f"{path}{'&' if '?' in path else '?'}{urlencode(pairs(query, '-q'))}"

    async def work(access: Access) -> Answer:
        return await access.client(access.connection(connection)).raw(method.upper(), path, headers, body)

    answer = app_of(ctx).run(work)
    sys.stdout.buffer.write(answer.content)
    sys.stdout.buffer.flush()
    if sys.stdout.isatty():
        click.echo()
    if answer.status >= 400:
        click.echo(f"status {answer.status}", err=True)
    return 1 if answer.status >= 400 else 0
