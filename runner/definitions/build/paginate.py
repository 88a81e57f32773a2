"""How one page leads to the next."""

from __future__ import annotations

from runner.definitions import yaml
from runner.definitions.build.keys import data
from runner.definitions.build.reader import Reader
from runner.definitions.expressions import Names
from runner.definitions.model import Paginate


def read_paginate(node: yaml.Mapping, reader: Reader, names: Names) -> Paginate | None:
    """What stands under `paginate`; None where nothing does."""
    if not node.entries:
        return None
    page: Names = {**names, "records": None}
    return Paginate(
        next_url=reader.optional(node, "next_url", page),
        cursor=reader.optional(node, "cursor", page),
        offset=data(node, "offset", False),
        page=data(node, "page", False),
        size=data(node, "size", None),
        until=reader.optional(node, "until", page),
        total=reader.optional(node, "total", names),
    )
