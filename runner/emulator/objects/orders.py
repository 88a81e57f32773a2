"""What was agreed and what was ordered."""

from __future__ import annotations

import msgspec

from runner.emulator.objects.fields import (
    activity,
    address,
    belonging,
    computed,
    external_ids,
    number,
    picklist,
    plain,
    record_id,
    reference,
    restricted,
    system,
    text,
    viewed,
)
from runner.emulator.schema import Field, Kind, ObjectType

CONTRACT_STATUSES = ("Draft", "In Approval Process", "Activated")
ORDER_STATUSES = ("Draft", "Activated")


def objects() -> tuple[ObjectType, ...]:
    return _contract(), _order(), _order_item()


def _numbered(name: str, pattern: str) -> Field:
    return msgspec.structs.replace(computed(name, Kind.STRING, 30), counted=pattern)


def _summed(name: str) -> Field:
    return msgspec.structs.replace(computed(name, Kind.CURRENCY, nillable=True), calculated=True)


def _contract() -> ObjectType:
    return ObjectType(
        name="Contract",
        label="Contract",
        plural="Contracts",
        prefix="800",
        name_field="ContractNumber",
        searchable=True,
        layoutable=True,
        fields=(
            record_id("Contract ID"),
            msgspec.structs.replace(reference("AccountId", "Account", children="Contracts"), nillable=False),
            reference("Pricebook2Id", "Pricebook2", label="Price Book ID", children="Contracts"),
            plain("StartDate", Kind.DATE, label="Contract Start Date"),
            computed("EndDate", Kind.DATE, label="Contract End Date", nillable=True),
            *address("Billing"),
            *address("Shipping"),
            number("ContractTerm", Kind.INT, 9, 0),
            restricted(picklist("Status", *CONTRACT_STATUSES, default="Draft")),
            computed("StatusCode", Kind.PICKLIST, 255, label="Status Category"),
            reference("CompanySignedId", "User", label="Company Signed By", children="ContractsSigned"),
            plain("CompanySignedDate", Kind.DATE),
            reference("CustomerSignedId", "Contact", label="Customer Signed By", children="ContractsSigned"),
            text("CustomerSignedTitle", 40),
            plain("CustomerSignedDate", Kind.DATE),
            plain("SpecialTerms", Kind.TEXTAREA, 4000),
            computed("ActivatedDate", Kind.DATETIME, nillable=True),
            plain("Description", Kind.TEXTAREA, 32000),
            _numbered("ContractNumber", "{00000000}"),
            *external_ids(),
            *system(),
            activity(),
            *viewed(),
        ),
    )


def _order() -> ObjectType:
    return ObjectType(
        name="Order",
        label="Order",
        plural="Orders",
        prefix="801",
        name_field="OrderNumber",
        searchable=True,
        layoutable=True,
        fields=(
            record_id("Order ID"),
            msgspec.structs.replace(reference("AccountId", "Account", children="Orders"), nillable=False),
            reference("ContractId", "Contract", children="Orders"),
            reference("Pricebook2Id", "Pricebook2", label="Price Book ID", children="Orders"),
            plain("EffectiveDate", Kind.DATE, label="Order Start Date", required=True),
            plain("EndDate", Kind.DATE, label="Order End Date"),
            restricted(picklist("Status", *ORDER_STATUSES, default="Draft")),
            computed("StatusCode", Kind.PICKLIST, 255, label="Status Category"),
            picklist("Type", "New", "Renewal", "Replacement", label="Order Type"),
            *address("Billing"),
            *address("Shipping"),
            reference("BillToContactId", "Contact"),
            reference("ShipToContactId", "Contact"),
            text("PoNumber", 80, label="PO Number"),
            plain("Description", Kind.TEXTAREA, 32000),
            computed("ActivatedDate", Kind.DATETIME, nillable=True),
            _numbered("OrderNumber", "{00000000}"),
            _summed("TotalAmount"),
            *external_ids(),
            *system(),
            *viewed(),
        ),
    )


def _order_item() -> ObjectType:
    return ObjectType(
        name="OrderItem",
        label="Order Product",
        plural="Order Products",
        prefix="802",
        name_field="OrderItemNumber",
        fields=(
            record_id("Order Product ID"),
            belonging(reference("OrderId", "Order", children="OrderItems")),
            reference("PricebookEntryId", "PricebookEntry", label="Price Book Entry ID"),
            reference("Product2Id", "Product2", label="Product ID", children="OrderItems"),
            _numbered("OrderItemNumber", "{0000000000}"),
            number("Quantity", Kind.DOUBLE, 16, 2, required=True),
            plain("UnitPrice", Kind.CURRENCY),
            computed("ListPrice", Kind.CURRENCY, nillable=True),
            _summed("TotalPrice"),
            plain("ServiceDate", Kind.DATE, label="Start Date"),
            plain("EndDate", Kind.DATE),
            text("Description", label="Line Description"),
            *external_ids(),
            *system(owners=()),
        ),
    )
