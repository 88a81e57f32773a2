"""Every file of workflows/ run for real against the emulated org."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.emulator.testing import start_org
from runner.store import Store
from runner.workflow.answers import Answer, answer
from runner.workflow.life import Result
from runner.workflow.run import Options, resume_run, run_workflow
from tests.auth.orgs import ROOT, Ours
from tests.shipped.cases import CASES, contact, count
from tests.shipped.orgs import customer

FILES = sorted(path.stem for path in (ROOT / "workflows").glob("*.yaml"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "project"


def at(folder: Path, ours: Ours, files: Mapping[str, str]) -> None:
    """Lets the project be in a folder that has these files."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)
    ours.access.project = ours.access.project.at(folder)


def run(ours: Ours, name: str, given: dict[str, object], *, dry: bool = False) -> Result:
    """Runs it, and approves of whatever it asks."""
    workflow = ours.access.project.workflow(name, "salesforce")
    options = Options(dry=dry)
    result = ours.run(lambda: run_workflow(ours.access, workflow, ours.connection, given, options))
    while result.status == "waiting":
        kept = ours.store.runs.get(result.run)
        assert kept is not None
        woken = answer(ours.store, kept, Answer(approved=True, at=time.time()))
        result = ours.run(lambda: resume_run(ours.access, woken))  # noqa: B023 - run at once
    return result


def test_every_shipped_workflow_is_tried() -> None:
    """Mend by an entry in cases.py."""
    assert sorted(CASES) == FILES


@pytest.mark.parametrize("name", FILES)
def test_it_does_what_it_says(name: str, store: Store, folder: Path) -> None:
    case = CASES[name]
    with start_org() as org:
        ours = customer(org, store)
        at(folder, ours, case.files)
        given = case.given(org)
        result = run(ours, name, given)
        assert (result.status, result.error) == ("success", None)
        assert isinstance(result.output, dict)
        case.check(org, given, result.output)


@pytest.mark.parametrize("name", FILES)
def test_a_dry_run_writes_nothing(name: str, store: Store, folder: Path) -> None:
    with start_org() as org:
        ours = customer(org, store)
        at(folder, ours, CASES[name].files)
        given = CASES[name].given(org)
        org.clear_log()
        result = run(ours, name, given, dry=True)
        assert result.status == "success"
        written = [seen.path for seen in org.log() if seen.method != "GET"]
        assert [path for path in written if not path.endswith(("/introspect", "/parameterizedSearch"))] == []


@pytest.mark.parametrize(
    "name", ["upsert-record", "upsert-records", "bulk-upsert-from-csv", "onboard-customer", "delete-record"]
)
def test_what_is_done_twice_creates_nothing_twice(name: str, store: Store, folder: Path) -> None:
    with start_org() as org:
        ours = customer(org, store)
        at(folder, ours, CASES[name].files)
        given = CASES[name].given(org)
        assert run(ours, name, given).status == "success"
        before = [count(org, what) for what in ("Account", "Contact")]
        assert run(ours, name, given).status == "success"
        assert [count(org, what) for what in ("Account", "Contact")] == before


def test_a_customer_that_cannot_be_taken_in_leaves_nothing(store: Store) -> None:
    with start_org() as org:
        ours = customer(org, store)
        given = {**CASES["onboard-customer"].given(org), "owner_id": "005000000000000AAA"}
        before = [count(org, what) for what in ("Account", "Contact", "Opportunity")]
        given["contacts"] = [{"last_name": "Lovelace"}]
        org.fault("error:code=FIELD_CUSTOM_VALIDATION_EXCEPTION,path=/sobjects/Task")
        given.pop("owner_id")
        result = run(ours, "onboard-customer", given)
        assert result.status == "failed"
        assert result.undone == ["opportunity", "people[0]", "account"]
        assert [count(org, what) for what in ("Account", "Contact", "Opportunity")] == before


def test_a_customer_that_was_there_stays_when_a_part_fails(store: Store) -> None:
    with start_org() as org:
        ours = customer(org, store)
        given = CASES["onboard-customer"].given(org)
        run(ours, "onboard-customer", given)
        org.fault("error:code=FIELD_CUSTOM_VALIDATION_EXCEPTION,path=/sobjects/Task")
        assert run(ours, "onboard-customer", given).status == "failed"
        assert count(org, "Account WHERE External_Id__c = 'A-1'") == 1
        assert count(org, "Contact WHERE Account.External_Id__c = 'A-1'") == 2


def test_a_lead_that_was_changed_meanwhile_is_left_alone(store: Store) -> None:
    """So that a conversion whose answer was lost is not done a second time."""
    with start_org() as org:
        ours = customer(org, store)
        given = CASES["convert-lead"].given(org)
        assert run(ours, "convert-lead", given).status == "success"
        accounts = count(org, "Account")
        again = run(ours, "convert-lead", given)
        assert again.error is not None
        assert again.error["kind"] == "closed"
        assert count(org, "Account") == accounts


def test_contacts_without_a_double_are_left_alone(store: Store) -> None:
    with start_org() as org:
        ours = customer(org, store)
        contact(org, Email="ada@example.com")
        result = run(ours, "merge-duplicate-contacts", {"email": "ada@example.com"})
        assert isinstance(result.output, dict)
        assert result.output["deleted"] == []


def test_a_conversion_whose_answer_was_lost_is_not_done_again(store: Store) -> None:
    with start_org() as org:
        ours = customer(org, store)
        given = CASES["convert-lead"].given(org)
        accounts = count(org, "Account")
        org.fault("truncate:path=/composite,count=1")
        lost = run(ours, "convert-lead", given)
        assert lost.error is not None
        assert lost.error["kind"] == "truncated"
        assert count(org, "Account") == accounts + 1
        kept = ours.store.runs.get(lost.run)
        assert kept is not None
        again = ours.run(lambda: resume_run(ours.access, kept))
        assert again.error is not None
        assert "changed since" in str(again.error["hint"])
        assert count(org, "Account") == accounts + 1
