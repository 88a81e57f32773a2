"""The whole story of a webhook, with the shipped definitions, on a real HTTP org."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runner.emulator.testing import start_org
from tests.test_end_to_end import Story, client

KEY = "a-key-that-is-long-enough"


class ServedStory(Story):
    """The story with a server: its address, and what it says."""

    def serve(self) -> None:
        self.environ |= {"TERAPI_SECRET_KEY": KEY, "TERAPI_SALESFORCE_WEBHOOK_SECRET": "the-webhook-secret"}
        self.server = self.start("serve", "--port", "0", "--json")
        assert self.server.stdout is not None
        self.url = json.loads(self.server.stdout.readline())["url"]

    def webhook(self, **body: object) -> None:
        said = self.terapi(
            "webhooks", "send", "salesforce", json.dumps({"connectionId": "demo", **body}), "--url", self.url
        )
        assert said.startswith("202 ")

    def line(self, text: str) -> str:
        assert self.server.stderr is not None
        return next(line for line in self.server.stderr if text in line)

    def get(self, path: str) -> object:
        headers = {
            "Authorization": f"Bearer {KEY}",
            "Connection-Id": "demo",
            "Provider-Config-Key": "salesforce",
        }
        found = httpx.get(f"{self.url}{path}", headers=headers, timeout=30)
        assert found.status_code == 200, found.text
        return found.json()


@pytest.fixture
def story(tmp_path: Path) -> Iterator[ServedStory]:
    with start_org(records=60) as org:
        found = ServedStory(tmp_path, org)
        found.terapi("init")
        for sync in (tmp_path / "syncs").glob("*.yaml"):
            # Each runs once by itself, and then when it is asked for.
            sync.write_text(re.sub("schedule: .*", "schedule: every 1000 weeks", sync.read_text()))
        found.connect()
        found.serve()
        yield found
        found.server.send_signal(signal.SIGTERM)
        try:
            found.server.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            found.server.kill()
            raise


def test_a_webhook_ends_in_a_stored_change(story: ServedStory) -> None:
    assert "60 added" in story.line("contacts of demo: 6")
    org = client(story.org)
    first, second = (row["Id"] for row in org.query("SELECT Id FROM Contact LIMIT 2")["records"])
    org.Contact.update(first, {"Title": "Countess"})
    org.Contact.delete(second)
    story.webhook(type="contact.changed", id="2")
    assert "0 added, 1 updated, 1 deleted" in story.line("contacts of demo: ")
    page = story.get("/records/?model=Contact&filter=updated,deleted")
    assert isinstance(page, dict)
    actions = {record["id"]: record["_nango_metadata"]["last_action"] for record in page["records"]}
    assert actions == {first: "UPDATED", second: "DELETED"}


def test_a_webhook_creates_contacts_at_the_org_once(story: ServedStory) -> None:
    events = [{"type": "contact.submitted", "last_name": name} for name in ("Lovelace", "Byron")]
    for _ in range(2):
        story.webhook(events=events, id="3")
    story.line("(contact.submitted): done")
    found = client(story.org).query("SELECT LastName FROM Contact WHERE LastName IN ('Lovelace', 'Byron')")
    assert sorted(row["LastName"] for row in found["records"]) == ["Byron", "Lovelace"]


def test_a_token_that_dies_is_renewed_on_the_way(story: ServedStory) -> None:
    story.org.expire_tokens()
    found = story.get("/proxy/services/data/v62.0/query?q=SELECT+Id+FROM+Contact+LIMIT+3")
    assert isinstance(found, dict)
    assert found["totalSize"] == 3
    story.org.expire_tokens()
    connection = story.get("/connections/demo?provider_config_key=salesforce&force_refresh=true")
    assert isinstance(connection, dict)
    assert connection["connection_config"]["instance_url"] == story.org.url
    told = httpx.get(
        f"{story.org.url}/services/oauth2/userinfo",
        headers={"Authorization": f"Bearer {connection['credentials']['access_token']}"},
    )
    assert told.status_code == 200
