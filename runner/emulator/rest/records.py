"""Single records: create, read, update, delete, and all of these by an external id."""

from __future__ import annotations

import re

import orjson
from starlette.responses import Response

from runner.emulator import ids
from runner.emulator.errors import ApiError, not_found
from runner.emulator.http import json
from runner.emulator.records import Several
from runner.emulator.rest.call import Call, nothing, page
from runner.emulator.schema import Field, ObjectType
from runner.emulator.soql.compile import Asked

#: from here on an upsert that changes answers 200 with a body
UPSERT_ANSWERS = 46.0
_FIELDS = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)


def create(call: Call) -> Response:
    record_id = call.org.records.create(call.item(), call.values(), call.user_id)
    return json({"id": record_id, "success": True, "errors": []}, 201)


def retrieve(call: Call) -> Response:
    item = call.item()
    return _shown(call, item, _id(item, call.path["id"]))


def update(call: Call) -> Response:
    item = call.item()
    call.org.records.update(item, _id(item, call.path["id"]), call.values(), call.user_id)
    return nothing()


def delete(call: Call) -> Response:
    item = call.item()
    call.org.records.delete(item, _id(item, call.path["id"]), call.user_id)
    return nothing()


def retrieve_by_key(call: Call) -> Response:
    item = call.item()
    return _shown(call, item, _by_key(call, item))


def delete_by_key(call: Call) -> Response:
    item = call.item()
    call.org.records.delete(item, _by_key(call, item), call.user_id)
    return nothing()


def upsert(call: Call) -> Response:
    """201 for a new record, 200 for one that was there; by `Id` it is an update."""
    item = call.item()
    if call.path["field"].lower() == "id":
        record_id, created = _id(item, call.path["value"]), False
        call.org.records.update(item, record_id, call.values(), call.user_id)
    else:
        key = (_key(item, call.path["field"]), call.path["value"])
        record_id, created = call.org.records.upsert(item, key, call.values(), call.user_id)
    if not created and float(call.version) < UPSERT_ANSWERS:
        return nothing()
    answer = {"id": record_id, "success": True, "errors": [], "created": created}
    return json(answer, 201 if created else 200)


def several(call: Call, exc: Several) -> Response:
    """300: the URLs of all records that have the external id."""
    name = call.item().name
    return json([f"{call.base_url}/sobjects/{name}/{record_id}" for record_id in exc.ids], 300)


def _id(item: ObjectType, text: str) -> str:
    record_id = ids.normalise(text)
    if record_id is None:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {text}")
    if not record_id.startswith(item.prefix):
        raise ApiError("MALFORMED_ID", f"{item.label} ID: id value of incorrect type: {text}", fields=["Id"])
    return record_id


def _key(item: ObjectType, name: str) -> Field:
    field = item.field(name)
    if field is None or not field.external_id:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return field


def _by_key(call: Call, item: ObjectType) -> str:
    if call.path["field"].lower() == "id":
        return _id(item, call.path["value"])
    record_id = call.org.records.matching(item, _key(item, call.path["field"]), call.path["value"])
    if not record_id:
        raise not_found()
    return record_id


def _shown(call: Call, item: ObjectType, record_id: str) -> Response:
    """A record by a query of its own, so that it is written as in every other answer."""
    call.org.records.number(item, record_id)
    names = _wished(call.query["fields"]) if call.query.get("fields") else list(item.columns)
    text = f"SELECT {', '.join(names)} FROM {item.name} WHERE Id = '{record_id}'"  # noqa: S608
    result = call.org.queries.first(Asked(text=text, now=call.org.clock.now(), base_url=call.base_url))
    return page(orjson.dumps(orjson.loads(result)["records"][0]))


def _wished(fields: str) -> list[str]:
    names = [name.strip() for name in fields.split(",")]
    for name in names:
        if not _FIELDS.fullmatch(name):
            raise ApiError("INVALID_FIELD", f"No such column '{name}'")
    return list(dict.fromkeys(names))
