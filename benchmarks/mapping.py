"""Mapping: records of an API made into stored ones by the `fields` of the contacts sync, on one core."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import orjson

from benchmarks.figures import Figure
from runner.definitions.project import Project
from runner.emulator.testing import start_org
from runner.sync.mapping import Mapper

PAGES = 50
#: rows that are alive at once: what a sync hands to the store together
CHUNK = 250
_ROOT = Path(__file__).parent.parent


def figures() -> Iterator[Figure]:
    sync = Project.load(_ROOT).checked().sync("contacts")
    page = page_of_contacts()
    bare = _rate(row_by_hand, page)
    mapped = _rate(Mapper(sync, {}).row, page)
    yield Figure("`fields`, key and JSON text", f"{mapped:,.0f} records/s", f"{mapped / bare:.2f} × by hand")
    yield Figure("the same written by hand in Python", f"{bare:,.0f} records/s")


def page_of_contacts() -> list[dict[str, object]]:
    """2,000 contacts of an emulated org, of which 200 are different."""
    fields = "SELECT FIELDS(ALL) FROM Contact LIMIT 200"
    with start_org(records=200) as org:
        rows = org.query(fields)
    return [{**row, "Account": {"Name": "Analytical Engines"}} for row in rows] * 10


def row_by_hand(record: dict[str, object]) -> tuple[str, bytes]:
    return str(record["Id"]), orjson.dumps(_one(record))


def _one(record: Mapping[str, object]) -> dict[str, object]:
    account = record["Account"]
    return {
        "id": record["Id"], "name": record["Name"], "first_name": record["FirstName"],
        "last_name": record["LastName"], "salutation": record["Salutation"], "title": record["Title"],
        "department": record["Department"], "email": record["Email"], "phone": record["Phone"],
        "mobile_phone": record["MobilePhone"], "account_id": record["AccountId"],
        "account_name": account["Name"] if isinstance(account, dict) else None,
        "owner_id": record["OwnerId"], "lead_source": record["LeadSource"],
        "birthdate": record["Birthdate"], "description": record["Description"],
        "mailing_address": {
            "street": record["MailingStreet"], "city": record["MailingCity"], "state": record["MailingState"],
            "postal_code": record["MailingPostalCode"], "country": record["MailingCountry"],
        },
        "created_at": str(record["CreatedDate"])[:23] + "Z",
        "updated_at": str(record["SystemModstamp"])[:23] + "Z",
    }  # fmt: skip


def _rate(row: Callable[[dict[str, object]], tuple[str, bytes]], page: list[dict[str, object]]) -> float:
    chunks = [page[start : start + CHUNK] for start in range(0, len(page), CHUNK)]
    began = time.perf_counter()
    for _ in range(PAGES):
        for chunk in chunks:
            [row(record) for record in chunk]
    return PAGES * len(page) / (time.perf_counter() - began)
