"""`terapi demo`: the whole story, as a newcomer meets it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.terapi import Terapi


def test_the_story_goes_from_nothing_to_stored_changes(tmp_path: Path) -> None:
    told = Terapi(tmp_path)("demo", "--records", "200")
    assert "connected salesforce as `demo`" in told
    assert "contacts: 200 added, 0 updated, 0 deleted" in told
    assert "contacts: 0 added, 2 updated, 1 deleted" in told
    assert "account-with-contacts: success" in told
    assert "Enchantress of Number" in told
    assert "Try next:" in told
    again = Terapi(tmp_path)("demo", "--records", "100")
    assert "contacts: 100 added" in again


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    terapi = Terapi(tmp_path)
    terapi("demo", "mine", code=2)
    assert "mine holds something else than an earlier demo" in terapi.err
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_a_command_that_fails_ends_the_story(tmp_path: Path) -> None:
    terapi = Terapi(tmp_path)
    terapi.environ["TERAPI_ENCRYPTION_KEY"] = "no key"
    terapi("demo", "--records", "10", code=1)
    assert "`terapi client set" in terapi.err
    assert "TERAPI_ENCRYPTION_KEY is not a key" in terapi.err
