"""Draws docs/demo.svg: what `terapi demo` shows in a terminal, without the chapters that explain themselves.

python docs/picture.py
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 104
CHAPTERS = ("A sync", "Two contacts", "A workflow", "A server")
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def told() -> str:
    environ = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "runner.cli", "-C", folder, "demo", "shop"]
        done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def chapters(text: str) -> list[str]:
    """The parts of the story, each beginning with its heading."""
    return re.split(r"\n(?=\S*\d+\. )", text)


def main() -> None:
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for part in chapters(told()):
        if any(f". {title}" in part for title in CHAPTERS):
            console.print(Text.from_ansi(part), no_wrap=True, overflow="ellipsis")
    svg = FONTS.sub("", console.export_svg(title="terapi demo"))
    Path(__file__).with_name("demo.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
