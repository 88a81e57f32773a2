"""Environments for other people's clients, so that none of them becomes a dependency of ours.

    node = npm("left-pad@1.3.0")
    told = node.run(Path("script.mjs"), "an argument")     # the script imports what was installed

    python = venv("requests==2.34.2")
    told = python.run(Path("script.py"))

An environment is made once and kept in `.environments/` beside this file, by what it holds. Where a tool or
the registry cannot be reached the test is skipped, with the reason; anything else that goes wrong is an error.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from filelock import FileLock

KEPT = Path(__file__).parent / ".environments"
#: seconds that an installation may take
PATIENCE = 600
_UNREACHABLE = re.compile(
    r"ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ERR_SOCKET_TIMEOUT|network request to"
    r"|after connection broken by|Read timed out|name resolution"
)


class Environment(NamedTuple):
    """A folder in which a client is installed, and the program that runs scripts there."""

    folder: Path
    command: tuple[str, ...]

    def run(
        self, script: Path, *arguments: str, env: Mapping[str, str] | None = None, timeout: float = 120
    ) -> str:
        """Runs a script; gives what it printed.

        Args:
            env: variables beside those of this process.
            timeout: in seconds.

        Raises:
            AssertionError: it failed; the message is what it said.
        """
        done = subprocess.run(
            [*self.command, *arguments], input=script.read_text("utf-8"), capture_output=True, text=True,
            cwd=self.folder, env={**os.environ, **(env or {})}, timeout=timeout,
        )  # fmt: skip
        assert done.returncode == 0, f"{script.name} failed:\n{done.stdout}\n{done.stderr}"
        return done.stdout


def npm(*packages: str) -> Environment:
    """Packages of npm, each with its exact version: `name@1.2.3`. Scripts are ES modules."""
    node, tool = _program("node"), _program("npm")

    def install(folder: Path) -> None:
        (folder / "package.json").write_text('{"private": true, "type": "module"}\n', "utf-8")
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", "--fetch-retries=1")
        _install([tool, "install", *quiet, *packages], folder)

    return Environment(_kept("npm", packages, install), (node, "--input-type=module", "-"))


def venv(*packages: str) -> Environment:
    """Packages of PyPI, each with its exact version: `name==1.2.3`, in an environment of this Python."""

    def install(folder: Path) -> None:
        _install([sys.executable, "-m", "venv", str(folder)], folder)
        quiet = ("--quiet", "--disable-pip-version-check", "--retries=1", "--timeout=30")
        _install([str(folder / "bin" / "python"), "-m", "pip", "install", *quiet, *packages], folder)

    folder = _kept(f"python{sys.version_info[0]}.{sys.version_info[1]}", packages, install)
    return Environment(folder, (str(folder / "bin" / "python"), "-"))


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def _kept(kind: str, packages: tuple[str, ...], install: Callable[[Path], None]) -> Path:
    """The folder of an environment, made whole if it is not there; of two processes at once one makes it."""
    digest = hashlib.sha256("\n".join(sorted(packages)).encode()).hexdigest()[:12]
    folder = KEPT / f"{kind}-{digest}"
    KEPT.mkdir(exist_ok=True)
    with FileLock(KEPT / f"{folder.name}.lock"):
        whole = folder / ".whole"
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            install(folder)
            whole.write_text("\n".join(packages) + "\n", "utf-8")
    return folder


def _install(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=PATIENCE)
    if done.returncode == 0:
        return
    said = done.stdout + done.stderr
    if _UNREACHABLE.search(said):
        pytest.skip(f"the registry cannot be reached by {Path(command[0]).name}")
    raise RuntimeError(f"{' '.join(command)} failed:\n{said}")
