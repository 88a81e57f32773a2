"""Two objects that this org has made for itself: projects, and the milestones that belong to them."""

from __future__ import annotations

import msgspec

from runner.emulator.objects.fields import (
    activity,
    belonging,
    checkbox,
    choices,
    computed,
    external_ids,
    number,
    plain,
    record_id,
    reference,
    system,
    text,
    viewed,
)
from runner.emulator.schema import Choice, Field, Kind, ObjectType

STATES = (
    Choice("planned", "Planned"),
    Choice("running", "Running"),
    Choice("on_hold", "On hold"),
    Choice("done", "Done"),
)
SKILLS = ("Analysis", "Design", "Development", "Operations", "Testing")


def objects() -> tuple[ObjectType, ...]:
    return _project(), _milestone()


def _project() -> ObjectType:
    return ObjectType(
        name="Project__c",
        label="Project",
        plural="Projects",
        prefix="a00",
        searchable=True,
        layoutable=True,
        fields=(
            record_id("Record ID"),
            text("Name", 80, label="Project Name", required=True),
            _lookup("Account__c", "Account", "Projects__r"),
            _lookup("Lead_Contact__c", "Contact", "Projects__r"),
            _state(),
            _skills(),
            number("Budget__c", Kind.CURRENCY, 16, 2),
            number("Share_Done__c", Kind.PERCENT, 5, 2),
            plain("Start_Date__c", Kind.DATE),
            plain("End_Date__c", Kind.DATE),
            checkbox("Billable__c", default=True),
            plain("Site_Url__c", Kind.URL, 255, label="Site URL"),
            plain("Summary__c", Kind.TEXTAREA, 32768),
            *_location("Place"),
            *external_ids(),
            *system(),
            activity(),
            *viewed(),
        ),
    )


def _lookup(name: str, target: str, children: str) -> Field:
    field = reference(name, target, label=name.removesuffix("__c").replace("_", " "), children=children)
    return msgspec.structs.replace(field, relationship=name.removesuffix("c") + "r")


def _state() -> Field:
    return Field(
        name="Status__c",
        kind=Kind.PICKLIST,
        label="Status",
        length=255,
        choices=STATES,
        restricted=True,
        default="planned",
    )


def _skills() -> Field:
    return Field(
        name="Skills__c",
        kind=Kind.MULTIPICKLIST,
        label="Skills",
        length=4099,
        choices=choices(SKILLS),
        restricted=True,
    )


def _location(stem: str) -> tuple[Field, ...]:
    whole = f"{stem}__c"
    parts = (
        number(f"{stem}__Latitude__s", Kind.DOUBLE, 9, 6, label=f"{stem} (Latitude)"),
        number(f"{stem}__Longitude__s", Kind.DOUBLE, 9, 6, label=f"{stem} (Longitude)"),
    )
    compound = Field(
        name=whole,
        kind=Kind.LOCATION,
        label=stem,
        createable=False,
        updateable=False,
        parts=tuple(zip(("latitude", "longitude"), (part.name for part in parts), strict=True)),
    )
    return (*(msgspec.structs.replace(part, part_of=whole) for part in parts), compound)


def _milestone() -> ObjectType:
    name = msgspec.structs.replace(
        computed("Name", Kind.STRING, 80, label="Milestone Number"), counted="M-{00000}"
    )
    return ObjectType(
        name="Milestone__c",
        label="Milestone",
        plural="Milestones",
        prefix="a01",
        layoutable=True,
        fields=(
            record_id("Record ID"),
            name,
            belonging(_lookup("Project__c", "Project__c", "Milestones__r")),
            text("Title__c", 120),
            plain("Due_Date__c", Kind.DATE),
            checkbox("Reached__c"),
            number("Effort__c", Kind.DOUBLE, 8, 1, label="Effort (days)"),
            *external_ids(),
            *system(owners=()),
        ),
    )
