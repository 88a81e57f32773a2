"""simple-salesforce: REST, Bulk API 1.0 and 2.0, and its logins."""

from __future__ import annotations

import pytest

from runner.emulator.testing import start_org
from tests.clients.checks import checks_of, outcomes
from tests.clients.environments import venv


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    environment = venv("simple-salesforce==1.12.10")
    with start_org(records=2_500, tls=True) as org:
        return outcomes(environment, "with_simple_salesforce.py", org)


@pytest.mark.slow
@pytest.mark.parametrize("check", checks_of("with_simple_salesforce.py"))
def test_simple_salesforce(found: dict[str, str], check: str) -> None:
    assert found[check] == "", found[check]
