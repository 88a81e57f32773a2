"""`terapi emulate`"""

from __future__ import annotations

import contextlib
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from runner.cli.emulated import tell
from runner.cli.options import json_option
from runner.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from runner.emulator.options import Options
    from runner.emulator.org import Org
    from runner.emulator.server import Secure, Site

#: making more records than this takes long enough for a progress bar
QUIET_RECORDS = 20_000
INTERRUPTED = 130


class Given(TypedDict):
    """The options, as click hands them over."""

    port: int
    org: tuple[str, ...]
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
    custom_fields: tuple[str, ...]
    set: tuple[str, ...]
    tls: bool
    my_domain: bool
    as_json: bool


@click.command(epilog="Example: terapi emulate --port 8870 --records 1000")
@click.option("--port", default=8870, show_default=True, metavar="P", help="Its port; 0: any free one.")
@click.option(
    "--org",
    multiple=True,
    metavar="NAME",
    help="An org of this name, each on the next port; acme--uat is a sandbox of acme.",
)
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
    "--custom-fields",
    multiple=True,
    metavar="OBJECT=N",
    help="Give an object so many custom fields more, such as Project__c=800.",
)
@click.option(
    "--set",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change a policy, such as require_pkce=true; docs/emulator.md lists them.",
)
@click.option(
    "--tls", is_flag=True, help="Serve https, by a certificate of its own, for clients that insist on it."
)
@click.option("--my-domain", is_flag=True, help="With --tls: give each org its host of the real service.")
@json_option
def command(**given: Unpack[Given]) -> int:
    """Serve an emulated org, to try and to test against.

    It prints what is needed to connect, then serves until it is ended. With --json the first line is one JSON
    object, printed when the port listens.
    """
    try:
        from runner.emulator.server import serve
    except ImportError as exc:
        raise MissingExtra("the emulated org", "server") from exc
    if given["my_domain"] and not given["tls"]:
        raise UsageError("`--my-domain` needs `--tls`: the hosts of the real service are https ones.")
    with _secured(given) as secure, _sites(given) as sites:
        for site in sites:
            site.org.url = _url(site, secure, given["my_domain"])
        interrupted = serve(sites, lambda: tell(sites, secure, given["as_json"]), secure)
    return INTERRUPTED if interrupted else 0


@contextlib.contextmanager
def _sites(given: Given) -> Iterator[list[Site]]:
    """The orgs, each with a port; the one that was asked for, and those that follow it."""
    from runner.emulator.server import Site

    with contextlib.ExitStack() as stack:
        listeners = [
            stack.enter_context(_listening(given["port"] and given["port"] + place))
            for place in range(max(1, len(given["org"])))
        ]
        orgs = stack.enter_context(_opened(_all_options(given)))
        yield [Site(org, listener) for org, listener in zip(orgs, listeners, strict=True)]


def _listening(port: int) -> socket.socket:
    from runner.emulator.errors import OptionError
    from runner.emulator.server import listen

    try:
        return listen(port)
    except OptionError as exc:
        raise UsageError(str(exc), hint="`--port 0` takes free ones.") from exc


def _url(site: Site, secure: Secure | None, by_host: bool) -> str:
    from runner.emulator.server import url_of

    return f"https://{site.org.options.host}" if by_host else url_of(site.listener, secure)


def _all_options(given: Given) -> list[Options]:
    """Those of each org."""
    from runner.emulator.errors import OptionError

    if len(set(given["org"])) < len(given["org"]):
        raise UsageError("Each `--org` needs a name of its own.")
    try:
        options = _options(given)
        return [options.called(name) for name in given["org"]] or [options]
    except OptionError as exc:
        raise UsageError(str(exc)) from exc


def _options(given: Given) -> Options:
    from runner.emulator import faults, keys
    from runner.emulator.objects import standard
    from runner.emulator.objects.added import widened
    from runner.emulator.options import Options, changed, pair
    from runner.emulator.schema import seen

    for spec in given["fault"]:
        faults.parse(spec)
    key_file = given["jwt_public_key"]
    options = Options(
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
        custom_fields=given["custom_fields"],
        jwt_public_key=keys.public(key_file.read_text("ascii", "replace")) if key_file else None,
    )
    options = changed(options, dict(pair(text) for text in given["set"]))
    seen(widened(standard(), options.custom_fields), options.hidden_fields, options.readonly_fields)
    return options


@contextlib.contextmanager
def _opened(all_options: list[Options]) -> Iterator[list[Org]]:
    from runner.emulator.errors import OptionError
    from runner.emulator.orgs import opened

    with contextlib.ExitStack() as stack:
        try:
            with _progress(sum(options.records for options in all_options)) as advance:
                orgs = stack.enter_context(opened(all_options, advance))
        except OptionError as exc:
            raise UsageError(str(exc), hint="Choose a folder that you may write to.") from exc
        yield orgs


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
