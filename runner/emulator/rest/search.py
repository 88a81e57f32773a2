"""SOSL and parameterised search, and what search pages show."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from runner.emulator.database import quote
from runner.emulator.errors import ApiError, not_found
from runner.emulator.http import json
from runner.emulator.rest.call import Call, page
from runner.emulator.schema import ObjectType
from runner.emulator.sosl.parse import MALFORMED, parse
from runner.emulator.sosl.search import search as searched
from runner.emulator.sosl.tree import MOST, Search

#: from here on the records stand in an object
WRAPPED_SINCE = 37.0
_GROUPS = frozenset({"ALL", "NAME", "EMAIL", "PHONE", "SIDEBAR"})

Json = dict[str, object]


def search(call: Call) -> Response:
    text = call.query.get("q", "")
    if not text:
        raise ApiError(MALFORMED, "A search string has to be specified")
    return _answer(call, text, parse(text))


def parameterized(call: Call) -> Response:
    """`?q=Acme&sobject=Account&Account.fields=Id,Name&Account.limit=10`"""
    names = [name for value in call.every("sobject") for name in value.split(",")]
    said: Json = {key: value for key, value in call.query.items() if "." not in key}
    objects = [_object(name, call.query) for name in dict.fromkeys(names)]
    fields = call.query.get("fields")
    return _parameterized(call, said | {"sobjects": objects, "fields": fields.split(",") if fields else None})


def parameterized_by_body(call: Call) -> Response:
    return _parameterized(call, call.values())


def scope_order(call: Call) -> Response:
    return json(
        [
            {"type": item.name, "url": f"{call.base_url}/sobjects/{item.name}/describe"}
            for item in call.org.visible
            if item.searchable
        ]
    )


def layouts(call: Call) -> Response:
    names = [name.strip() for name in call.query.get("q", "").split(",") if name.strip()]
    items = [call.org.visible.get(name) for name in names]
    return json([_layout(item) for item in items if item is not None])


def suggestions(call: Call) -> Response:
    """Records that are called as somebody has begun to type."""
    begun, name = call.query.get("q", "").strip(), call.query.get("sobject", "")
    item = call.org.visible.get(name)
    if item is None:
        raise not_found()
    if len(begun) < 2:
        raise ApiError("INVALID_SEARCH", "The search string must be at least 2 characters long")
    limit = call.numbered("limit", 5, 25)
    pattern = begun.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    column = quote(item.name_field)
    rows = call.org.database.rows(
        f"SELECT Id, {column} FROM {quote(item.name)} WHERE IsDeleted = 0"  # noqa: S608
        f" AND ({column} LIKE ? ESCAPE '\\' OR {column} LIKE ? ESCAPE '\\') ORDER BY {column}, n LIMIT ?",
        (f"{pattern}%", f"% {pattern}%", limit + 1),
    )
    url = f"{call.base_url}/sobjects/{item.name}"
    shown = [
        {"attributes": {"type": item.name, "url": f"{url}/{row[0]}"}, "Id": row[0], item.name_field: row[1]}
        for row in rows[:limit]
    ]
    return json({"autoSuggestResults": shown, "hasMoreResults": len(rows) > limit})


def _object(name: str, query: Mapping[str, str]) -> Json:
    said: Json = {"name": name}
    for key in ("limit", "where", "orderBy", "fields"):
        value = query.get(f"{name}.{key}")
        if value is not None:
            said[key] = value.split(",") if key == "fields" else value
    return said


def _answer(call: Call, text: str, wanted: Search) -> Response:
    asked = call.org.asked(text, call.user_id, call.base_url)
    try:
        records = searched(call.org.database, call.org.visible, asked, wanted)
    except ApiError as exc:
        code = MALFORMED if exc.code == "MALFORMED_QUERY" else exc.code
        raise ApiError(code, exc.message, status=exc.status) from exc
    found = b"[" + b",".join(records) + b"]"
    if float(call.version) < WRAPPED_SINCE:
        return page(found)
    return page(b'{"searchRecords":' + found + b"}")


def _parameterized(call: Call, said: Json) -> Response:
    """As the SOSL that says the same."""
    terms = said.get("q")
    if not isinstance(terms, str) or not terms.strip():
        raise ApiError("MISSING_ARGUMENT", "The parameter q is required")
    group = str(said.get("in", "ALL")).upper().removesuffix(" FIELDS")
    if group not in _GROUPS:
        raise ApiError("INVALID_ARGUMENT", f"in must be one of {', '.join(sorted(_GROUPS))}")
    objects = said.get("sobjects")
    targets = (
        [_target(said, each) for each in objects if isinstance(each, dict)]
        if isinstance(objects, list)
        else []
    )
    returning = f" RETURNING {', '.join(targets)}" if targets else ""
    limit = _whole(said, "overallLimit") or MOST
    text = f"FIND {{{_escaped(terms)}}} IN {group} FIELDS{returning} LIMIT {min(limit, MOST)}"
    return _answer(call, text, parse(text))


def _target(said: Json, target: Json) -> str:
    """One object of RETURNING."""
    fields = target.get("fields") or said.get("fields") or ["Id"]
    names = ", ".join(str(name).strip() for name in fields) if isinstance(fields, list) else str(fields)
    where = f" WHERE {target['where']}" if target.get("where") else ""
    order = f" ORDER BY {target['orderBy']}" if target.get("orderBy") else ""
    limit = _whole(target, "limit") or _whole(said, "defaultLimit")
    window = f" LIMIT {limit}" if limit else ""
    return f"{target.get('name', '')}({names}{where}{order}{window})"


def _whole(said: Json, name: str) -> int:
    value = str(said.get(name, ""))
    return int(value) if value.isdecimal() and len(value) < 6 else 0


def _escaped(terms: str) -> str:
    return "".join(f"\\{letter}" if letter in "{}\\" else letter for letter in terms)


def _layout(item: ObjectType) -> Json:
    shown = [field for field in item.stored if field.name == item.name_field or field.part_of is None]
    columns = [field for field in shown if field.sortable and not field.targets][1:6]
    return {
        "errorMsg": None,
        "label": "Search Results",
        "limitRows": 25,
        "objectType": item.name,
        "searchColumns": [
            {"field": f"{item.name}.{field.name}", "format": None, "label": field.label, "name": field.name}
            for field in columns
        ],
    }
