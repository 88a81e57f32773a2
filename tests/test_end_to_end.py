"""The whole story on a real HTTP org: connect through its pages, sync, change, sync again, work, call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from runner.emulator.testing import Org, start_org


class Plain(HTTPAdapter):
    """The client always speaks TLS; the org on loopback does not."""

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)


def client(org: Org) -> Salesforce:
    """An unmodified client of the org."""
    session = requests.Session()
    session.mount("https://127.0.0.1", Plain())
    return Salesforce(instance_url=org.url, session_id=org.token(), session=session)


class Story:
    """A project of the shipped definitions, and an org beside it."""

    def __init__(self, folder: Path, org: Org) -> None:
        self.folder = folder
        self.org = org
        self.environ = {
            **os.environ,
            "TERAPI_SALESFORCE_CLIENT_ID": org.client_id,
            "TERAPI_SALESFORCE_CLIENT_SECRET": org.client_secret,
            "NO_COLOR": "1",
        }

    def start(self, *args: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "runner.cli", "-C", str(self.folder), *args]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environ
        )

    def terapi(self, *args: str, code: int = 0) -> str:
        process = self.start(*args)
        out, err = process.communicate(timeout=60)
        assert process.returncode == code, (out, err)
        return out if code == 0 else err

    def connect(self) -> None:
        """Logs in as a person would, on the org's own page."""
        place = [
            "--config",
            f"login_url={self.org.url}",
            "--allow-local",
            "--no-browser",
            "--callback-port",
            "0",
        ]
        process = self.start("connect", "salesforce", "--connection", "demo", *place)
        assert process.stderr is not None
        url = next(line.strip() for line in process.stderr if "/authorize?" in line)
        urllib.request.urlopen(f"{url}&auto_approve=1", timeout=20).read()
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, (out, err)

    def sync(self, name: str) -> dict[str, object]:
        found = json.loads(self.terapi("sync", name, "--connection", "demo", "--json"))
        assert isinstance(found, dict)
        return found


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with start_org(records=500) as org:
        found = Story(tmp_path, org)
        found.terapi("init")
        found.connect()
        yield found


def counts(result: dict[str, object]) -> tuple[object, object, object]:
    return result["added"], result["updated"], result["deleted"]


def test_what_changes_at_the_org_is_stored(story: Story) -> None:
    assert counts(story.sync("contacts")) == (500, 0, 0)
    org = client(story.org)
    first, second, third = (row["Id"] for row in org.query("SELECT Id FROM Contact LIMIT 3")["records"])
    org.Contact.update(first, {"Title": "Countess"})
    org.Contact.update(second, {"Email": None})
    org.Contact.delete(third)
    assert counts(story.sync("contacts")) == (0, 2, 1)
    rows = json.loads(story.terapi("records", "Contact", "--cursor", "500", "--json"))
    assert {row["id"]: row["_state"] for row in rows} == {
        first: "updated",
        second: "updated",
        third: "deleted",
    }
    assert [row["title"] for row in rows if row["id"] == first] == ["Countess"]


ODD = [
    {"LastName": 'O\'Neil, "Jr."', "Description": "two\nlines, a tab\tand a comma"},
    {"LastName": "Ünïcödé 🦉", "Description": "# no comment", "MailingCity": "São Paulo"},
    {"LastName": "null", "FirstName": "false", "Email": None},
]


def test_a_job_and_pages_store_the_same_bytes(story: Story) -> None:
    org = client(story.org)
    for fields in ODD:
        org.Contact.create(fields)
    org.Contact.delete(org.query("SELECT Id FROM Contact LIMIT 1")["records"][0]["Id"])
    for name in ("contacts", "accounts", "opportunities"):
        by_pages = story.sync(name)
        story.terapi("connections", "set", "demo", "--metadata", 'params={"bulk_above": 1}')
        by_job = json.loads(story.terapi("sync", name, "--full", "--json"))
        story.terapi("connections", "set", "demo", "--metadata", "params={}")
        assert (by_job["unchanged"], counts(by_job)) == (by_pages["added"], (0, 0, 0))
        assert story.org.log("/jobs/query")
        story.org.clear_log()


def test_a_deleted_opportunity_is_stored_as_deleted(story: Story) -> None:
    assert counts(story.sync("opportunities"))[0] == 100
    org = client(story.org)
    gone = org.query("SELECT Id FROM Opportunity LIMIT 1")["records"][0]["Id"]
    org.Opportunity.delete(gone)
    assert counts(story.sync("opportunities")) == (0, 0, 1)


def test_a_workflow_writes_to_the_org(story: Story) -> None:
    given = json.dumps({"name": "O'Neil & Söhne", "contacts": [{"last_name": "Ada"}, {"last_name": "Grace"}]})
    result = json.loads(story.terapi("run", "account-with-contacts", "--input", given, "--json"))
    org = client(story.org)
    account = result["output"]["account_id"]
    found = org.query(f"SELECT LastName FROM Contact WHERE AccountId = '{account}' ORDER BY LastName")[
        "records"
    ]
    assert [row["LastName"] for row in found] == ["Ada", "Grace"]
    told = story.terapi("run", "account-with-contacts", "--input", given, code=1)
    assert f"An account called O'Neil & Söhne is there already: {account}" in told


def test_a_token_that_dies_is_renewed_on_the_way(story: Story) -> None:
    story.sync("contacts")
    story.org.expire_tokens()
    assert story.sync("accounts")["status"] == "success"
    assert json.loads(story.terapi("proxy", "GET", "/services/oauth2/userinfo"))["email"]


def test_an_unknown_field_is_told_with_what_to_do(story: Story) -> None:
    told = story.terapi("call", "query", "--with", "soql=SELECT Nope FROM Contact", code=1)
    assert "No such column 'Nope' on entity 'Contact'" in told
    assert "next: The field does not exist in this org, or field-level security hides it" in told


def test_a_connection_that_is_deleted_works_for_nobody_any_more(story: Story) -> None:
    shown = json.loads(story.terapi("connections", "show", "demo", "--credentials"))
    assert "its token works no more" in story.terapi("connections", "delete", "demo")
    token = shown["credentials"]["access_token"]
    answer = requests.get(
        f"{story.org.url}/services/oauth2/userinfo",
        headers={"Authorization": f"Bearer {token}"},
        timeout=20,
    )
    assert answer.status_code in (401, 403)
