"""Single records by their ids: create, read, update, delete."""

from __future__ import annotations

import re

from starlette.responses import Response

from runner.emulator import ids
from runner.emulator.database import quote
from runner.emulator.errors import ApiError, not_found
from runner.emulator.http import json
from runner.emulator.rest import preconditions
from runner.emulator.rest.call import Call, nothing, page
from runner.emulator.schema import ObjectType

_FIELDS = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)


def create(call: Call) -> Response:
    item = call.item()
    record_id = call.org.records.create(item, call.values(), call.user_id, unlike_others=unlike_others(call))
    return created(call, item, record_id)


def created(call: Call, item: ObjectType, record_id: str) -> Response:
    answer = json({"id": record_id, "success": True, "errors": []}, 201)
    answer.headers["Location"] = f"{call.base_url}/sobjects/{item.name}/{record_id}"
    return answer


def unlike_others(call: Call) -> bool:
    """Whether the duplicate rules hold: they are on, and the client does not insist."""
    insists = "allowsave=true" in call.headers.get("sforce-duplicate-rule-header", "").lower().replace(
        " ", ""
    )
    return call.org.options.duplicate_rules and not insists


def retrieve(call: Call) -> Response:
    item = call.item()
    return shown(call, item, known_id(item, call.path["id"]))


def update(call: Call) -> Response:
    item = call.item()
    change(call, item, known_id(item, call.path["id"]))
    return nothing()


def delete(call: Call) -> Response:
    item = call.item()
    remove(call, item, known_id(item, call.path["id"]))
    return nothing()


def change(call: Call, item: ObjectType, record_id: str) -> None:
    _check(call, item, record_id)
    call.org.records.update(item, record_id, call.values(), call.user_id)


def remove(call: Call, item: ObjectType, record_id: str) -> None:
    _check(call, item, record_id)
    call.org.records.delete(item, record_id, call.user_id)


def known_id(item: ObjectType, text: str) -> str:
    """An id of this object, as 18 characters. Raises ApiError."""
    record_id = ids.normalise(text)
    if record_id is None:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {text}")
    if not record_id.startswith(item.prefix):
        raise ApiError("MALFORMED_ID", f"{item.label} ID: id value of incorrect type: {text}", fields=["Id"])
    return record_id


def shown(call: Call, item: ObjectType, record_id: str) -> Response:
    """A record as every query writes it."""
    call.org.records.number(item, record_id)
    names = wished_fields(call.query["fields"]) if call.query.get("fields") else None
    (record,) = call.org.queries.records(item, [record_id], names, call.base_url)
    modified, etag = _state(call, item, record_id)
    return preconditions.dated(page(record or b"null"), modified, etag)


def wished_fields(text: str) -> list[str]:
    """The names of a list that is parted by commas, each once. Raises ApiError INVALID_FIELD."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if not _FIELDS.fullmatch(name):
            raise ApiError("INVALID_FIELD", f"No such column '{name}'")
    return list({name.lower(): name for name in reversed(names)}.values())[::-1]


def _check(call: Call, item: ObjectType, record_id: str) -> None:
    """The conditions of a write, where there are any; a record that is not there is for others to refuse."""
    if "if-match" in call.headers or "if-unmodified-since" in call.headers:
        call.org.records.number(item, record_id)
        modified, etag = _state(call, item, record_id)
        preconditions.check(call, etag, modified)


def _state(call: Call, item: ObjectType, record_id: str) -> tuple[str, str]:
    """When a record was changed last, and its entity tag."""
    sql = f"SELECT SystemModstamp, * FROM {quote(item.name)} WHERE Id = ?"  # noqa: S608
    row = call.org.database.row(sql, (record_id,)) or ("",)
    return str(row[0]), preconditions.tag(row)
