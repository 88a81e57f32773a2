"""What people ask for, and what is done about it."""

from __future__ import annotations

import msgspec

from runner.emulator.objects.fields import (
    checkbox,
    choices,
    computed,
    external_ids,
    picklist,
    plain,
    record_id,
    reference,
    system,
    text,
    viewed,
)
from runner.emulator.schema import Field, Kind, ObjectType

TASK_STATUSES = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")


def objects() -> tuple[ObjectType, ...]:
    return _case(), _task(), _event()


def _case() -> ObjectType:
    number = computed("CaseNumber", Kind.STRING, 30)
    return ObjectType(
        name="Case",
        label="Case",
        plural="Cases",
        prefix="500",
        name_field="CaseNumber",
        searchable=True,
        layoutable=True,
        fields=(
            record_id("Case ID"),
            msgspec.structs.replace(number, counted="{00000000}"),
            reference("ContactId", "Contact", children="Cases"),
            reference("AccountId", "Account", children="Cases"),
            reference("ParentId", "Case", label="Parent Case ID", children="Cases"),
            text("SuppliedName", 80, label="Name"),
            plain("SuppliedEmail", Kind.EMAIL, 80, label="Email Address"),
            plain("SuppliedPhone", Kind.STRING, 40, label="Phone"),
            text("SuppliedCompany", 80, label="Company"),
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
            computed("ClosedDate", Kind.DATETIME, nillable=True),
            checkbox("IsEscalated", label="Escalated"),
            *external_ids(),
            *system(owners=("Group", "User")),
            *viewed(),
        ),
    )


def _subject() -> Field:
    usual = ("Call", "Email", "Send Letter", "Send Quote", "Other")
    return Field(name="Subject", kind=Kind.COMBOBOX, label="Subject", length=255, choices=choices(usual))


def _activity(name: str, prefix: str, special: tuple[Field, ...]) -> ObjectType:
    plural = f"{name}s"
    related = ("Account", "Opportunity", "Campaign", "Case", "Project__c")
    return ObjectType(
        name=name,
        label=name,
        plural=plural,
        prefix=prefix,
        name_field="Subject",
        searchable=True,
        layoutable=True,
        fields=(
            record_id("Activity ID"),
            reference("WhoId", "Contact", "Lead", label="Name ID", children=plural),
            reference("WhatId", *related, label="Related To ID", children=plural),
            _subject(),
            plain("ActivityDate", Kind.DATE, label="Due Date Only"),
            *special,
            plain("Description", Kind.TEXTAREA, 32000),
            *external_ids(),
            *system(),
        ),
    )


def _task() -> ObjectType:
    special = (
        picklist("Status", *TASK_STATUSES, default=TASK_STATUSES[0], required=True),
        picklist("Priority", "High", "Normal", "Low", default="Normal", required=True),
        computed("IsHighPriority", Kind.BOOLEAN, label="High Priority"),
        computed("IsClosed", Kind.BOOLEAN, label="Closed"),
        computed("CompletedDateTime", Kind.DATETIME, label="Completed Date/Time", nillable=True),
        picklist("TaskSubtype", "Task", "Email", "Call", default="Task", label="Task Subtype"),
        picklist("CallType", "Internal", "Inbound", "Outbound"),
        plain("CallDurationInSeconds", Kind.INT, label="Call Duration"),
    )
    return _activity("Task", "00T", special)


def _event() -> ObjectType:
    special = (
        text("Location"),
        plain("StartDateTime", Kind.DATETIME, label="Start Date Time"),
        plain("EndDateTime", Kind.DATETIME, label="End Date Time"),
        plain("DurationInMinutes", Kind.INT, label="Duration (Minutes)"),
        checkbox("IsAllDayEvent", label="All-Day Event"),
        checkbox("IsPrivate", label="Private"),
        picklist("ShowAs", "Busy", "OutOfOffice", "Free", default="Busy", label="Show Time As"),
    )
    return _activity("Event", "00U", special)
