"""Runs the benchmarks; without names all of them, and then writes docs/benchmarks.md.

python -m benchmarks [NAME…]
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from benchmarks.figures import Figure

NAMES = ("startup", "mapping", "store", "calls", "sync", "emulator", "emulator_bulk")
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def section(name: str) -> Iterator[str]:
    """A benchmark's part of the page: its docstring, and its figures as a table."""
    module = import_module(f"benchmarks.{name}")
    yield f"## {name}\n\n{module.__doc__.strip()}\n\n| what | measured | against |\n| --- | --: | --- |"
    for figure in module.figures():
        yield row(figure)


def row(figure: Figure) -> str:
    return f"| {figure.what} | {figure.value} | {figure.against} |"


def main(names: list[str]) -> None:
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        sys.exit(f"there is no benchmark `{unknown[0]}`; there are: {', '.join(NAMES)}")
    for name in names:
        for line in section(name):
            print(line, flush=True)
    if not names:
        PAGE.write_text("\n\n".join([head(), *map(alone, NAMES)]) + "\n", encoding="utf-8")


def alone(name: str) -> str:
    """A part of the page, measured in a process of its own: what one holds must not count for the next."""
    command = [sys.executable, "-m", "benchmarks", name]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    print(told, end="\n\n", flush=True)
    return told


def head() -> str:
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    return (
        "# Benchmarks\n\nMeasured with `make bench`, which writes this page anew; "
        f"`python -m benchmarks NAME` runs one. This run: {machine}. Each ratio comes from one run, so that "
        "it holds where the machine's speed does not."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
