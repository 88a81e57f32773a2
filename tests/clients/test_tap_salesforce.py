"""The Singer tap tap-salesforce: discovery, and syncs over REST and over Bulk API 1.0."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.emulator.testing import Org, start_org
from tests.clients.checks import variables
from tests.clients.environments import Environment, venv

CONTACTS, ACCOUNTS = 2_100, 210

Message = dict[str, object]


class Tap:
    """The tap as a pipeline starts it, with its files in a folder."""

    def __init__(self, environment: Environment, org: Org, folder: Path, api_type: str) -> None:
        self.command = str(environment.folder / "bin" / "tap-salesforce")
        self.environ = {**os.environ, **variables(org)}
        self.folder = folder
        self.config = self._write(
            "config.json",
            {
                "client_id": org.client_id,
                "client_secret": org.client_secret,
                "refresh_token": org.refresh_token(),
                "start_date": "2000-01-01T00:00:00Z",
                "api_type": api_type,
                "select_fields_by_default": "true",
            },
        )

    def discover(self) -> dict[str, dict[str, object]]:
        streams = json.loads(self._run("--discover"))["streams"]
        return {stream["tap_stream_id"]: stream for stream in streams}

    def sync(self, *names: str, state: object = None) -> list[Message]:
        """What a sync of these streams writes."""
        streams = self.discover()
        for name in names:
            for entry in streams[name]["metadata"]:  # type: ignore[attr-defined]
                if entry["breadcrumb"] == []:
                    entry["metadata"] |= {"selected": True}
                    if "valid-replication-keys" in entry["metadata"]:
                        key = entry["metadata"]["valid-replication-keys"][0]
                        entry["metadata"] |= {"replication-method": "INCREMENTAL", "replication-key": key}
        catalog = self._write("catalog.json", {"streams": [streams[name] for name in names]})
        given = ["--state", self._write("state.json", state)] if state else []
        written = self._run("--properties", catalog, *given)
        return [json.loads(line) for line in written.splitlines()]

    def _run(self, *args: str) -> str:
        done = subprocess.run(
            [self.command, "--config", self.config, *args],
            capture_output=True,
            text=True,
            env=self.environ,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _write(self, name: str, content: object) -> str:
        path = self.folder / name
        path.write_text(json.dumps(content))
        return str(path)


@pytest.fixture(scope="module")
def environment() -> Environment:
    return venv("tap-salesforce==2.8.1")


@pytest.fixture(params=["REST", "BULK"])
def tap(request: pytest.FixtureRequest, environment: Environment, org: Org, tmp_path: Path) -> Tap:
    return Tap(environment, org, tmp_path, request.param)


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    with start_org(records=CONTACTS, tls=True) as running:
        yield running


def records(messages: list[Message], stream: str) -> list[dict[str, object]]:
    return [
        message["record"]  # type: ignore[misc]
        for message in messages
        if message["type"] == "RECORD" and message["stream"] == stream
    ]


def last_state(messages: list[Message]) -> object:
    return [message["value"] for message in messages if message["type"] == "STATE"][-1]


@pytest.mark.slow
def test_discovery(tap: Tap) -> None:
    streams = tap.discover()
    assert {"Account", "Contact", "Opportunity", "User"} <= set(streams)
    properties = streams["Contact"]["schema"]["properties"]  # type: ignore[index]
    assert properties["LastName"]["type"] == ["null", "string"]


@pytest.mark.slow
def test_a_sync_and_another_from_where_it_ended(tap: Tap, org: Org) -> None:
    messages = tap.sync("Contact", "Account")
    contacts = records(messages, "Contact")
    assert len({record["Id"] for record in contacts}) == len(contacts) >= CONTACTS
    assert len(records(messages, "Account")) >= ACCOUNTS
    assert isinstance(contacts[0]["DoNotCall"], bool)
    assert {str(record["SystemModstamp"])[-1] for record in contacts} == {"Z"}
    changed = str(contacts[0]["Id"])
    org.update("Contact", changed, Title="Countess")
    again = records(tap.sync("Contact", state=last_state(messages)), "Contact")
    assert changed in {record["Id"] for record in again}
    assert len(again) < 20


@pytest.mark.slow
def test_a_query_that_takes_too_long_is_read_in_chunks(environment: Environment, tmp_path: Path) -> None:
    with start_org(records=300, tls=True) as org:
        org.fault("job:becomes=failed,count=1,message=InvalidBatch : Failed to process query: QUERY_TIMEOUT")
        messages = Tap(environment, org, tmp_path, "BULK").sync("Contact")
        assert len(records(messages, "Contact")) == 300
        jobs = [seen for seen in org.log("/services/async") if seen.path.endswith("/job")]
        assert len(jobs) == 2
