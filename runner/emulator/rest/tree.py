"""Records and what belongs to them, created in one call: all or none."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from starlette.responses import Response

from runner.emulator.errors import ApiError, EmulatorError
from runner.emulator.http import json
from runner.emulator.rest.call import Call, listed
from runner.emulator.rest.collections import problem_of
from runner.emulator.rest.records import unlike_others
from runner.emulator.schema import Child, ObjectType

MOST_RECORDS, MOST_LEVELS, MOST_OBJECTS = 200, 5, 5

Json = dict[str, object]


class _Undone(EmulatorError):
    """A record could not be created, so none is."""


class Node(msgspec.Struct, kw_only=True):
    item: ObjectType
    reference_id: str
    values: Json
    #: the name of the field that points to the node above
    link: str = ""
    children: list[Node] = []

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.walk()


def tree(call: Call) -> Response:
    tops = [_node(call, each, call.item(), 1) for each in listed(call.values(), "records", MOST_RECORDS)]
    _check([node for top in tops for node in top.walk()])
    results: list[Json] = []
    problems: list[Json] = []
    try:
        with call.org.database.atomic():
            for top in tops:
                _create(call, top, "", results, problems)
            if problems:
                raise _Undone
    except _Undone:
        return json({"hasErrors": True, "results": problems}, 400)
    return json({"hasErrors": False, "results": results}, 201)


def _check(nodes: list[Node]) -> None:
    if len(nodes) > MOST_RECORDS:
        message = f"record limit reached. cannot submit more than {MOST_RECORDS} records into this call"
        raise ApiError("EXCEEDED_ID_LIMIT", message)
    if len({node.item.name for node in nodes}) > MOST_OBJECTS:
        raise ApiError("INVALID_INPUT", f"A tree may have records of {MOST_OBJECTS} objects")
    names = [node.reference_id for node in nodes]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ApiError("INVALID_INPUT", f"Duplicate ReferenceId provided in the request: {twice}.")


def _node(call: Call, said: Json, item: ObjectType, level: int) -> Node:
    if level > MOST_LEVELS:
        raise ApiError("INVALID_INPUT", f"A tree may be {MOST_LEVELS} levels deep")
    attributes = said.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    reference_id = attributes.get("referenceId")
    if str(attributes.get("type", "")).lower() != item.name.lower():
        message = f"Include the type {item.name} in the attributes of each record."
        raise ApiError("INVALID_INPUT", message)
    if not isinstance(reference_id, str) or not reference_id:
        raise ApiError("INVALID_INPUT", "Include a reference ID for each record in the request.")
    node = Node(item=item, reference_id=reference_id, values={})
    lists = {child.name.lower(): child for child in call.org.visible.children(item) if child.name}
    for name, value in said.items():
        child = lists.get(name.lower())
        if child is not None and isinstance(value, dict):
            node.children += _children(call, child, value, level)
        elif name != "attributes":
            node.values[name] = value
    return node


def _children(call: Call, child: Child, said: Json, level: int) -> list[Node]:
    item = call.org.visible.objects[child.object]
    nodes = [_node(call, each, item, level + 1) for each in listed(said, "records", MOST_RECORDS)]
    for node in nodes:
        node.link = child.field.name
    return nodes


def _create(call: Call, node: Node, parent: str, results: list[Json], problems: list[Json]) -> None:
    values = node.values | ({node.link: parent} if node.link else {})
    try:
        record_id = call.org.records.create(
            node.item, values, call.user_id, unlike_others=unlike_others(call)
        )
    except ApiError as exc:
        problems.append({"referenceId": node.reference_id, "errors": [problem_of(exc)]})
        return
    results.append({"referenceId": node.reference_id, "id": record_id})
    for child in node.children:
        _create(call, child, record_id, results, problems)
