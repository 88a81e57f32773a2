"""The shipped reverse sync: changed contacts are written back to a real HTTP org, and then it comes to rest."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from runner.emulator.testing import Org, start_org
from tests.cli.terapi import Terapi
from tests.server.test_worker import Worker


def project(folder: Path, org: Org) -> Terapi:
    terapi = Terapi(folder)
    terapi.environ |= {
        "TERAPI_SALESFORCE_CLIENT_ID": org.client_id,
        "TERAPI_SALESFORCE_CLIENT_SECRET": org.client_secret,
    }
    terapi("init", "--sync", "contacts", "--workflow", "unify-countries")
    place = ("--config", f"login_url={org.url}", "--allow-local", "--credentials-stdin")
    terapi("connect", "salesforce", "--connection", "demo", *place, stdin=json.dumps({"type": "OAUTH2_CC"}))
    return terapi


def countries(org: Org, ids: list[str]) -> list[object]:
    rows = org.query("SELECT Id, MailingCountry FROM Contact")
    return [row["MailingCountry"] for id in ids for row in rows if row["Id"] == id]


@pytest.mark.slow
def test_it_writes_back_what_differs_and_comes_to_rest(tmp_path: Path) -> None:
    with start_org(records=30) as org:
        ids = [str(row["Id"]) for row in org.query("SELECT Id FROM Contact ORDER BY Id")]
        for id in ids:
            org.update("Contact", id, MailingCountry="France")
        for id, country in zip(ids, ["USA", "Deutschland", "U.S."], strict=False):
            org.update("Contact", id, MailingCountry=country)
        terapi = project(tmp_path, org)
        worker = Worker(terapi)
        worker.line("unify-countries for demo: 3 changes of Contact: run ")
        worker.line("unify-countries for demo: success")
        assert countries(org, ids[:4]) == ["United States", "Germany", "United States", "France"]
        # The next sync brings its own changes back, and nothing follows from them.
        assert terapi.json("sync", "contacts")["updated"] == 3
        org.update("Contact", ids[5], MailingCountry="UK")
        terapi("sync", "contacts")
        worker.line("unify-countries for demo: 1 change of Contact: run ")
        worker.line("unify-countries for demo: success")
        assert countries(org, [ids[5]]) == ["United Kingdom"]
        worker.end(signal.SIGTERM)
        runs = json.loads(terapi("runs", "list", "--name", "unify-countries", "--json"))
        assert [run["status"] for run in runs] == ["success", "success"]
