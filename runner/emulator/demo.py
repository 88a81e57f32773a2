"""The main job from nothing, on an emulated org, told with the commands that a person would type.

Each command runs as a process of its own and is shown before it does; what it prints is shown below it. A
command that fails ends the story.
"""

from __future__ import annotations

import json
import secrets
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from runner.emulator import INTEGRATION, PRODUCT
from runner.emulator.errors import OptionError

CONNECTION = "demo"
#: the folder of the org inside the demo's; its being there marks the folder as one that may be made anew
ORG_FOLDER = "org"
#: seconds for what takes moments
_ENOUGH = 60.0
_LONGEST_WORD = 40
#: seconds between two looks at something that is under way
_LOOK = 0.2

Json = Mapping[str, object]


class DemoFailed(Exception):
    """A command of the demo failed."""


def fresh_folder(folder: Path) -> Path:
    """The folder, empty; that of an earlier demo is made anew, any other stays as it is.

    Raises:
        OptionError: something else is in it.
    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / ORG_FOLDER).is_dir():
            raise OptionError(f"{folder} holds something else than an earlier demo")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


class Demo:
    """One telling of the story.

    Args:
        folder: an empty folder that becomes the project.
        records: how many contacts the org has.
    """

    def __init__(self, folder: Path, records: int, console: Console) -> None:
        self.folder = folder
        self.records = records
        self._console = console
        self._processes = ExitStack()
        self._chapter = 0
        self.org: Json = {}

    def run(self) -> None:
        """Tells the story from its beginning to its end.

        Raises:
            DemoFailed: a command failed.
        """
        with self._processes:
            for chapter in CHAPTERS:
                chapter(self)
        self._console.print()

    def chapter(self, title: str) -> None:
        self._chapter += 1
        self._console.print()
        self._console.rule(Text(f"{self._chapter}. {title}", "bold"), align="left", style="dim")

    def say(self, text: str, style: str = "dim") -> None:
        self._console.print(f"  {text}", style=style, highlight=False, soft_wrap=True)

    def terapi(self, *args: str, given: str | None = None, quiet: bool = False) -> str:
        """Runs a command to its end; gives what it printed."""
        if not quiet:
            self._show(args)
        done = subprocess.run(  # noqa: S603 - our own command
            self._command(args), cwd=self.folder, input=given or "", stdout=subprocess.PIPE, text=True
        )
        if done.returncode:
            raise DemoFailed(f"`terapi {shlex.join(args)}` ended with {done.returncode}")
        if not quiet:
            self._indent(done.stdout)
        return done.stdout

    @contextmanager
    def started(self, *args: str, errors: bool = False) -> Iterator[subprocess.Popen[str]]:
        """A command that goes on while the block runs; what is left of it at the end is ended."""
        self._show(args)
        process = subprocess.Popen(  # noqa: S603 - our own command
            self._command(args), cwd=self.folder, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE if errors else None,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            process.communicate()

    def serving(self, *args: str) -> Json:
        """A server that goes on until the story ends; gives the JSON of its first line."""
        process = self._processes.enter_context(self.started(*args))
        first = cast(IO[str], process.stdout).readline()
        if not first:
            raise DemoFailed(f"`terapi {shlex.join(args)}` did not start")
        return cast(Json, json.loads(first))

    def await_deliveries(self) -> None:
        """Waits until every webhook is worked through.

        Raises:
            DemoFailed: one failed, or is not done after a while.
        """
        for _ in range(round(_ENOUGH / _LOOK)):
            found = json.loads(self.terapi("webhooks", "list", "--json", quiet=True))
            statuses = {str(delivery["status"]) for delivery in found}
            if statuses == {"done"}:
                return
            if statuses - {"done", "received"}:
                break
            time.sleep(_LOOK)
        raise DemoFailed(f"the webhook was not worked through: {found}")

    def _command(self, args: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "runner.cli", *args]

    def _show(self, args: tuple[str, ...]) -> None:
        words = shlex.join(_shortened(word) for word in args)
        self._console.print(f"[green]$[/] [bold]terapi {escape(words)}", highlight=False, soft_wrap=True)

    def _indent(self, text: str) -> None:
        for line in text.rstrip().splitlines():
            self._console.print(f"  {escape(line)}", highlight=False, overflow="ellipsis", no_wrap=True)


def _shortened(word: str) -> str:
    """A word as people are shown it: of a long key the beginning is enough."""
    long = len(word) > _LONGEST_WORD and word.replace("-", "").replace("_", "").replace(".", "").isalnum()
    return f"{word[:12]}…" if long else word


def _an_org(demo: Demo) -> None:
    demo.chapter(f"A {PRODUCT} org, emulated on this machine")
    place = str(demo.folder / ORG_FOLDER)
    demo.org = demo.serving(
        "emulate", "--port", "0", "--records", str(demo.records), "--data", place, "--json"
    )
    demo.say(f"{demo.org['url']} with {demo.records:,} contacts")


def _a_project(demo: Demo) -> None:
    demo.chapter("A project: YAML that people edit and git keeps")
    demo.terapi("init")
    demo.terapi("validate")


def _a_connection(demo: Demo) -> None:
    demo.chapter("A connection, through the login and consent pages")
    client_id, secret = str(demo.org["client_id"]), str(demo.org["client_secret"])
    demo.terapi("client", "set", INTEGRATION, "--id", client_id, "--secret-stdin", given=secret)
    where = ("--config", f"login_url={demo.org['url']}", "--allow-local", "--no-browser")
    with demo.started(
        "connect", INTEGRATION, "--connection", CONNECTION, *where, "--callback-port", "0", errors=True
    ) as process:
        _log_in(process)
        told, errors = process.communicate(timeout=_ENOUGH)
        if process.returncode:
            raise DemoFailed(f"the login failed: {errors}")
    demo.say(told.strip(), style="")


def _log_in(process: subprocess.Popen[str]) -> None:
    """What a person does in the browser: opens the address, logs in, and allows the access."""
    lines = (line.strip() for line in cast(IO[str], process.stderr))
    address = next((line for line in lines if "/authorize?" in line), None)
    if address is None:
        raise DemoFailed("the login gave no address")
    with urllib.request.urlopen(f"{address}&auto_approve=1", timeout=_ENOUGH) as page:  # noqa: S310 - http(s), as the org gave it
        page.read()


def _a_sync(demo: Demo) -> None:
    demo.chapter("A sync: every contact, stored")
    demo.terapi("sync", "contacts")


def _only_what_changed(demo: Demo) -> None:
    demo.chapter("Two contacts change, one is deleted: only that is read")
    first, second, third = _some_contacts(demo, 3)
    change = ("call", "update_record", "--with", "object=Contact")
    demo.terapi(*change, "--with", f"id={first}", "--with", 'fields={"Title": "Countess"}')
    demo.terapi(*change, "--with", f"id={second}", "--with", 'fields={"Department": "Engines"}')
    demo.terapi("call", "delete_record", "--with", "object=Contact", "--with", f"id={third}")
    demo.terapi("sync", "contacts")


def _some_contacts(demo: Demo, count: int) -> list[str]:
    rows = json.loads(demo.terapi("records", "Contact", "--limit", str(count), "--json", quiet=True))
    return [row["id"] for row in rows]


def _a_workflow(demo: Demo) -> None:
    demo.chapter("A workflow: an account and its people, created at the org")
    given = {"name": "Analytical Engines", "contacts": [{"last_name": "Lovelace"}, {"last_name": "Babbage"}]}
    demo.terapi("run", "account-with-contacts", "--input", json.dumps(given))


def _a_proxied_call(demo: Demo) -> None:
    demo.chapter("Any other call, with the right address and token")
    demo.terapi("proxy", "GET", "/services/oauth2/userinfo")


def _a_webhook(demo: Demo) -> None:
    demo.chapter("A server, and a webhook that ends in a stored change")
    secret = secrets.token_urlsafe(24)
    demo.terapi("client", "set", INTEGRATION, "--webhook-secret-stdin", given=secret)
    server = demo.serving("serve", "--port", "0", "--json")
    before = _newest_cursor(demo)
    (contact,) = _some_contacts(demo, 1)
    change = ("call", "update_record", "--with", "object=Contact", "--with", f"id={contact}")
    demo.terapi(*change, "--with", 'fields={"Title": "Enchantress of Number"}')
    event = json.dumps({"connectionId": CONNECTION, "type": "contact.changed", "id": "event-1"})
    demo.terapi("webhooks", "send", INTEGRATION, event, "--url", str(server["url"]))
    demo.await_deliveries()
    demo.terapi("webhooks", "list")
    demo.terapi("sql", f"SELECT id, title, _state FROM Contact WHERE cursor > {before}")  # noqa: S608 - a number


def _newest_cursor(demo: Demo) -> int:
    rows = json.loads(demo.terapi("sql", "SELECT max(cursor) AS cursor FROM Contact", "--json", quiet=True))
    return int(rows[0]["cursor"])


def _what_next(demo: Demo) -> None:
    demo.chapter("It is all yours")
    place, terapi = _short(demo.folder), _callable()
    demo.say(f"definitions   {place}/providers.yaml, syncs/, workflows/", style="")
    demo.say(f"state         {place}/.terapi/terapi.db (SQLite; credentials encrypted)", style="")
    demo.say(f"the org       {place}/{ORG_FOLDER}", style="")
    demo.say("")
    demo.say("Try next:", style="bold")
    port = str(demo.org["url"]).rpartition(":")[2]
    count = "SELECT account_name, count(*) FROM Contact GROUP BY 1 ORDER BY 2 DESC LIMIT 5"
    for command in (
        f"{terapi} -C {place} records Contact --limit 5",
        f'{terapi} -C {place} sql "{count}"',
        f"{terapi} emulate --data {place}/{ORG_FOLDER} --port {port}   # the org again, for: terapi sync",
    ):
        demo.say(command, style="")


def _callable() -> str:
    """How the command is called from here: by its name, where that leads to this very one."""
    here = Path(sys.executable).with_name("terapi")
    found = shutil.which("terapi")
    return "terapi" if found is not None and here.exists() and here.samefile(found) else _short(here)


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


#: the story, in order
CHAPTERS: tuple[Callable[[Demo], None], ...] = (
    _an_org,
    _a_project,
    _a_connection,
    _a_sync,
    _only_what_changed,
    _a_workflow,
    _a_proxied_call,
    _a_webhook,
    _what_next,
)
