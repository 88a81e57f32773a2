"""The environments themselves: made once, and honest about what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients import environments
from tests.clients.environments import npm, venv


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "script"


@pytest.mark.slow
def test_a_script_finds_what_was_installed(script: Path) -> None:
    script.write_text(
        "import sys, isodate; print(isodate.parse_duration(sys.argv[1]).seconds, isodate.__file__)"
    )
    python = venv("isodate==0.7.2")
    seconds, file = python.run(script, "PT5M").split()
    assert seconds == "300"
    assert Path(file).is_relative_to(python.folder)
    made = (python.folder / ".whole").stat().st_mtime_ns
    assert (venv("isodate==0.7.2").folder / ".whole").stat().st_mtime_ns == made


@pytest.mark.slow
def test_a_script_of_node_finds_what_was_installed(script: Path) -> None:
    script.write_text('import ms from "ms"; console.log(ms(process.argv[2]))')
    assert npm("ms@2.1.3").run(script, "5m") == "300000\n"


@pytest.mark.slow
def test_a_script_that_fails_is_shown(script: Path) -> None:
    script.write_text("raise SystemExit('something broke')")
    with pytest.raises(AssertionError, match="something broke"):
        venv("isodate==0.7.2").run(script)


@pytest.mark.parametrize("kind", ["npm", "python"])
def test_a_registry_out_of_reach_is_a_reason_to_skip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(environments, "KEPT", tmp_path)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retry_mintimeout", "10")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    with pytest.raises(pytest.skip.Exception, match=f"the registry cannot be reached by {kind}"):
        npm("ms@2.1.3") if kind == "npm" else venv("isodate==0.7.2")
