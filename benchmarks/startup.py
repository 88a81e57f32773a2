"""Start-up: what a command costs before it does anything, held against importing click alone."""

from __future__ import annotations

import compileall
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import runner
from benchmarks.figures import TERAPI, Figure, measured

RUNS = 21
BARE = (sys.executable, "-c", "import click")


def figures() -> Iterator[Figure]:
    # As an installation leaves it: compiled.
    compileall.compile_dir(str(Path(runner.__file__).parent), quiet=1)
    commands = {"bare `import click`": BARE, "`terapi --help`": (*TERAPI, "--help")}
    with tempfile.TemporaryDirectory() as folder:
        measured((*TERAPI, "init", folder))
        commands["`terapi validate` (a new project and its tests)"] = (*TERAPI, "-C", folder, "validate")
        commands["`terapi validate` (all that ships, and its tests)"] = (*TERAPI, "validate")
        medians = _medians(commands)
    bare = medians["bare `import click`"]
    for what, seconds in medians.items():
        yield Figure(what, f"{seconds * 1000:.0f} ms", f"{seconds / bare:.2f} × bare click")


def _medians(commands: dict[str, Sequence[str]]) -> dict[str, float]:
    """In turn, so that a slow moment of the machine falls on all of them alike."""
    seconds: dict[str, list[float]] = {what: [] for what in commands}
    for _ in range(RUNS):
        for what, command in commands.items():
            seconds[what].append(measured(command).seconds)
    return {what: statistics.median(found) for what, found in seconds.items()}
