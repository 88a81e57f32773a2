"""docs/cli.md has every command and every option, and none that is not there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from runner.cli.main import cli
from tests.cli.terapi import Terapi

PAGE = (Path(__file__).parents[2] / "docs/cli.md").read_text()
SECTIONS: dict[str, str] = dict(re.findall(r"^### (terapi [a-z ]+)\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S))
FLAG = re.compile(r"(?<![\w-])(--[a-z][a-z-]+|-[a-zA-Z])(?![\w-])")


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    with click.Context(command) as ctx:
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            assert inner is not None
            yield from commands(inner, f"{path} {name}")


COMMANDS = dict(commands(cli, "terapi"))


def flags(command: click.Command) -> set[str]:
    return {flag for option in command.params if isinstance(option, click.Option) for flag in option.opts}


def test_every_command_is_there_and_none_that_is_not() -> None:
    """Mend by a section in docs/cli.md: what the command does, its options, its JSON, an example."""
    assert sorted(SECTIONS) == sorted(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_is_there_and_none_that_is_not(path: str) -> None:
    told = set(FLAG.findall(SECTIONS[path].partition("Example:")[0]))
    assert flags(COMMANDS[path]) <= told
    assert told <= {flag for command in COMMANDS.values() for flag in flags(command)}


@pytest.mark.parametrize("path", COMMANDS)
def test_every_section_has_an_example_of_its_command(path: str) -> None:
    example = re.search(r"^Example: `(.*)`$", SECTIONS[path], re.M)
    assert example is not None
    assert f"{example[1]} ".startswith(f"{path} ")


def test_options_of_every_command_are_there() -> None:
    head = PAGE.partition("\n## ")[0]
    assert all(f"`{flag}" in head for flag in flags(cli))


def test_the_exit_codes_are_there() -> None:
    from runner import errors

    codes = {
        str(kind.exit_code)
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.TerapiError)
    }
    listed = {code for cell in re.findall(r"^\| ([\d, ]+) \|", PAGE, re.M) for code in cell.split(", ")}
    assert codes | {"0", "129", "130", "141", "143"} == listed


def complete(terapi: Terapi, words: str) -> list[str]:
    """What bash would be offered behind ``words``."""
    number = str(len(words.split(" ")) - 1)
    environ = {
        **terapi.environ,
        "_TERAPI_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": number,
    }
    command = [sys.executable, "-c", "from runner.cli.main import main; main()"]
    found = subprocess.run(
        command, cwd=terapi.folder, env=environ, capture_output=True, text=True, timeout=60
    )
    assert found.stderr == ""
    return [line.removeprefix("plain,") for line in found.stdout.split()]


def test_the_shell_completes_commands_options_and_names(connected: Terapi) -> None:
    assert complete(connected, "terapi ru") == ["run", "runs"]
    assert complete(connected, "terapi sync --wa") == ["--watch"]
    assert complete(connected, "terapi sync o") == ["orders"]
    assert complete(connected, "terapi run pl") == ["place-order"]
    assert complete(connected, "terapi connections show d") == ["demo"]
    assert complete(connected, "terapi sync orders --connection d") == ["demo"]


def test_where_there_is_no_project_the_shell_is_offered_none_of_its_names(tmp_path: Path) -> None:
    assert complete(Terapi(tmp_path), "terapi sync o") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_lines_for_the_shells_work(terapi: Terapi, shell: str) -> None:
    assert f"_TERAPI_COMPLETE={shell}_source terapi" in PAGE
    command = [
        sys.executable,
        "-c",
        "import sys; sys.argv[0] = 'terapi'; from runner.cli.main import main; main()",
    ]
    environ = {**terapi.environ, "_TERAPI_COMPLETE": f"{shell}_source"}
    found = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert "_TERAPI_COMPLETE" in found.stdout
