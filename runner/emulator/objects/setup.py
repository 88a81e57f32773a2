"""Who works in the org, and the org itself."""

from __future__ import annotations

from runner.emulator.objects.fields import (
    address,
    checkbox,
    computed,
    external_ids,
    person,
    picklist,
    plain,
    record_id,
    reference,
    restricted,
    system,
    text,
)
from runner.emulator.schema import Kind, ObjectType

TIME_ZONES = (
    "GMT", "Europe/London", "Europe/Berlin", "America/New_York", "America/Los_Angeles", "Asia/Tokyo",
    "Asia/Kolkata",
)  # fmt: skip
LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "ja_JP")


def objects() -> tuple[ObjectType, ...]:
    return _user(), _profile(), _role(), _group(), _record_type(), _organization()


def _user() -> ObjectType:
    return ObjectType(
        name="User",
        label="User",
        plural="Users",
        prefix="005",
        name_parts=("FirstName", "LastName"),
        deletable=False,
        searchable=True,
        layoutable=True,
        fields=(
            record_id("User ID"),
            text("Username", 80, required=True),
            *(field for field in person() if field.name != "Salutation"),
            text("CompanyName", 80),
            text("Division", 80),
            text("Department", 80),
            text("Title", 80),
            *address(""),
            plain("Email", Kind.EMAIL, 128, required=True),
            plain("Phone", Kind.PHONE, 40),
            plain("MobilePhone", Kind.PHONE, 40, label="Mobile"),
            text("Alias", 8),
            text("CommunityNickname", 40, label="Nickname"),
            checkbox("IsActive", label="Active", default=True),
            reference("UserRoleId", "UserRole", label="Role ID", children="Users"),
            reference("ProfileId", "Profile", children="Users"),
            reference("ManagerId", "User", children="ManagedUsers"),
            restricted(picklist("UserType", "Standard", "Guest", default="Standard", label="User Type")),
            restricted(picklist("TimeZoneSidKey", *TIME_ZONES, default="GMT", label="Time Zone")),
            restricted(picklist("LocaleSidKey", *LOCALES, default="en_US", label="Locale")),
            restricted(picklist("LanguageLocaleKey", "en_US", "de", "fr", "ja", default="en_US")),
            restricted(picklist("EmailEncodingKey", "UTF-8", "ISO-8859-1", default="UTF-8")),
            computed("LastLoginDate", Kind.DATETIME, label="Last Login", nillable=True),
            text("EmployeeNumber", 20),
            text("FederationIdentifier", 512, label="SAML Federation ID"),
            *external_ids(),
            *system(owners=()),
        ),
    )


def _profile() -> ObjectType:
    return ObjectType(
        name="Profile",
        label="Profile",
        plural="Profiles",
        prefix="00e",
        createable=False,
        updateable=False,
        deletable=False,
        fields=(
            record_id("Profile ID"),
            text("Name", required=True),
            picklist("UserType", "Standard", "Guest", label="User Type"),
            text("Description"),
            *system(owners=()),
        ),
    )


def _role() -> ObjectType:
    return ObjectType(
        name="UserRole",
        label="Role",
        plural="Roles",
        prefix="00E",
        fields=(
            record_id("Role ID"),
            text("Name", 80, required=True),
            reference("ParentRoleId", "UserRole"),
            text("DeveloperName", 80),
            *system(owners=()),
        ),
    )


def _group() -> ObjectType:
    kinds = ("Regular", "Queue", "Role", "Organization")
    return ObjectType(
        name="Group",
        label="Group",
        plural="Groups",
        prefix="00G",
        fields=(
            record_id("Group ID"),
            text("Name", 40, required=True),
            text("DeveloperName", 80),
            restricted(picklist("Type", *kinds, default="Regular")),
            plain("Email", Kind.EMAIL, 255),
            *system(owners=()),
        ),
    )


def _record_type() -> ObjectType:
    return ObjectType(
        name="RecordType",
        label="Record Type",
        plural="Record Types",
        prefix="012",
        createable=False,
        updateable=False,
        deletable=False,
        fields=(
            record_id("Record Type ID"),
            text("Name", 80, required=True),
            text("DeveloperName", 80, required=True),
            text("Description"),
            picklist("SobjectType", "Opportunity", label="SObject Type Name", required=True),
            checkbox("IsActive", label="Active", default=True),
            *system(owners=()),
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
            record_id("Organization ID"),
            text("Name", 80, required=True),
            *address(""),
            plain("Phone", Kind.PHONE, 40),
            text("InstanceName", 5),
            picklist("OrganizationType", "Developer Edition", label="Edition"),
            picklist("LanguageLocaleKey", "en_US", default="en_US", label="Language"),
            picklist("DefaultLocaleSidKey", *LOCALES, label="Locale"),
            picklist("TimeZoneSidKey", *TIME_ZONES, label="Time Zone"),
            plain("FiscalYearStartMonth", Kind.INT, label="Fiscal Year Starts In"),
            checkbox("IsSandbox", label="Is Sandbox"),
            text("NamespacePrefix", 15),
            plain("TrialExpirationDate", Kind.DATETIME),
            *system(owners=()),
        ),
    )
