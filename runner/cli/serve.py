"""`terapi serve`"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from runner.cli.main import app_of
from runner.cli.options import json_option
from runner.cli.output import tell_line
from runner.errors import MissingExtra

if TYPE_CHECKING:
    from runner.cli.app import App
    from runner.server.keys import Key
    from runner.server.serving import Opened, Options

INTERRUPTED = 130


@click.command(epilog="Example: terapi serve --port 3003")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=3003,
    show_default=True,
    help="Its port; 0: any free one.",
)
@click.option("--no-worker", is_flag=True, help="Take webhooks and requests, and leave the work to another.")
@json_option
@click.pass_context
def command(ctx: click.Context, host: str, port: int, no_worker: bool, as_json: bool) -> int:
    """Serve the HTTP API, the proxy and webhooks.

    It prints its address, then serves until it is ended. With --json the first line is one JSON object,
    printed when the port listens.
    """
    try:
        from runner.server.keys import load_key
        from runner.server.serving import Options, listen, serve, url_of
    except ImportError as exc:
        raise MissingExtra("the server", "server") from exc
    app, options = app_of(ctx), Options(host=host, port=port, work=not no_worker)
    with _opened(app, load_key(app.store.folder, os.environ)) as opened:
        listener = listen(options, opened.key)
        url = url_of(listener)
        interrupted = serve(options, opened, listener, lambda: _tell(url, opened.key, options, as_json))
    return INTERRUPTED if interrupted else 0


@contextmanager
def _opened(app: App, key: Key) -> Iterator[Opened]:
    """What the server is made of.

    Raises:
        DefinitionsInvalid: something is wrong in the definitions.
    """
    from runner.calls.access import Access
    from runner.server.serving import Opened
    from runner.store import open_store

    project = app.project
    with app.store as store, open_store(f"sqlite:///{store.database.path}") as second:
        access, runs = Access(project, store), Access(project, second)
        yield Opened(access=access, runs=runs, key=key, log=tell_line)


def _tell(url: str, key: Key, options: Options, as_json: bool) -> None:
    """Prints it at once: whoever started us waits for it."""
    import orjson

    told = {"url": url, "key_file": str(key.file) if key.file else None, "worker": options.work}
    click.echo(orjson.dumps(told).decode() if as_json else _welcome(url, key, options))
    sys.stdout.flush()


def _welcome(url: str, key: Key, options: Options) -> str:
    secret = f"cat {key.file}" if key.file else "the one in TERAPI_SECRET_KEY"
    work = "" if options.work else "\n  work      left to a `terapi worker` on this state"
    return f"""{url}

  key       {secret}
  webhooks  {url}/webhooks/INTEGRATION{work}

Ctrl-C ends it."""
