"""Quick actions: new records from where somebody is, with what is known there filled in."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from runner.emulator.errors import ApiError, not_found
from runner.emulator.http import json
from runner.emulator.rest.call import Call
from runner.emulator.rest.records import known_id, unlike_others
from runner.emulator.schema import ObjectType

Json = dict[str, object]


class Action(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    label: str
    #: the object of the records that it creates
    target: str
    #: what it fills in
    filled: dict[str, object] = {}
    #: by the object that it starts from, the field that points there
    links: dict[str, str] = {}
    kind: str = "Create"


ACTIONS = (
    Action(name="NewAccount", label="New Account", target="Account", links={"Account": "ParentId"}),
    Action(
        name="NewContact",
        label="New Contact",
        target="Contact",
        links={"Account": "AccountId", "Contact": "ReportsToId"},
    ),
    Action(name="NewLead", label="New Lead", target="Lead"),
    Action(
        name="NewOpportunity",
        label="New Opportunity",
        target="Opportunity",
        links={"Account": "AccountId", "Campaign": "CampaignId"},
    ),
    Action(
        name="NewCase",
        label="New Case",
        target="Case",
        filled={"Origin": "Web"},
        links={"Account": "AccountId", "Contact": "ContactId", "Case": "ParentId"},
    ),
    Action(
        name="NewTask",
        label="New Task",
        target="Task",
        links={
            "Account": "WhatId", "Opportunity": "WhatId", "Case": "WhatId", "Campaign": "WhatId",
            "Project__c": "WhatId", "Contact": "WhoId", "Lead": "WhoId",
        },
    ),
    Action(
        name="LogACall",
        label="Log a Call",
        target="Task",
        kind="LogACall",
        filled={"Subject": "Call", "Status": "Completed", "TaskSubtype": "Call"},
        links={
            "Account": "WhatId", "Opportunity": "WhatId", "Case": "WhatId", "Contact": "WhoId",
            "Lead": "WhoId",
        },
    ),
    Action(
        name="NewMilestone",
        label="New Milestone",
        target="Milestone__c",
        links={"Project__c": "Project__c"},
    ),
)  # fmt: skip


def listed(call: Call) -> Response:
    """The actions of an object; without one those that start from anywhere."""
    return json([_told(call, action) for action in _known(call)])


def shown(call: Call) -> Response:
    return json(_told(call, _wanted(call)))


def described(call: Call) -> Response:
    action = _wanted(call)
    start = _start(call)
    target = call.org.visible.objects[action.target]
    return json(
        _told(call, action)
        | {
            "contextSobjectType": start.name if start else None,
            "defaultValues": None,
            "height": None,
            "iconName": None,
            "layout": {"layoutRows": [], "name": "Action"},
            "miniIconUrl": None,
            "targetParentField": action.links.get(start.name) if start else None,
            "targetRecordTypeId": None,
            "targetSobjectType": target.name,
            "width": None,
        }
    )


def defaults(call: Call) -> Response:
    """What a new record begins with; from a record, also the reference to it."""
    action = _wanted(call)
    context = call.path.get("context", "")
    return json({"attributes": {"type": action.target}, **_filled(call, action, context)})


def performed(call: Call) -> Response:
    action = _wanted(call)
    said = call.values()
    context = said.get("contextId") or said.get("parentId") or ""
    given = said.get("record")
    if not isinstance(given, dict):
        raise ApiError("JSON_PARSER_ERROR", "record must be an object at [line:1, column:1]")
    values = _filled(call, action, str(context)) | given
    record_id = call.org.records.create(
        call.org.visible.objects[action.target], values, call.user_id, unlike_others=unlike_others(call)
    )
    told = {
        "contextId": context or None,
        "created": True,
        "errors": [],
        "feedItemIds": [],
        "id": record_id,
        "success": True,
    }
    return json(told, 201)


def _start(call: Call) -> ObjectType | None:
    return call.item() if "object" in call.path else None


def _known(call: Call) -> list[Action]:
    start = _start(call)
    return [
        action
        for action in ACTIONS
        if (start is None and action.target != "Milestone__c")
        or (start is not None and start.name in action.links)
    ]


def _wanted(call: Call) -> Action:
    name = call.path["action"].rpartition(".")[2]
    for action in _known(call):
        if action.name.lower() == name.lower():
            return action
    raise not_found()


def _filled(call: Call, action: Action, context: str) -> Json:
    start = _start(call)
    if start is None or not context:
        return dict(action.filled)
    return {**action.filled, action.links[start.name]: known_id(start, context)}


def _told(call: Call, action: Action) -> Json:
    start = _start(call)
    base = f"{call.base_url}/sobjects/{start.name}" if start else call.base_url
    url = f"{base}/quickActions/{action.name}"
    name = f"{start.name}.{action.name}" if start else action.name
    return {
        "actionEnumOrId": name,
        "label": action.label,
        "name": name,
        "type": action.kind,
        "urls": {
            "defaultValues": f"{url}/defaultValues",
            "defaultValuesTemplate": f"{url}/defaultValues/{{ID}}",
            "describe": f"{url}/describe",
            "quickAction": url,
        },
    }
