"""What the org works out from a record's other fields, each time that it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from runner.emulator import ids
from runner.emulator.database import Value
from runner.emulator.objects.knowledge import ARTICLE
from runner.emulator.schema import ObjectType

Columns = dict[str, Value]
#: gives a column of the record with this id, of an object
Lookup = Callable[[str, Value, str], Value]

#: how likely a deal is at each stage, in percent
PROBABILITIES: Mapping[str, float] = {
    "Prospecting": 10.0,
    "Qualification": 10.0,
    "Needs Analysis": 20.0,
    "Value Proposition": 50.0,
    "Proposal/Price Quote": 75.0,
    "Negotiation/Review": 90.0,
    "Closed Won": 100.0,
    "Closed Lost": 0.0,
}
_COUNTER = re.compile(r"\{(0+)\}")


def counted(pattern: str, number: int) -> str:
    """A number that counts up, as its pattern shows it: `P-{0000}` and 12 make P-0012."""
    return _COUNTER.sub(lambda found: f"{number:0{len(found[1])}}", pattern)


def derived(item: ObjectType, row: Columns, number: int, lookup: Lookup) -> Columns:
    """Columns by their names; ``row`` has them all as they will be, ``number`` counts the record."""
    found: Columns = {
        field.name: counted(field.counted, number) for field in item.fields if field.counted is not None
    }
    if item.name == "Knowledge__kav":
        found["KnowledgeArticleId"] = ids.make(ARTICLE, number)
    if item.name_parts:
        found["Name"] = " ".join(str(row[part]) for part in item.name_parts if row[part])
    rule = _RULES.get(item.name)
    return found | rule(row, lookup) if rule else found


def _opportunity(row: Columns, _lookup: Lookup) -> Columns:
    stage, close = str(row["StageName"]), str(row["CloseDate"] or "")
    probability = row["Probability"] if row["Probability"] is not None else PROBABILITIES.get(stage)
    amount, share = _number(row["Amount"]), _number(probability)
    return {
        "IsClosed": int(stage.startswith("Closed")),
        "IsWon": int(stage == "Closed Won"),
        "Probability": probability,
        "ExpectedRevenue": None if amount is None or share is None else amount * share / 100,
        "FiscalYear": int(close[:4]) if close else None,
        "FiscalQuarter": (int(close[5:7]) + 2) // 3 if close else None,
    }


def _line_item(row: Columns, lookup: Lookup) -> Columns:
    quantity, price = _number(row["Quantity"]), _number(row["UnitPrice"])
    names = (
        lookup("Opportunity", row["OpportunityId"], "Name"),
        lookup("Product2", row["Product2Id"], "Name"),
    )
    return {
        "TotalPrice": None if quantity is None or price is None else quantity * price,
        "Name": " ".join(str(name) for name in names if name) or None,
    }


def _pricebook_entry(row: Columns, lookup: Lookup) -> Columns:
    product = row["Product2Id"]
    return {
        "Name": lookup("Product2", product, "Name"),
        "ProductCode": lookup("Product2", product, "ProductCode"),
    }


def _contract(row: Columns, _lookup: Lookup) -> Columns:
    return _activated(row) | {"EndDate": contract_end(row["StartDate"], row["ContractTerm"])}


def _activated(row: Columns) -> Columns:
    active = row["Status"] == "Activated"
    return {
        "StatusCode": row["Status"],
        "ActivatedDate": (row["ActivatedDate"] or row["SystemModstamp"]) if active else None,
    }


def contract_end(start: Value, months: Value) -> Value:
    """The last day of a contract: `2026-01-01` and 12 make `2026-12-31`."""
    if not isinstance(start, str) or not isinstance(months, int):
        return None
    first = date.fromisoformat(start)
    years, month = divmod(first.month - 1 + months, 12)
    after = date(first.year + years, month + 1, 1) + timedelta(days=first.day - 1)
    return (after - timedelta(days=1)).isoformat()


def _order(row: Columns, _lookup: Lookup) -> Columns:
    return _activated(row) | {"TotalAmount": row["TotalAmount"] or 0.0}


def _order_item(row: Columns, lookup: Lookup) -> Columns:
    quantity, price = _number(row["Quantity"]), _number(row["UnitPrice"])
    return {
        "TotalPrice": None if quantity is None or price is None else quantity * price,
        "ListPrice": lookup("PricebookEntry", row["PricebookEntryId"], "UnitPrice"),
    }


def _article(row: Columns, _lookup: Lookup) -> Columns:
    now, published = row["SystemModstamp"], row["PublishStatus"] == "Online"
    archived = row["PublishStatus"] == "Archived"
    return {
        "IsLatestVersion": 1,
        "VersionNumber": 1,
        "ArticleTotalViewCount": row["ArticleTotalViewCount"] or 0,
        "ArticleCaseAttachCount": row["ArticleCaseAttachCount"] or 0,
        "FirstPublishedDate": (row["FirstPublishedDate"] or now) if published else row["FirstPublishedDate"],
        "LastPublishedDate": (row["LastPublishedDate"] or now) if published else row["LastPublishedDate"],
        "ArchivedDate": (row["ArchivedDate"] or now) if archived else None,
    }


def _campaign_member(row: Columns, _lookup: Lookup) -> Columns:
    return {"HasResponded": int(row["Status"] == "Responded")}


def _case(row: Columns, _lookup: Lookup) -> Columns:
    closed = row["Status"] == "Closed"
    return {
        "IsClosed": int(closed),
        "ClosedDate": (row["ClosedDate"] or row["SystemModstamp"]) if closed else None,
    }


def _task(row: Columns, _lookup: Lookup) -> Columns:
    done = row["Status"] == "Completed"
    return {
        "IsClosed": int(done),
        "IsHighPriority": int(row["Priority"] == "High"),
        "CompletedDateTime": (row["CompletedDateTime"] or row["SystemModstamp"]) if done else None,
    }


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) else None


_RULES: dict[str, Callable[[Columns, Lookup], Columns]] = {
    "Opportunity": _opportunity,
    "OpportunityLineItem": _line_item,
    "PricebookEntry": _pricebook_entry,
    "Contract": _contract,
    "Order": _order,
    "OrderItem": _order_item,
    "CampaignMember": _campaign_member,
    "Case": _case,
    "Task": _task,
    "Knowledge__kav": _article,
}
