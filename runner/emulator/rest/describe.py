"""Describe: what objects there are, and of what fields."""

from __future__ import annotations

from starlette.responses import Response

from runner.emulator.http import json
from runner.emulator.rest.about import shown_records
from runner.emulator.rest.call import Call
from runner.emulator.rest.describe_fields import described as described_field
from runner.emulator.rest.layouts import record_types
from runner.emulator.rest.preconditions import dated
from runner.emulator.schema import Child, ObjectType

RECENT = 5

Json = dict[str, object]


def everything(call: Call) -> Response:
    described = [_object(item, call.base_url) for item in call.org.visible]
    return dated(json({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": described}), call.org.founded)


def basics(call: Call) -> Response:
    """A few words on an object, and what the user looked at last."""
    item = call.item()
    recent = shown_records(call, call.org.recents.listed(call.user_id, RECENT, item.name))
    return json({"objectDescribe": _object(item, call.base_url), "recentItems": recent})


def describe(call: Call) -> Response:
    item = call.item()
    scopes = [("everything", f"All {item.plural}"), ("mine", f"My {item.plural}")]
    described = _object(item, call.base_url) | {
        "actionOverrides": [],
        "childRelationships": [_child(child) for child in call.org.visible.children(item)],
        "compactLayoutable": item.layoutable,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [described_field(item, field) for field in item.fields],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": record_types(item, call.base_url),
        "searchLayoutable": item.searchable,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [
            {"label": label, "name": name} for name, label in scopes[: 1 + bool(item.field("OwnerId"))]
        ],
    }
    described["urls"] = _urls(item, call.base_url) | _pages(call, item)
    return dated(json(dict(sorted(described.items()))), call.org.founded)


def _urls(item: ObjectType, base_url: str) -> dict[str, str]:
    url = f"{base_url}/sobjects/{item.name}"
    urls = {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"}
    if not item.layoutable:
        return urls
    more = {
        "approvalLayouts": f"{url}/describe/approvalLayouts",
        "compactLayouts": f"{url}/describe/compactLayouts",
        "layouts": f"{url}/describe/layouts",
        "quickActions": f"{url}/quickActions",
    }
    return urls | more


def _pages(call: Call, item: ObjectType) -> dict[str, str]:
    """Where people would see the records."""
    if not item.layoutable:
        return {}
    return {
        "uiDetailTemplate": f"{call.org.url}/{{ID}}",
        "uiEditTemplate": f"{call.org.url}/{{ID}}/e",
        "uiNewRecord": f"{call.org.url}/{item.prefix}/e",
    }


def _object(item: ObjectType, base_url: str) -> Json:
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": item.createable,
        "custom": item.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": item.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": item.layoutable,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": item.prefix,
        "label": item.label,
        "labelPlural": item.plural,
        "layoutable": item.layoutable,
        "mergeable": item.name in ("Account", "Contact", "Lead"),
        "mruEnabled": item.layoutable,
        "name": item.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": item.searchable,
        "triggerable": item.layoutable,
        "undeletable": item.deletable,
        "updateable": item.updateable,
        "urls": _urls(item, base_url),
    }


def _child(child: Child) -> Json:
    return {
        "cascadeDelete": child.field.cascade,
        "childSObject": child.object,
        "deprecatedAndHidden": False,
        "field": child.field.name,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": child.name,
        "restrictedDelete": child.field.restricts,
    }
