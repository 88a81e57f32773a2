"""A workflow's run in a process of its own, which outlives the terminal it was begun in.

The two processes speak once: the request goes in over standard input, where no process list shows it, and
the run's id comes back over standard output as soon as the run is kept. Errors before that are told on the
stderr that both share.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from runner.calls.access import Access
    from runner.store import Run


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is to run."""

    #: the project folder
    folder: str
    workflow: str
    connection: str | None
    input: dict[str, object]


def start(request: Request) -> str:
    """Begins a run in a process of its own; gives the run's id.

    Raises:
        click.exceptions.Exit: it could not begin; why is told already.
    """
    # -P: a folder called `runner` where the user stands must not be taken for ours.
    command = [sys.executable, "-P", "-m", "runner.cli.detached"]
    process = subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    if process.stdin is None or process.stdout is None:
        raise AssertionError("both are pipes")
    with contextlib.suppress(BrokenPipeError), process.stdin as given:
        given.write(msgspec.json.encode(request))
    with process.stdout as told:
        id = told.readline().decode().strip()
    if not id:
        raise click.exceptions.Exit(process.wait())
    return id


def main() -> None:
    """The process that runs it."""
    from runner.cli.main import guarded

    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    sys.exit(guarded(lambda: _run(request)))


def _run(request: Request) -> int:
    from runner.cli.app import App
    from runner.workflow.life import Result
    from runner.workflow.run import Options, run_workflow

    async def work(access: Access) -> Result:
        place = access.connection(request.connection, access.project.workflow(request.workflow).integrations)
        workflow = access.project.workflow(request.workflow, place.integration)
        return await run_workflow(access, workflow, place, request.input, Options(started=_tell))

    return 0 if App(Path(request.folder)).run(work).status == "success" else 1


def _tell(run: Run) -> None:
    """Gives the id back, and lets go of the terminal."""
    sys.stdout.write(f"{run.id}\n")
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


if __name__ == "__main__":
    main()
