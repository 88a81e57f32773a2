"""The emulated org's Bulk API 2.0, over HTTP on loopback: results read by a client that only counts bytes, an
upload of CSV, and the memory that the org has held.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, started

RECORDS, UPLOADED = 1_000_000, 100_000
BLOCK = 1024 * 1024
NARROW = "SELECT Id, Name, Email, AccountId, IsDeleted, SystemModstamp FROM Contact"
WIDE = (
    "SELECT Id, AccountId, LastName, FirstName, Salutation, Name, MailingStreet, MailingCity, MailingState, "
    "MailingPostalCode, MailingCountry, Phone, MobilePhone, Email, Title, Department, LeadSource, Birthdate, "
    "Description, DoNotCall, CreatedDate, SystemModstamp FROM Contact"
)


class Client:
    """Speaks to the org over one connection."""

    def __init__(self, org: dict[str, str]) -> None:
        host = urllib.parse.urlsplit(org["url"]).netloc
        self._http = http.client.HTTPConnection(host)
        self._headers = {"Authorization": f"Bearer {_token(org)}"}

    def send(self, method: str, path: str, body: bytes, kind: str = "application/json") -> bytes:
        headers = {**self._headers, "Content-Type": kind}
        self._http.request(method, f"/services/data/v62.0/jobs/{path}", body, headers)
        return self._http.getresponse().read()

    def ask(self, method: str, path: str, said: dict[str, str] | None = None) -> dict[str, object]:
        told: dict[str, object] = json.loads(self.send(method, path, json.dumps(said).encode()))
        return told

    def finished(self, path: str) -> dict[str, object]:
        while (told := self.ask("GET", path))["state"] in ("UploadComplete", "InProgress"):
            time.sleep(0.05)
        assert told["state"] == "JobComplete", told
        return told

    def download(self, path: str) -> tuple[int, int]:
        """Reads all pages; gives how many rows and bytes they were."""
        rows = size = 0
        locator = ""
        while locator != "null":
            self._http.request("GET", f"/services/data/v62.0/jobs/{path}{locator}", headers=self._headers)
            answer = self._http.getresponse()
            while block := answer.read(BLOCK):
                size += len(block)
            rows += int(answer.headers["Sforce-NumberOfRecords"])
            locator = answer.headers["Sforce-Locator"]
            locator = locator if locator == "null" else f"?locator={locator}"
        return rows, size


def figures() -> Iterator[Figure]:
    with started(RECORDS) as (org, pid):
        client = Client(org)
        for name, soql in (("6 columns", NARROW), ("22 columns", WIDE)):
            yield from _query(client, name, soql)
        yield _upload(client)
        yield Figure(f"memory of the org, with {RECORDS:,} contacts", f"{_peak(pid):,.0f} MB")


def _query(client: Client, name: str, soql: str) -> Iterator[Figure]:
    began = time.perf_counter()
    job = client.ask("POST", "query", {"operation": "query", "query": soql})["id"]
    client.finished(f"query/{job}")
    ready = time.perf_counter()
    rows, size = client.download(f"query/{job}/results")
    ended = time.perf_counter()
    assert rows == RECORDS
    yield Figure(f"results, {name}", f"{rows / (ended - ready):,.0f} rows/s", f"{size / 1e6:,.0f} MB")
    yield Figure(f"job and results, {name}", f"{rows / (ended - began):,.0f} rows/s")


def _upload(client: Client) -> Figure:
    lines = ["LastName,Email,Birthdate,DoNotCall,External_Id__c"]
    lines += [f"Person {n},p{n}@example.com,1990-01-02,true,UP-{n}" for n in range(UPLOADED)]
    job = client.ask("POST", "ingest", {"object": "Contact", "operation": "insert"})["id"]
    began = time.perf_counter()
    client.send("PUT", f"ingest/{job}/batches", "\n".join(lines).encode(), "text/csv")
    client.ask("PATCH", f"ingest/{job}", {"state": "UploadComplete"})
    told = client.finished(f"ingest/{job}")
    seconds = time.perf_counter() - began
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (UPLOADED, 0), told
    return Figure(f"an upload of {UPLOADED:,}", f"{UPLOADED / seconds:,.0f} rows/s", f"{seconds:.1f} s")


def _token(org: dict[str, str]) -> str:
    secret = {"client_id": org["client_id"], "client_secret": org["client_secret"]}
    said = {"grant_type": "client_credentials", **secret}
    body = urllib.parse.urlencode(said).encode()
    with urllib.request.urlopen(f"{org['url']}/services/oauth2/token", body) as answer:
        return str(json.loads(answer.read())["access_token"])


def _peak(pid: int) -> float:
    """The most memory that a process has held, in MB, as Linux tells it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
