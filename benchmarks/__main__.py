"""Runs the benchmarks; without names all of them, and then writes docs/benchmarks.md.

python -m benchmarks [--write] [NAME…]      --write puts what is measured into the page, which else stays
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from benchmarks.figures import Figure

NAMES = (
    "startup",
    "mapping",
    "store",
    "limit",
    "profile",
    "calls",
    "load",
    "connectors",
    "million",
    "workflows",
    "emulator",
    "emulator_bulk",
)
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def section(name: str) -> Iterator[str]:
    """A benchmark's part of the page: its docstring, and its figures as a table."""
    module = import_module(f"benchmarks.{name}")
    yield f"## {name}\n\n{module.__doc__.strip()}\n\n| what | measured | against |\n| --- | --: | --- |"
    for figure in module.figures():
        yield row(figure)


def row(figure: Figure) -> str:
    return f"| {figure.what} | {figure.value} | {figure.against} |"


def main(args: list[str]) -> None:
    names = [name for name in args if name != "--write"]
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        sys.exit(f"there is no benchmark `{unknown[0]}`; there are: {', '.join(NAMES)}")
    if not names:
        PAGE.write_text("\n\n".join([head(), *map(alone, NAMES)]) + "\n", encoding="utf-8")
    elif "--write" in args:
        PAGE.write_text(renewed(PAGE.read_text("utf-8"), {name: alone(name) for name in names}), "utf-8")
    else:
        for name in names:
            for line in section(name):
                print(line, flush=True)


def renewed(page: str, told: Mapping[str, str]) -> str:
    """The page with some of its parts replaced or added, in their order; what is measured no more goes."""
    first, *parts = page.rstrip("\n").split("\n\n## ")
    found = {part.partition("\n")[0]: f"## {part}" for part in parts} | told
    return "\n\n".join([first, *(found[name] for name in NAMES if name in found)]) + "\n"


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
        f"`python -m benchmarks NAME` runs one, and with `--write` renews its part. This run: {machine}. "
        "Each ratio comes from one run, so that it holds where the machine's speed does not."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
