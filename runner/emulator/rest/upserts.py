"""Single records by an external id: read, upsert, delete."""

from __future__ import annotations

from starlette.responses import Response

from runner.emulator.errors import ApiError, not_found
from runner.emulator.http import json
from runner.emulator.rest import records
from runner.emulator.rest.call import Call, flag, nothing
from runner.emulator.schema import Field, ObjectType

#: from here on an upsert that changes answers 200 with a body
UPSERT_ANSWERS = 46.0


def retrieve(call: Call) -> Response:
    item = call.item()
    return records.shown(call, item, _by_key(call, item))


def delete(call: Call) -> Response:
    item = call.item()
    records.remove(call, item, _by_key(call, item))
    return nothing()


def upsert(call: Call) -> Response:
    """201 for a new record, 200 for one that was there; by `Id` it is an update."""
    item, name, value = call.item(), call.path["field"], call.path["value"]
    if name.lower() == "id":
        record_id, created = records.known_id(item, value), False
        records.change(call, item, record_id)
    elif flag(call.query, "updateOnly"):
        record_id, created = _by_key(call, item), False
        records.change(call, item, record_id)
    else:
        key = (key_of(item, name), value)
        record_id, created = call.org.records.upsert(item, key, call.values(), call.user_id)
    if not created and float(call.version) < UPSERT_ANSWERS:
        return nothing()
    answer = {"id": record_id, "success": True, "errors": [], "created": created}
    return json(answer, 201 if created else 200)


def create_by_key(call: Call) -> Response:
    """`POST /sobjects/Account/Id`: a new record, as an upsert by an id that is not given yet."""
    item = call.item()
    if call.path["id"].lower() != "id":
        message = "HTTP Method 'POST' not allowed. Allowed are DELETE,GET,HEAD,PATCH"
        raise ApiError("METHOD_NOT_ALLOWED", message, status=405)
    record_id = call.org.records.create(item, call.values(), call.user_id)
    return json({"id": record_id, "success": True, "errors": [], "created": True}, 201)


def key_of(item: ObjectType, name: str) -> Field:
    """The external id field of this name. Raises ApiError NOT_FOUND."""
    field = item.field(name)
    if field is None or not field.external_id:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return field


def _by_key(call: Call, item: ObjectType) -> str:
    name, value = call.path["field"], call.path["value"]
    if name.lower() == "id":
        return records.known_id(item, value)
    record_id = call.org.records.matching(item, key_of(item, name), value)
    if not record_id:
        raise not_found()
    return record_id
