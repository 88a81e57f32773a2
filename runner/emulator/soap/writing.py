"""Creating, changing and deleting up to 200 records in one call."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from runner.emulator import ids
from runner.emulator.bulk.xml_rows import values as fields_of
from runner.emulator.errors import ApiError, EmulatorError
from runner.emulator.schema import ObjectType
from runner.emulator.soap.call import Call
from runner.emulator.writer import Outcome, Writer
from runner.emulator.xml import Element, leaf

MAX_RECORDS = 200

Values = dict[str, object]
Method = Callable[[Writer, Values], Outcome]
Write = Callable[[], Outcome]


def create(call: Call) -> list[str]:
    return _all(call, [_sobject(call, element, Writer.insert) for element in _sobjects(call)])


def update(call: Call) -> list[str]:
    return _all(call, [_sobject(call, element, Writer.update) for element in _sobjects(call)])


def upsert(call: Call) -> list[str]:
    key = call.body.value("externalIDFieldName")
    writes = [_sobject(call, element, Writer.upsert, key) for element in _sobjects(call)]
    return _all(call, writes, told_created=True)


def delete(call: Call) -> list[str]:
    return _all(call, [_by_id(call, text, Writer.delete) for text in call.texts("ids")])


def empty_recycle_bin(call: Call) -> list[str]:
    return _all(call, [_by_id(call, text, Writer.erase) for text in call.texts("ids")])


def undelete(call: Call) -> list[str]:
    return _all(call, [partial(_undeleted, call, text) for text in call.texts("ids")])


def _undeleted(call: Call, text: str) -> Outcome:
    record_id, item = _known(call, text)
    call.org.records.undelete(item, record_id, call.user_id)
    return Outcome(record_id, False)


def _sobjects(call: Call) -> list[Element]:
    return [child for child in call.body.children if child.name == "sObjects"]


def _sobject(call: Call, element: Element, method: Method, key: str = "") -> Write:
    def write() -> Outcome:
        item = call.item(element.value("type"))
        field = item.field(key) if key else None
        if key and (field is None or not (field.external_id or field.name == "Id")):
            raise ApiError(
                "INVALID_FIELD", f"Field name provided, {key} is not an External ID or indexed field"
            )
        return method(Writer(call.org.records, item, call.user_id, field), _values(item, element))

    return write


def _values(item: ObjectType, element: Element) -> Values:
    """A record as JSON has it; the fields that are to be emptied are None."""
    said = fields_of(element)
    said.pop("fieldsToNull", None)
    for child in element.children:
        if child.name == "fieldsToNull":
            said[child.text.strip()] = None
    fields = {name: item.field(name) for name in said}
    return {field.name if (field := fields[name]) else name: value for name, value in said.items()}


def _by_id(call: Call, text: str, method: Method) -> Write:
    def write() -> Outcome:
        record_id, item = _known(call, text)
        return method(Writer(call.org.records, item, call.user_id), {"Id": record_id})

    return write


def _known(call: Call, text: str) -> tuple[str, ObjectType]:
    record_id = ids.normalise(text)
    item = call.org.visible.of_id(record_id) if record_id is not None else None
    if record_id is None or item is None:
        raise ApiError("MALFORMED_ID", f"bad id {text}", fields=["Id"])
    return record_id, item


class _Undone(EmulatorError):
    """One of the records failed, so none may be written."""


def _all(call: Call, writes: list[Write], *, told_created: bool = False) -> list[str]:
    if len(writes) > MAX_RECORDS:
        raise ApiError(
            "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MAX_RECORDS} records"
        )
    outcomes: list[Outcome] = []
    try:
        with call.org.database.atomic():
            outcomes += [_tried(write) for write in writes]
            if call.option("AllOrNoneHeader", "allOrNone") == "true" and any(
                each.problem for each in outcomes
            ):
                raise _Undone
    except _Undone:
        outcomes = [each if each.problem else Outcome("", False, _rolled_back()) for each in outcomes]
    return [_told(outcome, told_created) for outcome in outcomes]


def _tried(write: Write) -> Outcome:
    try:
        return write()
    except ApiError as exc:
        if exc.code == "NOT_FOUND":
            exc = ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[])
        return Outcome("", False, exc)


def _rolled_back() -> ApiError:
    message = (
        "Record rolled back because not all records were valid and the request was using AllOrNone header"
    )
    return ApiError("ALL_OR_NONE_OPERATION_ROLLED_BACK", message, fields=[])


def _told(outcome: Outcome, told_created: bool) -> str:
    problem = outcome.problem
    created = leaf("created", outcome.created) if told_created else ""
    if problem is None:
        return created + leaf("id", outcome.id) + leaf("success", True)
    fields = "".join(leaf("fields", field) for field in problem.fields or ())
    error = f"{fields}{leaf('message', problem.message)}{leaf('statusCode', problem.code)}"
    return f'{created}<errors>{error}</errors><id xsi:nil="true"/>{leaf("success", False)}'
