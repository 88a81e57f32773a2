"""`terapi test`"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.main import app_of
from runner.cli.options import json_option
from runner.cli.output import echo_json, printable

if TYPE_CHECKING:
    from runner.definitions.model import DefinitionTest
    from runner.definitions.project import Project
    from runner.testing.report import Report


@click.command(epilog="Example: terapi test tests/contacts.test.yaml --update")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--update", is_flag=True, help="Take what is found for what is expected, and write it down.")
@json_option
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...], update: bool, as_json: bool) -> int:
    """Run the tests of definitions, without a network.

    PATHS are files and folders of tests; without them all below tests/ are run. A test that fails shows what
    is expected and what is found; --update writes the latter into its file.
    """
    from runner.definitions.project import Project

    app = app_of(ctx)
    project = Project.load(app.root, tests=True).checked()
    tests = _chosen(project, [app.start / path for path in paths])
    reports = asyncio.run(_all(project, tests, update, as_json))
    failed = sum(report.failed for report in reports)
    if as_json:
        counts = {status: sum(one.status == status for one in reports) for status in _STATUSES}
        echo_json({**counts, "tests": [report.as_data() for report in reports]})
    else:
        click.echo(_summary(reports))
    return 1 if failed else 0


_STATUSES = ("passed", "failed", "updated")
_COLOURS = {"passed": "green", "failed": "red", "updated": "yellow"}


def _chosen(project: Project, wanted: Sequence[Path]) -> list[DefinitionTest]:
    from runner.errors import UsageError

    for path in wanted:
        if not any(_is_in(project.root / test.name, path) for test in project.tests):
            hint = "a test is a file below tests/ whose name ends in .test.yaml: terapi record makes one"
            raise UsageError(f"there is no test in {path}", hint=hint)
    if not project.tests:
        raise UsageError("there are no tests yet", hint="terapi record NAME makes one of a sync or workflow")
    return [
        test
        for test in project.tests
        if not wanted or any(_is_in(project.root / test.name, path) for path in wanted)
    ]


def _is_in(file: Path, path: Path) -> bool:
    return file.resolve().is_relative_to(path.resolve())


async def _all(
    project: Project, tests: Sequence[DefinitionTest], update: bool, as_json: bool
) -> list[Report]:
    from runner.testing.run import run_test

    reports: list[Report] = []
    for test in tests:
        reports.append(await run_test(project, test, update=update))
        if not as_json:
            show(reports[-1])
    return reports


def show(report: Report) -> None:
    """Prints what became of a test."""
    status = click.style(f"{report.status:<7}", fg=_COLOURS[report.status])
    click.echo(f"{status} {report.test} ({report.definition})")
    if report.status == "passed":
        return
    for line in report.diff.splitlines():
        click.secho(f"  {printable(line)}", fg={"+": "green", "-": "red"}.get(line[:1]))
    for line in report.problems:
        click.echo(f"  {printable(line)}")


def _summary(reports: Sequence[Report]) -> str:
    counts = {status: sum(one.status == status for one in reports) for status in _STATUSES}
    return ", ".join(f"{number} {status}" for status, number in counts.items() if number)
