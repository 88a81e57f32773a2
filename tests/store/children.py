"""Other processes on the same store: a script is run with the store's URL and the words that are given."""

from __future__ import annotations

import subprocess
import sys
import textwrap


def start(script: str, url: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), url, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line(child: subprocess.Popen[str]) -> str:
    """The next line that the child prints; waits for it."""
    assert child.stdout is not None
    return child.stdout.readline().strip()
