"""dlt's rest_api source: a load page by page, and an incremental one."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.emulator.testing import start_org
from tests.clients.checks import checks_of, outcomes
from tests.clients.environments import venv

SCRIPT = "with_dlt.py"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    environment = venv("dlt==1.31.0")
    folder: Path = tmp_path_factory.mktemp("dlt")
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(folder)}
    with start_org(records=2_500, tls=True) as org:
        return outcomes(environment, SCRIPT, org, quiet)


@pytest.mark.slow
@pytest.mark.parametrize("check", checks_of(SCRIPT))
def test_dlt(found: dict[str, str], check: str) -> None:
    assert found[check] == "", found[check]
