"""What is sold, to whom, and by which campaign."""

from __future__ import annotations

import msgspec

from runner.emulator import ids
from runner.emulator.objects.fields import (
    activity,
    belonging,
    cascading,
    checkbox,
    computed,
    external_ids,
    number,
    picklist,
    plain,
    record_id,
    reference,
    system,
    text,
    viewed,
)
from runner.emulator.objects.people import SOURCES
from runner.emulator.schema import Field, Kind, ObjectType, RecordType

STAGES = (
    "Prospecting", "Qualification", "Needs Analysis", "Value Proposition", "Proposal/Price Quote",
    "Negotiation/Review", "Closed Won", "Closed Lost",
)  # fmt: skip
FORECASTS = ("Omitted", "Pipeline", "Best Case", "Most Likely", "Commit", "Closed")
DEAL_TYPES = (
    RecordType(id=ids.make("012", 1), name="New_Business", label="New Business"),
    RecordType(id=ids.make("012", 2), name="Renewal", label="Renewal"),
)


def objects() -> tuple[ObjectType, ...]:
    return (
        _opportunity(), _line_item(), _contact_role(), _campaign(), _campaign_member(), _product(),
        _pricebook(), _pricebook_entry(),
    )  # fmt: skip


def _opportunity() -> ObjectType:
    return ObjectType(
        name="Opportunity",
        label="Opportunity",
        plural="Opportunities",
        prefix="006",
        searchable=True,
        layoutable=True,
        record_types=DEAL_TYPES,
        fields=(
            record_id("Opportunity ID"),
            cascading(reference("AccountId", "Account", children="Opportunities")),
            reference("RecordTypeId", "RecordType"),
            text("Name", 120, required=True),
            plain("Description", Kind.TEXTAREA, 32000),
            picklist("StageName", *STAGES, label="Stage", required=True),
            plain("Amount", Kind.CURRENCY),
            number("Probability", Kind.PERCENT, 3, 0, label="Probability (%)"),
            _calculated("ExpectedRevenue", Kind.CURRENCY, label="Expected Amount"),
            plain("CloseDate", Kind.DATE, required=True),
            picklist("Type", "Existing Business", "New Business", label="Opportunity Type"),
            text("NextStep"),
            picklist("LeadSource", *SOURCES),
            computed("IsClosed", Kind.BOOLEAN, label="Closed"),
            computed("IsWon", Kind.BOOLEAN, label="Won"),
            _calculated("FiscalQuarter", Kind.INT),
            _calculated("FiscalYear", Kind.INT),
            reference("CampaignId", "Campaign", children="Opportunities"),
            reference("Pricebook2Id", "Pricebook2", label="Price Book ID"),
            reference("ContactId", "Contact"),
            *external_ids(),
            *system(),
            activity(),
            *viewed(),
        ),
    )


def _calculated(name: str, kind: Kind, *, label: str | None = None) -> Field:
    return msgspec.structs.replace(computed(name, kind, label=label, nillable=True), calculated=True)


def _line_item() -> ObjectType:
    return ObjectType(
        name="OpportunityLineItem",
        label="Opportunity Product",
        plural="Opportunity Products",
        prefix="00k",
        fields=(
            record_id("Line Item ID"),
            belonging(reference("OpportunityId", "Opportunity", children="OpportunityLineItems")),
            reference("PricebookEntryId", "PricebookEntry", label="Price Book Entry ID"),
            reference("Product2Id", "Product2", label="Product ID", children="OpportunityLineItems"),
            computed("Name", Kind.STRING, 376, label="Opportunity Product Name", nillable=True),
            number("Quantity", Kind.DOUBLE, 12, 2, required=True),
            plain("UnitPrice", Kind.CURRENCY, label="Sales Price"),
            _calculated("TotalPrice", Kind.CURRENCY),
            plain("ServiceDate", Kind.DATE, label="Date"),
            text("Description", label="Line Description"),
            *external_ids(),
            *system(owners=()),
        ),
    )


def _contact_role() -> ObjectType:
    roles = ("Business User", "Decision Maker", "Economic Buyer", "Evaluator", "Influencer", "Other")
    return ObjectType(
        name="OpportunityContactRole",
        label="Opportunity Contact Role",
        plural="Opportunity Contact Role",
        prefix="00K",
        name_field="Id",
        fields=(
            record_id("Contact Role ID"),
            belonging(reference("OpportunityId", "Opportunity", children="OpportunityContactRoles")),
            belonging(reference("ContactId", "Contact", children="OpportunityContactRoles")),
            picklist("Role", *roles),
            checkbox("IsPrimary", label="Primary"),
            *external_ids(),
            *system(owners=()),
        ),
    )


def _campaign() -> ObjectType:
    return ObjectType(
        name="Campaign",
        label="Campaign",
        plural="Campaigns",
        prefix="701",
        searchable=True,
        layoutable=True,
        fields=(
            record_id("Campaign ID"),
            text("Name", 80, required=True),
            reference("ParentId", "Campaign", label="Parent Campaign ID", children="ChildCampaigns"),
            picklist("Type", "Conference", "Webinar", "Email", "Advertisement", "Other"),
            picklist("Status", "Planned", "In Progress", "Completed", "Aborted", default="Planned"),
            plain("StartDate", Kind.DATE),
            plain("EndDate", Kind.DATE),
            plain("BudgetedCost", Kind.CURRENCY),
            plain("ActualCost", Kind.CURRENCY),
            plain("ExpectedRevenue", Kind.CURRENCY),
            number("ExpectedResponse", Kind.PERCENT, 8, 2, label="Expected Response (%)"),
            number("NumberSent", Kind.DOUBLE, 18, 0, label="Num Sent"),
            checkbox("IsActive", label="Active"),
            plain("Description", Kind.TEXTAREA, 32000),
            *external_ids(),
            *system(),
            activity(),
            *viewed(),
        ),
    )


def _campaign_member() -> ObjectType:
    return ObjectType(
        name="CampaignMember",
        label="Campaign Member",
        plural="Campaign Members",
        prefix="00v",
        name_field="Id",
        fields=(
            record_id("Campaign Member ID"),
            belonging(reference("CampaignId", "Campaign", children="CampaignMembers")),
            cascading(reference("LeadId", "Lead", children="CampaignMembers")),
            cascading(reference("ContactId", "Contact", children="CampaignMembers")),
            picklist("Status", "Sent", "Responded", default="Sent"),
            _calculated("HasResponded", Kind.BOOLEAN, label="Responded"),
            *external_ids(),
            *system(owners=()),
        ),
    )


def _product() -> ObjectType:
    return ObjectType(
        name="Product2",
        label="Product",
        plural="Products",
        prefix="01t",
        searchable=True,
        layoutable=True,
        fields=(
            record_id("Product ID"),
            text("Name", label="Product Name", required=True),
            text("ProductCode"),
            plain("Description", Kind.TEXTAREA, 4000, label="Product Description"),
            checkbox("IsActive", label="Active"),
            picklist("Family", "Hardware", "Services", "Software", label="Product Family"),
            text("StockKeepingUnit", 180, label="Product SKU"),
            *external_ids(),
            *system(owners=()),
            *viewed(),
        ),
    )


def _pricebook() -> ObjectType:
    return ObjectType(
        name="Pricebook2",
        label="Price Book",
        plural="Price Books",
        prefix="01s",
        layoutable=True,
        fields=(
            record_id("Price Book ID"),
            text("Name", label="Price Book Name", required=True),
            text("Description"),
            checkbox("IsActive", label="Active"),
            computed("IsStandard", Kind.BOOLEAN, label="Is Standard Price Book"),
            *external_ids(),
            *system(owners=()),
            *viewed(),
        ),
    )


def _pricebook_entry() -> ObjectType:
    pricebook = belonging(reference("Pricebook2Id", "Pricebook2", label="Price Book ID"))
    product = belonging(reference("Product2Id", "Product2", label="Product ID"))
    held = msgspec.structs.replace(pricebook, cascade=False, restricts=True, children="PricebookEntries")
    return ObjectType(
        name="PricebookEntry",
        label="Price Book Entry",
        plural="Price Book Entries",
        prefix="01u",
        fields=(
            record_id("Price Book Entry ID"),
            computed("Name", Kind.STRING, 255, label="Product Name", nillable=True),
            computed("ProductCode", Kind.STRING, 255, nillable=True),
            held,
            msgspec.structs.replace(product, cascade=False, restricts=True, children="PricebookEntries"),
            plain("UnitPrice", Kind.CURRENCY, label="List Price", required=True),
            checkbox("IsActive", label="Active"),
            checkbox("UseStandardPrice"),
            *external_ids(),
            *system(owners=()),
        ),
    )
