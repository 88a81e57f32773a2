"""Companies and the people in them."""

from __future__ import annotations

import msgspec

from runner.emulator.objects.fields import (
    activity,
    address,
    cascading,
    checkbox,
    choices,
    computed,
    external_ids,
    person,
    picklist,
    plain,
    record_id,
    reference,
    system,
    text,
    viewed,
)
from runner.emulator.schema import Field, Kind, ObjectType

SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
RATINGS = ("Hot", "Warm", "Cold")
INDUSTRIES = (
    "Agriculture", "Banking", "Biotechnology", "Construction", "Education", "Electronics", "Energy",
    "Engineering", "Healthcare", "Insurance", "Manufacturing", "Retail", "Technology", "Transportation",
)  # fmt: skip
REGIONS = ("Africa", "Americas", "Asia", "Europe", "Oceania")
LEAD_STATUSES = (
    "Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted",
)  # fmt: skip


def objects() -> tuple[ObjectType, ...]:
    return _account(), _contact(), _lead()


def _account() -> ObjectType:
    return ObjectType(
        name="Account",
        label="Account",
        plural="Accounts",
        prefix="001",
        searchable=True,
        layoutable=True,
        fields=(
            record_id("Account ID"),
            _master("Account"),
            text("Name", label="Account Name", required=True),
            picklist("Type", "Prospect", "Customer", "Partner", "Other", label="Account Type"),
            reference("ParentId", "Account", label="Parent Account ID", children="ChildAccounts"),
            *address("Billing"),
            *address("Shipping"),
            plain("Phone", Kind.PHONE, 40, label="Account Phone"),
            plain("Fax", Kind.PHONE, 40, label="Account Fax"),
            text("AccountNumber", 40),
            plain("Website", Kind.URL, 255),
            plain("PhotoUrl", Kind.URL, 255, label="Photo URL"),
            text("Sic", 20, label="SIC Code"),
            picklist("Industry", *INDUSTRIES),
            plain("AnnualRevenue", Kind.CURRENCY),
            plain("NumberOfEmployees", Kind.INT, label="Employees"),
            picklist("Ownership", "Public", "Private", "Subsidiary", "Other"),
            text("TickerSymbol", 20),
            plain("Description", Kind.TEXTAREA, 32000, label="Account Description"),
            picklist("Rating", *RATINGS, label="Account Rating"),
            text("Site", 80, label="Account Site"),
            picklist("AccountSource", *SOURCES),
            Field(
                name="Regions__c",
                kind=Kind.MULTIPICKLIST,
                label="Regions",
                length=4099,
                choices=choices(REGIONS),
                restricted=True,
            ),
            *external_ids(),
            *system(),
            activity(),
            *viewed(),
        ),
    )


def _contact() -> ObjectType:
    return ObjectType(
        name="Contact",
        label="Contact",
        plural="Contacts",
        prefix="003",
        name_parts=("FirstName", "LastName"),
        searchable=True,
        layoutable=True,
        fields=(
            record_id("Contact ID"),
            _master("Contact"),
            cascading(reference("AccountId", "Account", children="Contacts")),
            *person(),
            *address("Other"),
            *address("Mailing"),
            plain("Phone", Kind.PHONE, 40, label="Business Phone"),
            plain("Fax", Kind.PHONE, 40, label="Business Fax"),
            plain("MobilePhone", Kind.PHONE, 40),
            plain("HomePhone", Kind.PHONE, 40),
            plain("AssistantPhone", Kind.PHONE, 40, label="Asst. Phone"),
            reference("ReportsToId", "Contact", label="Reports To ID"),
            plain("Email", Kind.EMAIL, 80),
            text("Title", 128),
            text("Department", 80),
            text("AssistantName", 40, label="Assistant's Name"),
            picklist("LeadSource", *SOURCES),
            plain("Birthdate", Kind.DATE),
            plain("Description", Kind.TEXTAREA, 32000, label="Contact Description"),
            checkbox("DoNotCall"),
            checkbox("HasOptedOutOfEmail", label="Email Opt Out"),
            *external_ids(),
            *system(),
            activity(),
            *viewed(),
        ),
    )


def _lead() -> ObjectType:
    return ObjectType(
        name="Lead",
        label="Lead",
        plural="Leads",
        prefix="00Q",
        name_parts=("FirstName", "LastName"),
        searchable=True,
        layoutable=True,
        fields=(
            record_id("Lead ID"),
            _master("Lead"),
            *person(),
            text("Title", 128),
            text("Company", required=True),
            *address(""),
            plain("Phone", Kind.PHONE, 40),
            plain("MobilePhone", Kind.PHONE, 40),
            plain("Fax", Kind.PHONE, 40),
            plain("Email", Kind.EMAIL, 80),
            plain("Website", Kind.URL, 255),
            plain("Description", Kind.TEXTAREA, 32000),
            picklist("LeadSource", *SOURCES),
            picklist("Status", *LEAD_STATUSES, default=LEAD_STATUSES[0], required=True),
            picklist("Industry", *INDUSTRIES),
            picklist("Rating", *RATINGS),
            plain("AnnualRevenue", Kind.CURRENCY),
            plain("NumberOfEmployees", Kind.INT, label="Employees"),
            computed("IsConverted", Kind.BOOLEAN, label="Converted"),
            computed("ConvertedDate", Kind.DATE, nillable=True),
            *(_converted(name) for name in ("Account", "Contact", "Opportunity")),
            *external_ids(),
            *system(owners=("Group", "User")),
            activity(),
            *viewed(),
        ),
    )


def _master(name: str) -> Field:
    """What a record was merged into."""
    return _made("MasterRecordId", name)


def _converted(name: str) -> Field:
    """What became of a lead."""
    return _made(f"Converted{name}Id", name)


def _made(name: str, target: str) -> Field:
    """A reference that nobody sets but the org."""
    return msgspec.structs.replace(reference(name, target), createable=False, updateable=False)
