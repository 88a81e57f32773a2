"""Bulk API 2.0 as a test speaks it: one line a step."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import httpx

from runner.emulator.testing import Org

Json = dict[str, object]
Table = list[dict[str, str]]


class Bulk2:
    def __init__(self, org: Org, version: str = "62.0") -> None:
        self.base = f"/services/data/v{version}/jobs"
        headers = {"Authorization": f"Bearer {org.token()}"}
        self.http = httpx.Client(base_url=org.url, headers=headers, timeout=30)

    def query(self, soql: str, **said: object) -> str:
        """A new query job; its id."""
        answer = self.http.post(f"{self.base}/query", json={"operation": "query", "query": soql, **said})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def results(self, job: str, **wanted: object) -> httpx.Response:
        return self.http.get(f"{self.base}/query/{job}/results", params=wanted)  # type: ignore[arg-type]

    def ingest(self, data: str | bytes, operation: str = "insert", **said: object) -> str:
        """A job that has its data and is closed; its id."""
        job = self.open(operation, **said)
        assert self.put(job, data).status_code == 201
        answer = self.patch("ingest", job, "UploadComplete")
        assert answer.json()["state"] == "UploadComplete", answer.text
        return job

    def open(self, operation: str = "insert", **said: object) -> str:
        asked = {"object": "Contact", "operation": operation, **said}
        answer = self.http.post(f"{self.base}/ingest", json=asked)
        assert answer.json()["state"] == "Open", answer.text
        return str(answer.json()["id"])

    def put(self, job: str, data: str | bytes, **headers: str) -> httpx.Response:
        body = data.encode() if isinstance(data, str) else data
        return self.http.put(
            f"{self.base}/ingest/{job}/batches", content=body, headers={"Content-Type": "text/csv", **headers}
        )

    def patch(self, kind: str, job: str, state: str) -> httpx.Response:
        return self.http.patch(f"{self.base}/{kind}/{job}", json={"state": state})

    def info(self, kind: str, job: str) -> Json:
        answer = self.http.get(f"{self.base}/{kind}/{job}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def state(self, kind: str, job: str) -> object:
        return self.info(kind, job)["state"]

    def outcome(self, job: str, name: str) -> str:
        answer = self.http.get(f"{self.base}/ingest/{job}/{name}")
        assert answer.status_code == 200, answer.text
        return answer.text

    def succeeded(self, job: str) -> Table:
        return table(self.outcome(job, "successfulResults"))

    def failed(self, job: str) -> Table:
        return table(self.outcome(job, "failedResults"))


def table(text: str) -> Table:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def lines(*rows: Iterable[str], ending: str = "\n") -> str:
    return "".join(",".join(row) + ending for row in rows)
