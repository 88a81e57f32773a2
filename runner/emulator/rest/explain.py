"""How a query would be carried out, and at what cost: `query?explain=`."""

from __future__ import annotations

from runner.emulator.database import quote
from runner.emulator.errors import ApiError
from runner.emulator.rest.call import Call
from runner.emulator.schema import ObjectType
from runner.emulator.soql.compile import Records, plan_of
from runner.emulator.soql.context import Asked
from runner.emulator.soql.parse import parse
from runner.emulator.soql.tree import Both, Compare, Condition, Includes, Item, Not, Path, Query, Within
from runner.emulator.soql.tree import Call as Function

#: the share of all records up to which an index is worth it
SELECTIVE = 0.3
_ALWAYS_INDEXED = frozenset({"Id", "Name", "OwnerId", "CreatedDate", "SystemModstamp", "RecordTypeId"})
_NEVER = frozenset({"!=", "LIKE"})

Json = dict[str, object]


def explained(call: Call, asked: Asked) -> Json:
    """Raises ApiError."""
    query = parse(asked.text)
    whole = _bare(query)
    plan_of(query, asked, call.org.visible)
    item, found = _matching(call, asked, whole)
    total = call.org.database.numbers(f"SELECT count(*) FROM {quote(item.name)} WHERE IsDeleted = 0")[0]  # noqa: S608
    plans = [_scan(item, found, total)]
    for field in _indexed(item, query.where):
        plans.append(_index(item, field, _matching(call, asked, _only(whole, field))[1], total))
    plans.sort(key=lambda each: float(str(each["relativeCost"])))
    return {"plans": plans, "sourceQuery": asked.text}


def _matching(call: Call, asked: Asked, query: Query) -> tuple[ObjectType, int]:
    """The object, and how many records a query finds."""
    planned = plan_of(query, asked, call.org.visible)
    if not isinstance(planned, Records):
        raise ApiError("MALFORMED_QUERY", "Only a query of records can be explained")
    sql = f"SELECT count(*) FROM ({planned.keys_sql})"  # noqa: S608
    return planned.item, call.org.database.numbers(sql, planned.values)[0]


def _bare(query: Query) -> Query:
    """The query, of which only the ids are selected."""
    place = query.position
    return Query(
        position=place,
        items=(Item(position=place, what=Path(position=place, names=("Id",))),),
        source=query.source,
        alias=query.alias,
        parents=query.parents,
        where=query.where,
    )


def _only(query: Query, field: str) -> Query:
    """The query with the conditions on one field alone."""
    parts = [part for part in _conditions(query.where) if _field(part) == field.lower()]
    where: Condition = (
        parts[0] if len(parts) == 1 else Both(position=query.position, word="AND", conditions=tuple(parts))
    )
    return Query(
        position=query.position, items=query.items, source=query.source, alias=query.alias, where=where
    )


def _indexed(item: ObjectType, where: Condition | None) -> list[str]:
    """The fields of conditions that an index can answer."""
    names: dict[str, None] = {}
    for part in _conditions(where):
        field = item.field(_field(part) or "")
        if field is None or not _selective(part):
            continue
        if field.name in _ALWAYS_INDEXED or field.external_id or field.targets:
            names[field.name] = None
    return list(names)


def _conditions(where: Condition | None) -> list[Condition]:
    """Those that must all hold."""
    if where is None:
        return []
    return list(where.conditions) if isinstance(where, Both) and where.word == "AND" else [where]


def _field(part: Condition) -> str | None:
    if isinstance(part, Not | Both) or isinstance(part.operand, Function):
        return None
    return part.operand.names[-1].lower() if len(part.operand.names) == 1 else None


def _selective(part: Condition) -> bool:
    match part:
        case Compare():
            return part.operator not in _NEVER and part.value.constant is not None
        case Within():
            return not part.negated and not isinstance(part.values, Query)
        case Includes() | Not() | Both():
            return False


def _scan(item: ObjectType, found: int, total: int) -> Json:
    note: Json = {
        "description": "Not considering filter for optimization because unindexed",
        "fields": ["IsDeleted"],
        "tableEnumOrId": item.name,
    }
    cost = 1.0 + (found / total if total else 0.0)
    return _plan(item, "TableScan", [], (found, total), cost, [note])


def _index(item: ObjectType, field: str, found: int, total: int) -> Json:
    cost = found / (total * SELECTIVE) if total else 0.0
    return _plan(item, "Index", [field], (found, total), cost, [])


def _plan(
    item: ObjectType, kind: str, fields: list[str], counts: tuple[int, int], cost: float, notes: list[Json]
) -> Json:
    found, total = counts
    return {
        "cardinality": found,
        "fields": fields,
        "leadingOperationType": kind,
        "notes": notes,
        "relativeCost": round(cost, 3),
        "sobjectCardinality": total,
        "sobjectType": item.name,
    }
