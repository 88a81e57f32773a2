"""jsforce: REST, Bulk API 1.0 and 2.0, SOAP, and its logins."""

from __future__ import annotations

import pytest

from runner.emulator.testing import start_org
from tests.clients.checks import checks_of, outcomes
from tests.clients.environments import npm

SCRIPT = "with_jsforce.mjs"


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    environment = npm("jsforce@3.10.16")
    with start_org(records=2_500, tls=True) as org:
        return outcomes(environment, SCRIPT, org)


@pytest.mark.slow
@pytest.mark.parametrize("check", checks_of(SCRIPT, "  async "))
def test_jsforce(found: dict[str, str], check: str) -> None:
    assert found[check] == "", found[check]
