"""What the benchmarks share: a figure, and processes that are measured from outside."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast

TERAPI = (sys.executable, "-m", "runner.cli")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Figure(NamedTuple):
    """One row of a table."""

    what: str
    value: str
    #: what it is held against, with the ratio
    against: str = ""


class Measured(NamedTuple):
    """A process that has ended well."""

    seconds: float
    #: seconds that it and its children had a processor
    worked: float
    #: the most memory that it and its children held together, in MB
    peak: float
    output: str


def measured(
    command: Sequence[str], environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Measured:
    """Runs a command to its end, by the wall clock and the kernel's own account of it.

    Raises:
        RuntimeError: it failed.
    """
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environ, cwd=folder)
        watch = _Watch(process.pid)
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        watch.ended.set()
        watch.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        told = output.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{told}")
    peak = max(watch.peak, used.ru_maxrss / 1024)
    return Measured(seconds, used.ru_utime + used.ru_stime, peak, told)


class _Watch(threading.Thread):
    """Looks now and then at how much memory a process and its children hold together."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self.peak = 0.0
        self._pid = pid

    def run(self) -> None:
        while not self.ended.wait(0.05):
            self.peak = max(self.peak, sum(_held(pid) for pid in _tree(self._pid)))


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _tree(int(child))


def _held(pid: int) -> float:
    """The memory of a process in MB, as Linux tells it; 0 where it has ended."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1024**2
    return 0.0


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
        if "ca_file" in org:
            self.environ |= {"SSL_CERT_FILE": org["ca_file"], "REQUESTS_CA_BUNDLE": org["ca_file"]}
        self.terapi("init")
        self._connect()

    def terapi(self, *args: str) -> Measured:
        return measured((*TERAPI, "-C", str(self.folder), *args), self.environ)

    def sync(self, *args: str) -> tuple[Measured, dict[str, object]]:
        """A sync of the contacts; gives the process, and what it told."""
        done = self.terapi("sync", "contacts", "--json", *args)
        return done, cast(dict[str, object], json.loads(done.output))

    def control(self, path: str, body: object) -> dict[str, object]:
        """Pulls one of the org's levers: `control("faults", {"clear": True})`."""
        headers = {"X-Emulator-Token": self.org["control_token"], "Content-Type": "application/json"}
        url = f"{self.org['url']}/emulator/{path}"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        trust = ssl.create_default_context(cafile=self.org.get("ca_file"))
        with urllib.request.urlopen(request, context=trust) as answer:
            return cast(dict[str, object], json.loads(answer.read()))

    def delay(self, ms: int) -> None:
        """From here on every answer of the org waits so long."""
        self.control("faults", {"clear": True, "add": [f"latency:ms={ms},path=/services"] if ms else []})

    def _connect(self) -> None:
        command = [
            *TERAPI, "-C", str(self.folder), "connect", "salesforce", "--connection", "bench",
            "--config", f"login_url={self.org['url']}", "--allow-local", "--credentials-stdin",
        ]  # fmt: skip
        given = json.dumps({"type": "OAUTH2_CC"})
        subprocess.run(
            command, input=given, env=self.environ, text=True, check=True, stdout=subprocess.DEVNULL
        )


@contextmanager
def emulated(records: int, *options: str) -> Iterator[Bench]:
    """An org of so many contacts, and a project of the shipped definitions beside it."""
    with tempfile.TemporaryDirectory() as folder, started(records, *options) as (told, _):
        yield Bench(Path(folder), told)


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
