"""What the sample data say of contracts, orders, notes and articles."""

from __future__ import annotations

from itertools import repeat

from runner.emulator import ids, words
from runner.emulator.database import Value
from runner.emulator.derive import contract_end, counted
from runner.emulator.objects.knowledge import ARTICLE
from runner.emulator.seed import Batch, Columns, Seeder, address

#: lines that an order has
ITEMS = 2


def contracts(batch: Batch, seeder: Seeder) -> Columns:
    starts = seeder.dates.day(batch, 0, 700)
    terms = batch.pick((6, 12, 24, 36))
    statuses = batch.pick(("Draft", "In Approval Process", "Activated", "Activated"))
    return {
        "ContractNumber": [counted("{00000000}", number) for number in batch.numbers],
        "AccountId": batch.pick(seeder.known("Account")),
        "StartDate": starts,
        "ContractTerm": terms,
        "EndDate": [contract_end(start, term) for start, term in zip(starts, terms, strict=True)],
        **_status(statuses, starts),
        **address(batch, "Billing"),
        "CustomerSignedId": batch.pick(seeder.known("Contact"), empty=0.4),
        "CustomerSignedDate": starts,
        "SpecialTerms": batch.pick(words.NOTES, empty=0.7),
        "Description": batch.pick(words.NOTES, empty=0.5),
    }


def orders(batch: Batch, seeder: Seeder) -> Columns:
    starts = seeder.dates.day(batch, 0, 700)
    statuses = batch.pick(("Draft", "Activated"))
    return {
        "OrderNumber": [counted("{00000000}", number) for number in batch.numbers],
        "AccountId": batch.pick(seeder.known("Account")),
        "ContractId": batch.pick(seeder.known("Contract"), empty=0.5),
        "Pricebook2Id": repeat(seeder.known("Pricebook2")[0]),
        "EffectiveDate": starts,
        **_status(statuses, starts),
        "Type": batch.pick(("New", "Renewal"), empty=0.2),
        **address(batch, "Billing"),
        **address(batch, "Shipping"),
        "BillToContactId": batch.pick(seeder.known("Contact"), empty=0.3),
        "PoNumber": batch.numbered("PO %05d"),
        "Description": batch.pick(words.NOTES, empty=0.6),
        "TotalAmount": [sum(_total(item) for item in _items_of(number)) for number in batch.numbers],
    }


def _status(statuses: list[Value], starts: list[Value]) -> Columns:
    """A status, its category, and since when it is activated."""
    return {
        "Status": statuses,
        "StatusCode": statuses,
        "ActivatedDate": [
            f"{start}T08:30:00.000+0000" if status == "Activated" else None
            for status, start in zip(statuses, starts, strict=True)
        ],
    }


def order_items(batch: Batch, seeder: Seeder) -> Columns:
    order = seeder.database.schema.objects["Order"]
    return {
        "OrderItemNumber": [counted("{0000000000}", number) for number in batch.numbers],
        "OrderId": [ids.make(order.prefix, (number - 1) // ITEMS + 1) for number in batch.numbers],
        "PricebookEntryId": [seeder.known("PricebookEntry")[_product(number)] for number in batch.numbers],
        "Product2Id": [seeder.known("Product2")[_product(number)] for number in batch.numbers],
        "Quantity": [_quantity(number) for number in batch.numbers],
        "UnitPrice": [_price(number) for number in batch.numbers],
        "ListPrice": [_price(number) for number in batch.numbers],
        "TotalPrice": [_total(number) for number in batch.numbers],
        "ServiceDate": seeder.dates.day(batch, 0, 700),
        "Description": batch.pick(words.NOTES, empty=0.8),
    }


def _items_of(order: int) -> range:
    """The numbers of an order's lines."""
    return range((order - 1) * ITEMS + 1, order * ITEMS + 1)


def _product(item: int) -> int:
    return item * 5 % len(words.PRODUCTS)


def _quantity(item: int) -> float:
    return float(item % 4 + 1)


def _price(item: int) -> float:
    """As the price book has it."""
    return (_product(item) + 1) * 49.5


def _total(item: int) -> float:
    return _quantity(item) * _price(item)


def notes(batch: Batch, seeder: Seeder) -> Columns:
    return {
        "ParentId": batch.pick(seeder.known("Account") + seeder.known("Contact")),
        "Title": batch.pick(words.SUBJECTS),
        "Body": batch.pick(words.NOTES, empty=0.1),
        "IsPrivate": batch.chance(0.2),
    }


def articles(batch: Batch, seeder: Seeder) -> Columns:
    statuses = batch.pick(("Online", "Online", "Online", "Draft", "Archived"))
    published = [f"{day}T10:15:00.000+0000" for day in seeder.dates.day(batch, 0, 700)]
    first = [None if status == "Draft" else when for status, when in zip(statuses, published, strict=True)]
    return {
        "KnowledgeArticleId": ids.series(ARTICLE, batch.numbers[0], len(batch.numbers)),
        "ArticleNumber": [counted("{000000000}", number) for number in batch.numbers],
        "Title": batch.pick(words.SUBJECTS),
        "UrlName": batch.numbered("article-%d"),
        "Summary": batch.pick(words.NOTES, empty=0.2),
        "PublishStatus": statuses,
        "Language": batch.pick(("en_US", "en_US", "de")),
        "VersionNumber": repeat(1),
        "IsLatestVersion": repeat(1),
        "IsVisibleInApp": repeat(1),
        "IsVisibleInPkb": batch.chance(0.5),
        "ArticleTotalViewCount": batch.pick(range(500)),
        "ArticleCaseAttachCount": batch.pick(range(10)),
        "FirstPublishedDate": first,
        "LastPublishedDate": first,
        "ArchivedDate": [
            when if status == "Archived" else None for status, when in zip(statuses, published, strict=True)
        ],
    }
