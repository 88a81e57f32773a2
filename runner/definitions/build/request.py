"""Requests."""

from __future__ import annotations

import msgspec

from runner.definitions import yaml
from runner.definitions.build.keys import seconds, text
from runner.definitions.build.reader import Reader
from runner.definitions.expressions import Names
from runner.definitions.model import Request


def read_request(node: yaml.Mapping, reader: Reader, names: Names) -> Request:
    before, reader.mentioned = reader.mentioned, set()
    request = _read(node, reader, names)
    keyed = "idempotency_key" in reader.mentioned
    reader.mentioned |= before
    return msgspec.structs.replace(request, keyed=keyed)


def _read(node: yaml.Mapping, reader: Reader, names: Names) -> Request:
    return Request(
        place=node.place,
        method=text(node, "method", "GET"),
        path=reader.optional_value(node, "path", names),
        url=reader.optional_value(node, "url", names),
        query=reader.values(node, "query", names),
        headers=reader.values(node, "headers", names),
        json=reader.optional_value(node, "json", names),
        form=reader.optional_value(node, "form", names),
        body=reader.optional_value(node, "body", names),
        timeout=seconds(node, "timeout", 120.0),
    )
