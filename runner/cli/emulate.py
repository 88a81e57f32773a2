"""`terapi emulate`"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from runner.cli.options import json_option
from runner.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from runner.emulator.options import Options
    from runner.emulator.org import Org
    from runner.emulator.server import Secure

#: making more records than this takes long enough for a progress bar
QUIET_RECORDS = 20_000
INTERRUPTED = 130


class Given(TypedDict):
    """The options, as click hands them over."""

    port: int
    data: Path | None
    records: int
    seed: int
    fault: tuple[str, ...]
    client_id: str | None
    client_secret: str | None
    session_lifetime: float
    rotate_refresh_tokens: bool
    no_introspection: bool
    api_limit: int | None
    jwt_public_key: Path | None
    bulk_seconds: float
    bulk_polls: int
    tls: bool
    as_json: bool


@click.command(epilog="Example: terapi emulate --port 8870 --records 1000")
@click.option("--port", default=8870, show_default=True, metavar="P", help="Its port; 0: any free one.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep the org in this folder; without it, all is gone at the end.",
)
@click.option(
    "--records",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    metavar="N",
    help="Contacts in it.",
)
@click.option(
    "--seed", default=1, show_default=True, metavar="N", help="The same seed makes the same sample data."
)
@click.option(
    "--fault", multiple=True, metavar="SPEC", help="Fail now and then, such as status:code=503,count=2."
)
@click.option("--client-id", metavar="ID", help="The app's client id; made up by default.")
@click.option("--client-secret", metavar="SECRET", help="The app's client secret; made up by default.")
@click.option(
    "--session-lifetime",
    type=click.FloatRange(0, min_open=True),
    default=7200.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an access token works.",
)
@click.option("--rotate-refresh-tokens", is_flag=True, help="Give a new refresh token with each refresh.")
@click.option("--no-introspection", is_flag=True, help="Do not tell the app how long its tokens work.")
@click.option("--api-limit", type=click.IntRange(0), metavar="N", help="Refuse calls after so many.")
@click.option(
    "--jwt-public-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The key that proves JWT assertions, in PEM; without it, --json tells a private one.",
)
@click.option(
    "--bulk-seconds",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a bulk job takes.",
)
@click.option(
    "--bulk-polls",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="How often a bulk job is asked after before it is complete.",
)
@click.option(
    "--tls", is_flag=True, help="Serve https, by a certificate of its own, for clients that insist on it."
)
@json_option
def command(**given: Unpack[Given]) -> int:
    """Serve an emulated org, to try and to test against.

    It prints what is needed to connect, then serves until it is ended. With --json the first line is one JSON
    object, printed when the port listens.
    """
    try:
        from runner.emulator.errors import OptionError
        from runner.emulator.server import listen, serve, url_of
    except ImportError as exc:
        raise MissingExtra("the emulated org", "server") from exc
    try:
        options = _options(given)
    except OptionError as exc:
        raise UsageError(str(exc)) from exc
    try:
        listener = listen(given["port"])
    except OptionError as exc:
        raise UsageError(str(exc), hint="`--port 0` takes a free port.") from exc
    with listener, _opened(options) as org, _secured(given) as secure:
        org.url = url_of(listener, secure)
        told = _told(org, secure)
        interrupted = serve(org, listener, lambda: _tell(org, told, given["as_json"]), secure)
    return INTERRUPTED if interrupted else 0


def _options(given: Given) -> Options:
    from runner.emulator import faults, keys
    from runner.emulator.options import Options

    for spec in given["fault"]:
        faults.parse(spec)
    key_file = given["jwt_public_key"]
    return Options(
        data=given["data"],
        records=given["records"],
        seed=given["seed"],
        faults=given["fault"],
        client_id=given["client_id"],
        client_secret=given["client_secret"],
        session_lifetime=given["session_lifetime"],
        rotate_refresh_tokens=given["rotate_refresh_tokens"],
        introspection="refused" if given["no_introspection"] else "allowed",
        api_limit=given["api_limit"],
        bulk_seconds=given["bulk_seconds"],
        bulk_polls=given["bulk_polls"],
        jwt_public_key=keys.public(key_file.read_text("ascii", "replace")) if key_file else None,
    )


@contextlib.contextmanager
def _opened(options: Options) -> Iterator[Org]:
    from runner.emulator.errors import OptionError
    from runner.emulator.org import Org

    try:
        with _progress(options.records) as advance:
            org = Org(options, advance)
    except OptionError as exc:
        raise UsageError(str(exc), hint="Choose a folder that you may write to.") from exc
    with contextlib.closing(org):
        yield org


@contextlib.contextmanager
def _secured(given: Given) -> Iterator[Secure | None]:
    """With --tls new certificates, beside the org's data or in a folder that goes with the process."""
    if not given["tls"]:
        yield None
        return
    from runner.emulator import certificates
    from runner.emulator.server import Secure, listen

    with tempfile.TemporaryDirectory() as folder:
        kept = given["data"] / "tls" if given["data"] else Path(folder)
        yield Secure(certificates.make(kept), listen(0))


@contextlib.contextmanager
def _progress(records: int) -> Iterator[Callable[[int], None] | None]:
    if records <= QUIET_RECORDS or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Making records", total=records)
        yield lambda made: bar.update(task, advance=made)


def _tell(org: Org, told: dict[str, object], as_json: bool) -> None:
    """Prints it at once, and JSON in one line even on a terminal: whoever started us waits for it."""
    import orjson

    if as_json:
        told = told | {"jwt_private_key": org.jwt_private_key() or None}
    click.echo(orjson.dumps(told).decode() if as_json else _welcome(org, told))
    sys.stdout.flush()


def _told(org: Org, secure: Secure | None) -> dict[str, object]:
    told: dict[str, object] = {
        "url": org.url,
        "client_id": org.client.id,
        "client_secret": org.client.secret,
        "username": org.options.username,
        "password": org.password,
        "security_token": org.security_token,
        "control_token": org.control_token,
    }
    if secure is not None:
        from runner.emulator.server import port_of

        told["ca_file"] = str(secure.certificates.authority)
        told["https_proxy"] = f"http://127.0.0.1:{port_of(secure.proxy)}"
    return told


def _welcome(org: Org, told: dict[str, object]) -> str:
    from runner.emulator import INTEGRATION

    shown = "\n".join(f"  {name.replace('_', ' '):<14} {value}" for name, value in told.items())
    prefix = f"TERAPI_{INTEGRATION.upper().replace('-', '_')}_CLIENT"
    return f"""An emulated org is ready; Ctrl-C ends it.

{shown}

Connect to it from another terminal:

  export {prefix}_ID={org.client.id}
  export {prefix}_SECRET={org.client.secret}
  terapi connect {INTEGRATION} --connection demo --config login_url={org.url} --allow-local --no-browser
"""
