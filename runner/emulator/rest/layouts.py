"""How pages show an object: sections of two columns, and the few fields of a compact layout."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import Response

from runner.emulator import ids
from runner.emulator.errors import ApiError, not_found
from runner.emulator.http import json
from runner.emulator.rest.call import Call
from runner.emulator.rest.describe_fields import described
from runner.emulator.schema import Field, Kind, ObjectType, RecordType

#: the record type of objects that have none of their own
MASTER = RecordType(id="012000000000000AAA", name="Master", label="Master")
COLUMNS = 2
SHORT = 5

Json = dict[str, object]


def record_types(item: ObjectType, base_url: str) -> list[Json]:
    """As describe tells them; the first is the one that new records get."""
    return [
        {
            "active": True,
            "available": True,
            "defaultRecordTypeMapping": kind is item.record_types[0] if item.record_types else True,
            "developerName": kind.name,
            "master": kind is MASTER,
            "name": kind.label,
            "recordTypeId": kind.id,
            "urls": {"layout": f"{base_url}/sobjects/{item.name}/describe/layouts/{kind.id}"},
        }
        for kind in (*item.record_types, MASTER)
    ]


def layouts(call: Call) -> Response:
    """All of them; where there are record types they are told by their ids, each to be asked for alone."""
    item = _shown(call)
    kinds = (*item.record_types, MASTER)
    mappings = [_mapping(call, item, kind) for kind in kinds]
    whole = None if item.record_types else [_layout(call, item, MASTER)]
    return json({"layouts": whole, "recordTypeMappings": mappings, "recordTypeSelectorRequired": [False]})


def layout(call: Call) -> Response:
    item = _shown(call)
    wanted = ids.normalise(call.path["type"])
    for kind in (*item.record_types, MASTER):
        if kind.id == wanted:
            return json(_layout(call, item, kind))
    raise not_found()


def compact(call: Call) -> Response:
    item = call.item()
    whole = _compact(call, item)
    mappings = [
        {
            "available": True,
            "compactLayoutId": whole["id"],
            "compactLayoutName": whole["name"],
            "recordTypeId": kind.id,
            "recordTypeName": kind.label,
            "urls": {"compactLayout": f"{_url(call, item)}/compactLayouts/{whole['id']}"},
        }
        for kind in (*item.record_types, MASTER)
    ]
    return json(
        {
            "compactLayouts": [whole],
            "defaultCompactLayoutId": whole["id"],
            "recordTypeCompactLayoutMappings": mappings,
            "urls": {"primary": f"{_url(call, item)}/compactLayouts/primary"},
        }
    )


def compact_of_several(call: Call) -> Response:
    """`/compactLayouts?q=Account,Contact`"""
    names = [name.strip() for name in call.query.get("q", "").split(",") if name.strip()]
    if not names:
        raise ApiError("MISSING_ARGUMENT", "The parameter q is required")
    items = [call.org.visible.get(name) for name in names]
    if None in items:
        raise not_found()
    return json({item.name: _compact(call, item) for item in items if item is not None})


def approval(call: Call) -> Response:
    call.item()
    return json({"approvalLayouts": []})


def _shown(call: Call) -> ObjectType:
    item = call.item()
    if not item.layoutable:
        raise not_found()
    return item


def _url(call: Call, item: ObjectType) -> str:
    return f"{call.base_url}/sobjects/{item.name}/describe"


def _layout_id(call: Call, item: ObjectType, kind: RecordType) -> str:
    place = list(call.org.visible.objects).index(item.name)
    return ids.make("00h", 1 + 100 * place + (*item.record_types, MASTER).index(kind))


def _mapping(call: Call, item: ObjectType, kind: RecordType) -> Json:
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": kind is (item.record_types or (MASTER,))[0],
        "developerName": kind.name,
        "layoutId": _layout_id(call, item, kind),
        "master": kind is MASTER,
        "name": kind.label,
        "picklistsForRecordType": None,
        "recordTypeId": kind.id,
        "urls": {"layout": f"{_url(call, item)}/layouts/{kind.id}"},
    }


def _layout(call: Call, item: ObjectType, kind: RecordType) -> Json:
    sections = [_section(item, heading, fields) for heading, fields in _sections(item)]
    related = [
        {
            "field": child.field.name,
            "label": call.org.visible.objects[child.object].plural,
            "limitRows": 5,
            "name": child.name,
            "sobject": child.object,
            "columns": [],
            "sort": [],
        }
        for child in call.org.visible.children(item)
        if child.name is not None
    ]
    buttons = [
        {"custom": False, "label": label, "name": label, "overridden": False}
        for label in ("Edit", "Delete", "Clone")
    ]
    return {
        "buttonLayoutSection": {"detailButtons": buttons},
        "detailLayoutSections": sections,
        "editLayoutSections": sections,
        "feedView": None,
        "highlightsPanelLayoutSection": None,
        "id": _layout_id(call, item, kind),
        "multirowEditLayoutSections": [],
        "offlineLinks": [],
        "quickActionList": {"quickActionListItems": []},
        "relatedContent": None,
        "relatedLists": related,
        "saveOptions": [],
    }


def _sections(item: ObjectType) -> Iterator[tuple[str, list[Field]]]:
    """Headings and fields: what people fill in, addresses, descriptions, and what the org keeps itself."""
    shown = [field for field in item.fields if field.kind is not Kind.ID and field.part_of is None]
    plain = [field for field in shown if field.createable and field.filterable]
    addresses = [field for field in shown if field.parts]
    texts = [field for field in shown if field.createable and not field.filterable and not field.parts]
    system = [field for field in shown if field.name in ("CreatedById", "LastModifiedById")]
    yield f"{item.label} Information", plain
    for heading, fields in (
        ("Address Information", addresses),
        ("Description Information", texts),
        ("System Information", system),
    ):
        if fields:
            yield heading, fields


def _section(item: ObjectType, heading: str, fields: list[Field]) -> Json:
    rows = [fields[place : place + COLUMNS] for place in range(0, len(fields), COLUMNS)]
    return {
        "collapsed": False,
        "columns": COLUMNS,
        "heading": heading,
        "layoutRows": [
            {"layoutItems": [_item(item, field) for field in row], "numItems": len(row)} for row in rows
        ],
        "parentLayoutId": None,
        "rows": len(rows),
        "tabOrder": "LeftToRight",
        "useCollapsibleSection": False,
        "useHeading": True,
    }


def _item(item: ObjectType, field: Field) -> Json:
    return {
        "editableForNew": field.createable,
        "editableForUpdate": field.updateable,
        "label": field.label.removesuffix(" ID") if field.targets else field.label,
        "layoutComponents": [
            {
                "details": described(item, field),
                "displayLines": 1,
                "tabOrder": 1,
                "type": "Field",
                "value": field.name,
            }
        ],
        "placeholder": False,
        "required": field.required,
    }


def _compact(call: Call, item: ObjectType) -> Json:
    named = [field for field in item.stored if field.name == item.name_field]
    rest = [field for field in item.stored if field.sortable and field.createable and not field.targets]
    fields = list(dict.fromkeys([*named, *rest]))[:SHORT]
    components = [_item(item, field) for field in fields]
    return {
        "actions": [],
        "fieldItems": components,
        "id": None,
        "imageItems": [],
        "label": "System Default",
        "name": "SYSTEM",
        "objectType": item.name,
    }
