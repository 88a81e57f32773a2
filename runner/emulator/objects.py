"""The standard objects that the org has, field by field, with the lengths of API v62.0."""

from __future__ import annotations

from runner.emulator.schema import (
    Field,
    Kind,
    ObjectType,
    Schema,
    checkbox,
    computed,
    external_ids,
    picklist,
    plain,
    reference,
    text,
)

SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.")
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
RATINGS = ("Hot", "Warm", "Cold")
STAGES = (
    "Prospecting", "Qualification", "Needs Analysis", "Value Proposition", "Proposal/Price Quote",
    "Negotiation/Review", "Closed Won", "Closed Lost",
)  # fmt: skip
INDUSTRIES = (
    "Agriculture", "Banking", "Biotechnology", "Construction", "Education", "Electronics", "Energy",
    "Engineering", "Healthcare", "Insurance", "Manufacturing", "Retail", "Technology", "Transportation",
)  # fmt: skip


def standard() -> Schema:
    """The objects of a new org."""
    objects = (_account(), _contact(), _opportunity(), _lead(), _case(), _task(), _event(), _campaign())
    return Schema((*objects, _user(), _organization()))


def _system(*, owner: bool = True) -> tuple[Field, ...]:
    """What every record has; ``Id`` stands first and is not among them."""
    owned = (_set_by_org("OwnerId", updateable=True),) if owner else ()
    return (
        *owned,
        computed("IsDeleted", Kind.BOOLEAN, label="Deleted"),
        computed("CreatedDate", Kind.DATETIME),
        _set_by_org("CreatedById"),
        computed("LastModifiedDate", Kind.DATETIME),
        _set_by_org("LastModifiedById"),
        computed("SystemModstamp", Kind.DATETIME, label="System Modstamp"),
    )


def _set_by_org(name: str, *, updateable: bool = False) -> Field:
    """A reference to a user that a record always has."""
    return Field(
        name=name,
        kind=Kind.REFERENCE,
        label=name.removesuffix("Id").replace("Last", "Last ").replace("By", " By") + " ID",
        length=18,
        nillable=False,
        createable=updateable,
        updateable=updateable,
        targets=("User",),
        relationship=name.removesuffix("Id"),
        default="" if updateable else None,
    )


def _id(label: str) -> Field:
    return computed("Id", Kind.ID, 18, label=label)


def _address(prefix: str) -> tuple[Field, ...]:
    return (
        plain(f"{prefix}Street", Kind.TEXTAREA, 255),
        text(f"{prefix}City", 40),
        text(f"{prefix}State", 80, label=f"{prefix} State/Province".strip()),
        text(f"{prefix}PostalCode", 20, label=f"{prefix} Zip/Postal Code".strip()),
        text(f"{prefix}Country", 80),
    )


def _person(last_name: int) -> tuple[Field, ...]:
    return (
        text("LastName", last_name, required=True),
        text("FirstName", 40),
        picklist("Salutation", *SALUTATIONS),
        computed("Name", Kind.STRING, 121, label="Full Name"),
    )


def _account() -> ObjectType:
    return ObjectType(
        name="Account",
        label="Account",
        plural="Accounts",
        prefix="001",
        fields=(
            _id("Account ID"),
            text("Name", label="Account Name", required=True),
            picklist("Type", "Prospect", "Customer", "Partner", "Other", label="Account Type"),
            reference("ParentId", "Account", label="Parent Account ID"),
            *_address("Billing"),
            *_address("Shipping"),
            plain("Phone", Kind.PHONE, 40, label="Account Phone"),
            plain("Website", Kind.URL, 255),
            picklist("Industry", *INDUSTRIES),
            plain("AnnualRevenue", Kind.CURRENCY),
            plain("NumberOfEmployees", Kind.INT, label="Employees"),
            plain("Description", Kind.TEXTAREA, 32000, label="Account Description"),
            picklist("Rating", *RATINGS, label="Account Rating"),
            text("AccountNumber", 40),
            *external_ids(),
            *_system(),
        ),
    )


def _contact() -> ObjectType:
    return ObjectType(
        name="Contact",
        label="Contact",
        plural="Contacts",
        prefix="003",
        name_parts=("FirstName", "LastName"),
        fields=(
            _id("Contact ID"),
            reference("AccountId", "Account", cascade=True),
            *_person(80),
            *_address("Mailing"),
            plain("Phone", Kind.PHONE, 40, label="Business Phone"),
            plain("MobilePhone", Kind.PHONE, 40),
            plain("Email", Kind.EMAIL, 80),
            reference("ReportsToId", "Contact", label="Reports To ID"),
            text("Title", 128),
            text("Department", 80),
            picklist("LeadSource", *SOURCES),
            plain("Birthdate", Kind.DATE),
            plain("Description", Kind.TEXTAREA, 32000, label="Contact Description"),
            checkbox("DoNotCall"),
            checkbox("HasOptedOutOfEmail", label="Email Opt Out"),
            *external_ids(),
            *_system(),
        ),
    )


def _opportunity() -> ObjectType:
    return ObjectType(
        name="Opportunity",
        label="Opportunity",
        plural="Opportunities",
        prefix="006",
        fields=(
            _id("Opportunity ID"),
            reference("AccountId", "Account", cascade=True),
            text("Name", 120, required=True),
            plain("Description", Kind.TEXTAREA, 32000),
            picklist("StageName", *STAGES, label="Stage", required=True),
            plain("Amount", Kind.CURRENCY),
            plain("Probability", Kind.PERCENT, label="Probability (%)"),
            Field(name="CloseDate", kind=Kind.DATE, label="Close Date", nillable=False),
            picklist("Type", "Existing Business", "New Business", label="Opportunity Type"),
            text("NextStep"),
            picklist("LeadSource", *SOURCES),
            reference("CampaignId", "Campaign"),
            reference("ContactId", "Contact"),
            computed("IsClosed", Kind.BOOLEAN, label="Closed"),
            computed("IsWon", Kind.BOOLEAN, label="Won"),
            *external_ids(),
            *_system(),
        ),
    )


def _lead() -> ObjectType:
    statuses = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
    return ObjectType(
        name="Lead",
        label="Lead",
        plural="Leads",
        prefix="00Q",
        name_parts=("FirstName", "LastName"),
        fields=(
            _id("Lead ID"),
            *_person(80),
            text("Title", 128),
            text("Company", required=True),
            *_address(""),
            plain("Phone", Kind.PHONE, 40),
            plain("MobilePhone", Kind.PHONE, 40),
            plain("Email", Kind.EMAIL, 80),
            plain("Website", Kind.URL, 255),
            plain("Description", Kind.TEXTAREA, 32000),
            picklist("LeadSource", *SOURCES),
            picklist("Status", *statuses, default=statuses[0], required=True),
            picklist("Industry", *INDUSTRIES),
            picklist("Rating", *RATINGS),
            plain("NumberOfEmployees", Kind.INT, label="Employees"),
            computed("IsConverted", Kind.BOOLEAN, label="Converted"),
            *external_ids(),
            *_system(),
        ),
    )


def _case() -> ObjectType:
    return ObjectType(
        name="Case",
        label="Case",
        plural="Cases",
        prefix="500",
        name_field="CaseNumber",
        fields=(
            _id("Case ID"),
            computed("CaseNumber", Kind.STRING, 30),
            reference("ContactId", "Contact"),
            reference("AccountId", "Account"),
            text("SuppliedName", 80, label="Name"),
            plain("SuppliedEmail", Kind.EMAIL, 80, label="Email Address"),
            picklist(
                "Type", "Mechanical", "Electrical", "Electronic", "Structural", "Other", label="Case Type"
            ),
            picklist("Status", "New", "Working", "Escalated", "Closed", default="New"),
            picklist("Reason", "Installation", "Performance", "Breakdown", "Other", label="Case Reason"),
            picklist("Origin", "Phone", "Email", "Web", label="Case Origin"),
            text("Subject"),
            picklist("Priority", "High", "Medium", "Low", default="Medium"),
            plain("Description", Kind.TEXTAREA, 32000),
            computed("IsClosed", Kind.BOOLEAN, label="Closed"),
            plain("ClosedDate", Kind.DATETIME),
            *external_ids(),
            *_system(),
        ),
    )


def _activity(closing: tuple[Field, ...]) -> tuple[Field, ...]:
    return (
        reference("WhoId", "Contact", "Lead", label="Name ID"),
        reference("WhatId", "Account", "Opportunity", "Case", "Campaign", label="Related To ID"),
        text("Subject"),
        plain("ActivityDate", Kind.DATE, label="Due Date Only"),
        *closing,
        plain("Description", Kind.TEXTAREA, 32000),
        *external_ids(),
        *_system(),
    )


def _task() -> ObjectType:
    statuses = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")
    closing = (
        picklist("Status", *statuses, default=statuses[0], required=True),
        picklist("Priority", "High", "Normal", "Low", default="Normal", required=True),
        computed("IsClosed", Kind.BOOLEAN, label="Closed"),
    )
    fields = (_id("Activity ID"), *_activity(closing))
    return ObjectType(
        name="Task", label="Task", plural="Tasks", prefix="00T", name_field="Subject", fields=fields
    )


def _event() -> ObjectType:
    closing = (
        text("Location"),
        plain("StartDateTime", Kind.DATETIME, label="Start Date Time"),
        plain("EndDateTime", Kind.DATETIME, label="End Date Time"),
        checkbox("IsAllDayEvent", label="All-Day Event"),
    )
    fields = (_id("Activity ID"), *_activity(closing))
    return ObjectType(
        name="Event", label="Event", plural="Events", prefix="00U", name_field="Subject", fields=fields
    )


def _campaign() -> ObjectType:
    return ObjectType(
        name="Campaign",
        label="Campaign",
        plural="Campaigns",
        prefix="701",
        fields=(
            _id("Campaign ID"),
            text("Name", 80, required=True),
            picklist("Type", "Conference", "Webinar", "Email", "Advertisement", "Other"),
            picklist("Status", "Planned", "In Progress", "Completed", "Aborted", default="Planned"),
            plain("StartDate", Kind.DATE),
            plain("EndDate", Kind.DATE),
            plain("BudgetedCost", Kind.CURRENCY),
            checkbox("IsActive", label="Active"),
            plain("Description", Kind.TEXTAREA, 32000),
            *external_ids(),
            *_system(),
        ),
    )


def _user() -> ObjectType:
    return ObjectType(
        name="User",
        label="User",
        plural="Users",
        prefix="005",
        name_parts=("FirstName", "LastName"),
        deletable=False,
        fields=(
            _id("User ID"),
            text("Username", 80, required=True),
            text("LastName", 80, required=True),
            text("FirstName", 40),
            computed("Name", Kind.STRING, 121, label="Full Name"),
            text("CompanyName", 80),
            text("Department", 80),
            text("Title", 80),
            Field(name="Email", kind=Kind.EMAIL, label="Email", length=128, nillable=False),
            plain("Phone", Kind.PHONE, 40),
            text("Alias", 8),
            picklist("TimeZoneSidKey", "GMT", "Europe/London", "America/New_York", label="Time Zone"),
            picklist("LocaleSidKey", "en_US", "en_GB", label="Locale"),
            checkbox("IsActive", label="Active", default=True),
            picklist("UserType", "Standard", label="User Type"),
            *external_ids(),
            *_system(owner=False),
        ),
    )


def _organization() -> ObjectType:
    return ObjectType(
        name="Organization",
        label="Organization",
        plural="Organizations",
        prefix="00D",
        createable=False,
        deletable=False,
        fields=(
            _id("Organization ID"),
            text("Name", 80, required=True),
            text("InstanceName", 5),
            picklist("OrganizationType", "Developer Edition", label="Edition"),
            checkbox("IsSandbox", label="Is Sandbox"),
            *_system(owner=False),
        ),
    )
