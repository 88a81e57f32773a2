"""A test run and reported; what it found written into its file where that is wanted."""

from __future__ import annotations

import msgspec

from runner.definitions.model import DefinitionTest
from runner.definitions.project import Project
from runner.definitions.yaml.writing import write
from runner.errors import TerapiError
from runner.testing.report import Report, reported, told
from runner.testing.stage import actor_of, base_url_of
from runner.testing.trial import Outcome, tried


async def run_test(project: Project, test: DefinitionTest, *, update: bool = False) -> Report:
    """Runs one test.

    Args:
        update: whether what is found is written into its file as what is expected. What is missing on the
            cassette cannot be found, so that such a test fails as before.

    Raises:
        OSError: the file cannot be written.
    """
    try:
        outcome = await tried(project, test)
        actor = actor_of(project.provider(test.integration), test.given.config, test.given.metadata)
        report = reported(test, outcome, base_url_of(actor.provider, actor.config))
    except TerapiError as exc:
        return _impossible(test, exc)
    if not update or not report.diff or report.problems:
        return report
    (project.root / test.name).write_text(_updated(test, outcome), encoding="utf-8")
    return msgspec.structs.replace(report, status="updated")


def _impossible(test: DefinitionTest, error: TerapiError) -> Report:
    """A test that cannot be run at all; the others can."""
    problems = [error.message, *([f"  next: {error.hint}"] if error.hint else [])]
    definition = f"{test.kind} {test.definition}"
    return Report(test=test.name, definition=definition, status="failed", problems=problems)


def _updated(test: DefinitionTest, outcome: Outcome) -> str:
    """The file with what was found as what is expected; everything else in it stays as it is."""
    lines = test.text.splitlines(keepends=True)
    begin, end = test.expect_lines
    expect = write({"expect": told(test.expect, outcome.found)})
    behind = lines[end - 1 :]
    return "".join([*lines[: begin - 1], expect, *behind])
