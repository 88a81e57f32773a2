"""The emulated org over REST: how fast records are made, pages of queries and small requests answered, and
how much memory the org has held. The client reads and counts, no more.

Rates are by the processor time of the org alone, as on a core of its own; beside them by the clock.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, started

#: contacts; the other objects make it half as many again and more
RECORDS = 1_000_000
ROOT = "/services/data/v62.0"
NARROW = "SELECT Id, Name, Email, AccountId, IsDeleted, SystemModstamp FROM Contact"
WIDE = (
    "SELECT Id, AccountId, Account.Name, LastName, FirstName, Salutation, Name, MailingAddress, Phone, "
    "MobilePhone, Email, Title, Department, LeadSource, Birthdate, Description, DoNotCall, CreatedDate, "
    "SystemModstamp FROM Contact"
)
PAGES, CONNECTIONS, REQUESTS = 30, 8, 1_000


class Client:
    """One connection that sends a request, and reads the answer as bytes."""

    def __init__(self, url: str, token: str) -> None:
        self._host, self._port = urllib.parse.urlsplit(url).netloc.split(":")
        self._tail = f" HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()

    async def open(self) -> Client:
        self._reader, self._writer = await asyncio.open_connection(self._host, int(self._port), limit=2**22)
        return self

    async def get(self, path: str) -> bytes:
        self._writer.write(b"GET " + path.encode() + self._tail)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        return await self._reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))


class Watch:
    """The time that passes, by the clock and by the work of a process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.start()

    def start(self) -> None:
        self._began, self._worked = time.perf_counter(), _worked(self._pid)

    def figure(self, what: str, done: int, unit: str) -> Figure:
        seconds, worked = time.perf_counter() - self._began, _worked(self._pid) - self._worked
        return Figure(what, f"{done / worked:,.0f} {unit}/s", f"{done / seconds:,.0f} by the clock")


def figures() -> Iterator[Figure]:
    began = time.perf_counter()
    with started(RECORDS) as (org, pid):
        seconds, worked = time.perf_counter() - began, _worked(pid)
        total = asyncio.run(_total(org))
        yield Figure(
            f"{total:,} records made, start-up included",
            f"{total / worked:,.0f} records/s",
            f"{seconds:.1f} s by the clock",
        )
        yield from asyncio.run(_answered(org, Watch(pid)))
        yield Figure(f"memory of the org, with {RECORDS:,} contacts", f"{_peak(pid):,.0f} MB")


async def _total(org: dict[str, str]) -> int:
    """How many records there are of all objects."""
    client = await Client(org["url"], _token(org)).open()
    names = [item["name"] for item in json.loads(await client.get(f"{ROOT}/sobjects"))["sobjects"]]
    counts = [await client.get(_query(f"SELECT count() FROM {name}")) for name in names]
    return sum(json.loads(count)["totalSize"] for count in counts)


async def _answered(org: dict[str, str], watch: Watch) -> list[Figure]:
    clients = [await Client(org["url"], _token(org)).open() for _ in range(CONNECTIONS)]
    found = []
    for name, soql in (("6 fields", NARROW), ("19 fields, an address, a parent", WIDE)):
        for state in ("the first time", "again"):
            found.append(await _pages(clients[0], watch, f"pages of a query, {name}, {state}", soql))
    record = json.loads(await clients[0].get(_query("SELECT Id FROM Contact LIMIT 1")))["records"][0]["Id"]
    for name, path in (
        ("limits", f"{ROOT}/limits"),
        ("a record by its id", f"{ROOT}/sobjects/Contact/{record}"),
        ("a query by an external id", _query("SELECT Id FROM Contact WHERE External_Id__c = 'CO-0000007'")),
    ):
        watch.start()
        await asyncio.gather(*(_again(client, path) for client in clients))
        what = f"small requests over {CONNECTIONS} connections: {name}"
        found.append(watch.figure(what, CONNECTIONS * REQUESTS, "requests"))
    return found


async def _pages(client: Client, watch: Watch, what: str, soql: str) -> Figure:
    """Pages of 2,000, behind the first, for which all records are looked through."""
    page = await client.get(_query(soql))
    watch.start()
    for _ in range(PAGES):
        page = await client.get(page.partition(b'"nextRecordsUrl":"')[2].partition(b'"')[0].decode())
    return watch.figure(what, PAGES * 2_000, "records")


async def _again(client: Client, path: str) -> None:
    for _ in range(REQUESTS):
        await client.get(path)


def _query(soql: str) -> str:
    return f"{ROOT}/query?q={urllib.parse.quote(soql)}"


def _token(org: dict[str, str]) -> str:
    secret = {"client_id": org["client_id"], "client_secret": org["client_secret"]}
    body = urllib.parse.urlencode({"grant_type": "client_credentials", **secret}).encode()
    with urllib.request.urlopen(f"{org['url']}/services/oauth2/token", body) as answer:
        return str(json.loads(answer.read())["access_token"])


def _peak(pid: int) -> float:
    """The most memory that a process has held, in MB, as Linux tells it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _worked(pid: int) -> float:
    """The seconds that a process has had a processor, as Linux tells it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
