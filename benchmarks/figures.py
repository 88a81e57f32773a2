"""What the benchmarks share: a figure, and processes that are measured from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast

TERAPI = (sys.executable, "-m", "runner.cli")


class Figure(NamedTuple):
    """One row of a table."""

    what: str
    value: str
    #: what it is held against, with the ratio
    against: str = ""


class Measured(NamedTuple):
    """A process that has ended well."""

    seconds: float
    #: the most memory that it held, in MB
    peak: float
    output: str


def measured(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Measured:
    """Runs a command to its end, by the wall clock and the kernel's own account of it.

    Raises:
        RuntimeError: it failed.
    """
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environ)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        told = output.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{told}")
    return Measured(seconds, used.ru_maxrss / 1024, told)


class Bench:
    """A project that is connected to an emulated org, each a process of its own."""

    def __init__(self, folder: Path, org: Mapping[str, str]) -> None:
        self.folder = folder
        self.org = org
        self.environ = {
            **os.environ,
            "TERAPI_SALESFORCE_CLIENT_ID": org["client_id"],
            "TERAPI_SALESFORCE_CLIENT_SECRET": org["client_secret"],
        }

    def terapi(self, *args: str) -> Measured:
        return measured((*TERAPI, "-C", str(self.folder), *args), self.environ)

    def sync(self, *args: str) -> tuple[Measured, dict[str, object]]:
        """A sync of the contacts; gives the process, and what it told."""
        done = self.terapi("sync", "contacts", "--json", *args)
        return done, cast(dict[str, object], json.loads(done.output))


@contextmanager
def emulated(records: int, *options: str) -> Iterator[Bench]:
    """An org of so many contacts, and a project of the shipped definitions beside it."""
    with tempfile.TemporaryDirectory() as folder, started(records, *options) as (told, _):
        bench = Bench(Path(folder), told)
        bench.terapi("init")
        _connect(bench)
        yield bench


@contextmanager
def started(records: int, *options: str) -> Iterator[tuple[dict[str, str], int]]:
    """An org of so many contacts: what it tells of itself, and the id of its process."""
    command = (*TERAPI, "emulate", "--port", "0", "--records", str(records), "--json", *options)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(cast(IO[str], process.stdout).readline()), process.pid
    finally:
        process.terminate()
        process.communicate()


def _connect(bench: Bench) -> None:
    command = [
        *TERAPI, "-C", str(bench.folder), "connect", "salesforce", "--connection", "bench",
        "--config", f"login_url={bench.org['url']}", "--allow-local", "--credentials-stdin",
    ]  # fmt: skip
    given = json.dumps({"type": "OAUTH2_CC"})
    subprocess.run(command, input=given, env=bench.environ, text=True, check=True, stdout=subprocess.DEVNULL)
