"""Every shipped definition has a recorded test, and passes it without a network."""

from __future__ import annotations

import asyncio
from functools import cache

import pytest

from runner.definitions.model import DefinitionTest
from runner.definitions.project import Project
from runner.testing.run import run_test
from tests.auth.orgs import ROOT
from tests.cli.terapi import Terapi


@cache
def project() -> Project:
    return Project.load(ROOT, tests=True).checked()


TESTS = {test.name: test for test in project().tests}


def test_every_shipped_definition_has_one() -> None:
    """Mend with: python -m tests.shipped.record NAME"""
    tested = {(test.kind, test.definition.partition(".")[0]) for test in TESTS.values()}
    shipped = {("sync", name) for name in project().syncs} | {
        ("workflow", name) for name in project().workflows
    }
    assert shipped - tested == set()


@pytest.mark.parametrize("name", TESTS)
def test_it_passes(name: str) -> None:
    """Mend with: terapi test --update, or record it anew."""
    test: DefinitionTest = TESTS[name]
    report = asyncio.run(run_test(project(), test))
    assert (report.diff, report.problems) == ("", [])


def test_the_command_runs_all_of_them() -> None:
    said = Terapi(ROOT)("test")
    assert said.endswith(f"\n{len(TESTS)} passed\n")


def test_none_tells_anything_secret() -> None:
    for test in TESTS.values():
        for sign in ("127.0.0.1", "Bearer", "Authorization", "login_url"):
            assert sign not in test.text
