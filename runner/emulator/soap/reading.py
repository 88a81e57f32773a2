"""Queries, single records, and describe."""

from __future__ import annotations

import orjson

from runner.emulator import ids
from runner.emulator.errors import ApiError
from runner.emulator.queries import PAGE, SMALLEST_PAGE
from runner.emulator.rest import call as rest
from runner.emulator.rest import describe
from runner.emulator.schema import Kind, ObjectType, Schema
from runner.emulator.soap.call import Call
from runner.emulator.xml import leaf

#: what of a describe of the REST API the partner API does not have
_REST_ONLY = frozenset({"urls"})
MAX_IDS = 2_000


def query(call: Call) -> list[str]:
    return _first(call, all_rows=False)


def query_all(call: Call) -> list[str]:
    return _first(call, all_rows=True)


def query_more(call: Call) -> list[str]:
    return [_result(call, orjson.loads(call.org.queries.more(call.body.value("queryLocator"))))]


def retrieve(call: Call) -> list[str]:
    """Records by their ids; nothing stands for one that is not there."""
    item = call.item(call.body.value("sObjectType"))
    wanted = [ids.normalise(text) for text in call.texts("ids")]
    if len(wanted) > MAX_IDS or None in wanted:
        raise ApiError("MALFORMED_ID", f"ids must be at most {MAX_IDS} and each one an id")
    listed = ", ".join(f"'{record_id}'" for record_id in wanted)
    fields = [name.strip() for name in call.body.value("fieldList").split(",")]
    names = ", ".join(["Id", *(name for name in fields if name.lower() not in ("", "id"))])
    text = f"SELECT {names} FROM {item.name} WHERE Id IN ({listed})"  # noqa: S608
    asked = call.org.asked(text, call.user_id, call.base_url)
    records = orjson.loads(call.org.queries.first(asked))["records"] if wanted else []
    found = {record["Id"]: _record(call.org.visible, record) for record in records}
    return [found.get(record_id, "") for record_id in wanted]


def describe_global(call: Call) -> list[str]:
    told = orjson.loads(bytes(describe.everything(_rest(call, "")).body))
    return [_elements(told)]


def describe_objects(call: Call) -> list[str]:
    """Of `describeSObject` the one, of `describeSObjects` each."""
    names = call.texts("sObjectType")
    items = [call.item(name) for name in names]
    answers = [describe.describe(_rest(call, item.name)) for item in items]
    return [_elements(orjson.loads(bytes(answer.body))) for answer in answers]


def _first(call: Call, *, all_rows: bool) -> list[str]:
    size = call.option("QueryOptions", "batchSize")
    page_size = min(PAGE, max(SMALLEST_PAGE, int(size))) if size.isdecimal() and len(size) < 7 else PAGE
    asked = call.org.asked(
        call.body.value("queryString"),
        call.user_id,
        call.base_url,
        all_rows=all_rows,
        page_size=page_size,
    )
    return [_result(call, orjson.loads(call.org.queries.first(asked)))]


def _result(call: Call, found: dict[str, object]) -> str:
    """The inside of a QueryResult."""
    records, url = found["records"], found.get("nextRecordsUrl")
    listed = "".join(
        f'<records xsi:type="sf:sObject">{_record(call.org.visible, record)}</records>'
        for record in (records if isinstance(records, list) else [])
    )
    locator = leaf("queryLocator", str(url).rpartition("/")[2]) if url else '<queryLocator xsi:nil="true"/>'
    return f"{leaf('done', found['done'])}{locator}{listed}{leaf('size', found['totalSize'])}"


def _record(schema: Schema, record: dict[str, object]) -> str:
    """Type and id stand first, whether selected or not; then what was selected."""
    attributes = record.get("attributes")
    name = str(attributes["type"]) if isinstance(attributes, dict) else ""
    item = schema.get(name)
    first = leaf("sf:type", name) + _field("sf:Id", record.get("Id"), item, schema)
    rest = "".join(
        _field(f"sf:{field}", value, item, schema) for field, value in record.items() if field != "attributes"
    )
    return first + rest


def _field(name: str, value: object, item: ObjectType | None, schema: Schema) -> str:
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    if isinstance(value, dict) and "attributes" in value:
        return f'<{name} xsi:type="sf:sObject">{_record(schema, value)}</{name}>'
    if isinstance(value, dict) and "records" in value:
        children = "".join(_field("records", child, None, schema) for child in value["records"])
        ends = f'{leaf("done", value["done"])}<queryLocator xsi:nil="true"/>'
        return f'<{name} xsi:type="QueryResult">{ends}{children}{leaf("size", value["totalSize"])}</{name}>'
    if isinstance(value, dict):
        return f"<{name}>{_elements(value)}</{name}>"
    field = item.field(name.removeprefix("sf:")) if item is not None else None
    if field is not None and field.kind is Kind.DATETIME:
        value = str(value).replace("+0000", "Z")
    return leaf(name, value)


def _elements(told: dict[str, object]) -> str:
    """JSON as elements: a list is an element again and again."""
    return "".join(_element(name, value) for name, value in told.items() if name not in _REST_ONLY)


def _element(name: str, value: object) -> str:
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    return f"<{name}>{_elements(value)}</{name}>" if isinstance(value, dict) else leaf(name, value)


def _rest(call: Call, name: str) -> rest.Call:
    return rest.Call(
        org=call.org,
        method="GET",
        version=call.version,
        user_id=call.user_id,
        path={"object": name},
        query={},
        headers={},
        body=b"",
    )
