"""Up to 200 records in one call, each with its own outcome; all or none where that is asked for."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from runner.emulator import ids
from runner.emulator.checks import Several
from runner.emulator.errors import ApiError, EmulatorError
from runner.emulator.http import json
from runner.emulator.rest.call import Call, flag, listed, page
from runner.emulator.rest.records import unlike_others, wished_fields
from runner.emulator.rest.upserts import key_of
from runner.emulator.schema import ObjectType
from runner.emulator.writer import Outcome, Writer

MOST, MOST_READ = 200, 2_000
ROLLED_BACK = ApiError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
    fields=[],
)

Json = dict[str, object]
Write = Callable[[], Outcome]


class _Undone(EmulatorError):
    """One of the records failed, so none may be written."""


def create(call: Call) -> Response:
    def write(said: Json) -> Outcome:
        item = _item(call, said)
        return _writer(call, item).insert(_values(said))

    return _answer(call, write, ("id", "success", "errors"))


def update(call: Call) -> Response:
    def write(said: Json) -> Outcome:
        item = _item(call, said)
        return _writer(call, item).update(_values(said))

    return _answer(call, write, ("id", "success", "errors"))


def upsert(call: Call) -> Response:
    """By the external id that the path names, or by `Id`."""
    item = call.item()
    name = call.path["field"]
    key = item.by_name["id"] if name.lower() == "id" else key_of(item, name)

    def write(said: Json) -> Outcome:
        if _item(call, said).name != item.name:
            message = f"The type in the attributes must be {item.name}"
            raise ApiError("INVALID_TYPE", message, fields=[])
        return Writer(call.org.records, item, call.user_id, key).upsert(_named(item, _values(said)))

    return _answer(call, write, ("id", "success", "errors", "created"))


def delete(call: Call) -> Response:
    wanted = [text.strip() for text in call.query.get("ids", "").split(",") if text.strip()]
    if not wanted:
        raise ApiError("MISSING_ARGUMENT", "The parameter ids is required")
    _check_size(wanted, MOST)

    def write(text: str) -> Write:
        return lambda: _deleted(call, text)

    outcomes = _all(call, [write(text) for text in wanted], all_or_none=flag(call.query, "allOrNone"))
    return json([_told(outcome, ("id", "success", "errors")) for outcome in outcomes])


def retrieve(call: Call) -> Response:
    wanted = [text.strip() for text in call.query.get("ids", "").split(",")]
    return _retrieved(call, wanted, call.query.get("fields", ""))


def retrieve_by_body(call: Call) -> Response:
    said = call.values()
    wanted, fields = said.get("ids"), said.get("fields")
    if not isinstance(wanted, list) or not isinstance(fields, list):
        raise ApiError("JSON_PARSER_ERROR", "ids and fields must be lists at [line:1, column:1]")
    return _retrieved(call, [str(each) for each in wanted], ",".join(str(each) for each in fields))


def problem_of(exc: ApiError) -> Json:
    return {"statusCode": exc.code, "message": exc.message, "fields": list(exc.fields or [])}


def _retrieved(call: Call, wanted: list[str], fields: str) -> Response:
    """The records in the order of their ids, null for one that is not there."""
    item = call.item()
    if not fields:
        raise ApiError("MISSING_ARGUMENT", "The parameter fields is required")
    _check_size(wanted, MOST_READ)
    found = [ids.normalise(text) or "" for text in wanted]
    records = call.org.queries.records(item, found, wished_fields(fields), call.base_url)
    return page(b"[" + b",".join(record or b"null" for record in records) + b"]")


def _check_size(wanted: list[str], most: int) -> None:
    if len(wanted) > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise ApiError("EXCEEDED_ID_LIMIT", message)


def _answer(call: Call, write: Callable[[Json], Outcome], shown: tuple[str, ...]) -> Response:
    said = call.values()
    records = listed(said, "records", MOST)

    def writing(record: Json) -> Write:
        return lambda: write(record)

    outcomes = _all(call, [writing(record) for record in records], all_or_none=flag(said, "allOrNone"))
    return json([_told(outcome, shown) for outcome in outcomes])


def _all(call: Call, writes: list[Write], *, all_or_none: bool) -> list[Outcome]:
    outcomes: list[Outcome] = []
    try:
        with call.org.database.atomic():
            outcomes += [_outcome(write) for write in writes]
            if all_or_none and any(outcome.problem for outcome in outcomes):
                raise _Undone
    except _Undone:
        return [outcome if outcome.problem else Outcome("", False, ROLLED_BACK) for outcome in outcomes]
    return outcomes


def _outcome(write: Write) -> Outcome:
    try:
        return write()
    except ApiError as exc:
        return Outcome("", False, _as_of_many(exc))


def _as_of_many(exc: ApiError) -> ApiError:
    """A record that is not there, or not the only one, as calls for many records word it."""
    if isinstance(exc, Several):
        return exc.as_problem()
    if exc.code == "NOT_FOUND":
        return ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[])
    return exc


def _told(outcome: Outcome, shown: tuple[str, ...]) -> Json:
    if outcome.problem is not None:
        return {"success": False, "errors": [problem_of(outcome.problem)]}
    whole: Json = {"id": outcome.id, "success": True, "errors": [], "created": outcome.created}
    return {name: whole[name] for name in shown}


def _item(call: Call, said: Json) -> ObjectType:
    attributes = said.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str):
        message = "The record needs its type in its attributes"
        raise ApiError("INVALID_INPUT", message, fields=[])
    item = call.org.visible.get(name)
    if item is None:
        raise ApiError("INVALID_TYPE", f"sObject type '{name}' is not supported.", fields=[])
    return item


def _values(said: Json) -> Json:
    """The fields, the id by the schema's name for it."""
    return {
        ("Id" if name.lower() == "id" else name): value
        for name, value in said.items()
        if name != "attributes"
    }


def _named(item: ObjectType, values: Json) -> Json:
    """The same by the schema's names."""
    return {(field.name if (field := item.field(name)) else name): value for name, value in values.items()}


def _writer(call: Call, item: ObjectType) -> Writer:
    return Writer(call.org.records, item, call.user_id, unlike_others=unlike_others(call))


def _deleted(call: Call, text: str) -> Outcome:
    record_id = ids.normalise(text)
    item = call.org.visible.of_id(record_id) if record_id is not None else None
    if record_id is None or item is None:
        raise ApiError("MALFORMED_ID", f"malformed id {text}", fields=[])
    return Writer(call.org.records, item, call.user_id).delete({"Id": record_id})
