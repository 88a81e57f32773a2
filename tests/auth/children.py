"""A process of its own that makes one call on a connection to an org: `python -m tests.auth.children`.

It reads its connection, says `ready`, waits for a line, calls, and says what came of it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.errors import TerapiError
from runner.store import Connection, open_store


def start(folder: Path, store: str, operation: str, environ: dict[str, str]) -> subprocess.Popen[str]:
    """Starts one; it has read its connection when it says `ready`."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.auth.children", str(folder), store, operation],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
        cwd=Path(__file__).parents[2],
    )


def await_ready(child: subprocess.Popen[str]) -> None:
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"


def let_go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def go(child: subprocess.Popen[str]) -> str:
    """Lets it call, once it is ready; what it says."""
    await_ready(child)
    let_go(child)
    return child.communicate(timeout=60)[0].strip()


def call(folder: str, store: str, operation: str) -> None:
    with open_store(store) as opened:
        access = Access(Project.load(Path(folder)).checked(), opened)
        connection = access.connection("demo")
        print("ready", flush=True)
        sys.stdin.readline()
        print(asyncio.run(_called(access, connection, operation)), flush=True)


async def _called(access: Access, connection: Connection, operation: str) -> str:
    async with access:
        client = access.client(connection)
        try:
            await client.call(client.provider.operations[operation], {})
        except TerapiError as exc:
            return exc.message
        return "fine"


if __name__ == "__main__":
    call(*sys.argv[1:])
