"""Describe: what objects there are, and of what fields."""

from __future__ import annotations

from starlette.responses import Response

from runner.emulator.http import json
from runner.emulator.rest.call import Call
from runner.emulator.rest.describe_fields import described as described_field
from runner.emulator.schema import Child, ObjectType


def everything(call: Call) -> Response:
    described = [_object(item, call.base_url) for item in call.org.schema]
    return json({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": described})


def basics(call: Call) -> Response:
    """A few words on an object, and what was changed last."""
    item = call.item()
    rows = call.org.database.rows(
        f'SELECT Id, "{item.name_field}" FROM "{item.name}" '  # noqa: S608
        "WHERE IsDeleted = 0 ORDER BY SystemModstamp DESC LIMIT 5"
    )
    url = f"{call.base_url}/sobjects/{item.name}"
    recent = [
        {"attributes": {"type": item.name, "url": f"{url}/{row[0]}"}, "Id": row[0], item.name_field: row[1]}
        for row in rows
    ]
    return json({"objectDescribe": _object(item, call.base_url), "recentItems": recent})


def describe(call: Call) -> Response:
    item = call.item()
    described = _object(item, call.base_url) | {
        "fields": [described_field(item, field) for field in item.fields],
        "childRelationships": [_child(child) for child in call.org.schema.children(item)],
        "recordTypeInfos": [],
        "namedLayoutInfos": [],
        "supportedScopes": [{"label": f"All {item.plural}", "name": "everything"}],
        "actionOverrides": [],
        "listviewable": None,
        "lookupLayoutable": None,
        "searchLayoutable": True,
        "compactLayoutable": True,
    }
    described["urls"] = _urls(item, call.base_url) | {"uiNewRecord": f"{call.org.url}/{item.prefix}/e"}
    return json(described)


def _urls(item: ObjectType, base_url: str) -> dict[str, str]:
    url = f"{base_url}/sobjects/{item.name}"
    return {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"}


def _object(item: ObjectType, base_url: str) -> dict[str, object]:
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
        "feedEnabled": False,
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
        "triggerable": item.createable,
        "undeletable": item.deletable,
        "updateable": item.updateable,
        "urls": _urls(item, base_url),
    }


def _child(child: Child) -> dict[str, object]:
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
