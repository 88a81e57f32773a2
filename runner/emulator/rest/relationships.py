"""`/sobjects/Contact/{id}/Account`: what a record leads to; with a field's name in place of the id, the
record that has this value.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from runner.emulator import ids
from runner.emulator.errors import ApiError, not_found
from runner.emulator.rest import records, upserts
from runner.emulator.rest.call import Call, nothing, page
from runner.emulator.schema import Child, ObjectType


def retrieve(call: Call) -> Response:
    if not _is_record(call):
        return upserts.retrieve(call)
    item = call.item()
    for child in call.org.visible.children(item):
        if child.name is not None and child.name.lower() == call.path["value"].lower():
            return _children(call, item, child)
    return _at_parent(call, item, records.shown)


def upsert(call: Call) -> Response:
    if not _is_record(call):
        return upserts.upsert(call)
    return _at_parent(call, call.item(), _changed)


def delete(call: Call) -> Response:
    if not _is_record(call):
        return upserts.delete(call)
    return _at_parent(call, call.item(), _removed)


def _is_record(call: Call) -> bool:
    """Whether the second part is an id, not the name of an external id field."""
    item, text = call.item(), call.path["field"]
    return item.field(text) is None and ids.normalise(text) is not None


def _at_parent(call: Call, item: ObjectType, act: Callable[[Call, ObjectType, str], Response]) -> Response:
    name = call.path["value"]
    reference = item.by_relationship.get(name.lower())
    if reference is None:
        raise not_found()
    record_id = records.known_id(item, call.path["field"])
    call.org.records.number(item, record_id)
    parent_id = call.org.records.value(item, record_id, reference)
    parent = call.org.visible.of_id(str(parent_id)) if parent_id is not None else None
    if parent_id is None or parent is None:
        raise not_found(f"The record has no {name}")
    return act(call, parent, str(parent_id))


def _changed(call: Call, item: ObjectType, record_id: str) -> Response:
    records.change(call, item, record_id)
    return nothing()


def _removed(call: Call, item: ObjectType, record_id: str) -> Response:
    records.remove(call, item, record_id)
    return nothing()


def _children(call: Call, item: ObjectType, child: Child) -> Response:
    """As a query of the records that point here."""
    record_id = records.known_id(item, call.path["field"])
    call.org.records.number(item, record_id)
    other = call.org.visible.objects[child.object]
    names = records.wished_fields(call.query["fields"]) if call.query.get("fields") else None
    selected = ", ".join(names or [field.name for field in other.fields])
    text = f"SELECT {selected} FROM {other.name} WHERE {child.field.name} = '{record_id}'"  # noqa: S608
    try:
        return page(call.org.queries.first(call.org.asked(text, call.user_id, call.base_url)))
    except ApiError as exc:
        raise ApiError(exc.code, exc.message.rpartition("\n")[2]) from exc
