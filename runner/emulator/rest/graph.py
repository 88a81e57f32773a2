"""Composite graphs: up to 500 calls, in graphs of which each is done as a whole or not at all."""

from __future__ import annotations

from starlette.responses import Response

from runner.emulator.errors import ApiError
from runner.emulator.http import json
from runner.emulator.rest.call import Call, listed
from runner.emulator.rest.composite import Asked, checked, run

MOST_GRAPHS = 75
MOST_NODES = 500

Json = dict[str, object]


def graphs(call: Call) -> Response:
    asked = [_graph(each) for each in listed(call.values(), "graphs", MOST_GRAPHS)]
    if len({graph_id for graph_id, _ in asked}) < len(asked):
        raise ApiError("INVALID_INPUT", "Each graph needs a graphId of its own")
    if sum(len(parts) for _, parts in asked) > MOST_NODES:
        raise ApiError("LIMIT_EXCEEDED", f"The graphs have more than {MOST_NODES} nodes")
    return json({"graphs": [_told(call, graph_id, parts) for graph_id, parts in asked]})


def _graph(said: Json) -> tuple[str, list[Asked]]:
    graph_id = said.get("graphId")
    if not isinstance(graph_id, str) or not graph_id:
        raise ApiError("INVALID_INPUT", "A graph needs a graphId")
    parts = checked(listed(said, "compositeRequest", MOST_NODES))
    for part in parts:
        if "/sobjects/" not in part.url or "/composite/" in part.url:
            message = f"The url of {part.reference_id} is not allowed in a graph, only records are"
            raise ApiError("INVALID_INPUT", message)
    return graph_id, parts


def _told(call: Call, graph_id: str, parts: list[Asked]) -> Json:
    outcomes = run(call, parts, all_or_none=True)
    return {
        "graphId": graph_id,
        "graphResponse": {"compositeResponse": [outcome.told() for outcome in outcomes]},
        "isSuccessful": not any(outcome.failed for outcome in outcomes),
    }
