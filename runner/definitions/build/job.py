"""Jobs: work that an API does in its own time."""

from __future__ import annotations

from runner.definitions import yaml
from runner.definitions.build.keys import below, data, items, mapping, seconds
from runner.definitions.build.known import JOB, KEY, RESPONSE
from runner.definitions.build.paginate import read_paginate
from runner.definitions.build.reader import Reader
from runner.definitions.build.request import read_request
from runner.definitions.expressions import Names
from runner.definitions.model import Job, Parts


def read_job(node: yaml.Mapping, reader: Reader, names: Names) -> Job | None:
    """A job's way to its results; how those are read is the operation's own."""
    if not node.entries:
        return None
    submit, poll, cleanup = below(node, "submit"), below(node, "poll"), below(node, "cleanup")
    every, known = below(poll, "every"), {**names, **JOB}
    answer: Names = {**known, **RESPONSE}
    return Job(
        submit=read_request(below(submit, "request"), reader, {**names, **KEY}),
        id=reader.expression(submit.entries["id"], {**names, **RESPONSE}),
        poll=read_request(below(poll, "request"), reader, known),
        done=reader.expression(poll.entries["done"], answer),
        failed=reader.optional(poll, "failed", answer),
        message=reader.optional(poll, "message", answer),
        progress=reader.optional(poll, "progress", answer),
        every_initial=seconds(every, "initial", 1.0),
        every_max=seconds(every, "max", 30.0),
        timeout=seconds(poll, "timeout", 86_400.0),
        cleanup=read_request(below(cleanup, "request"), reader, known) if cleanup.entries else None,
        then=tuple(read_request(mapping(one), reader, {**known, **KEY}) for one in items(submit, "then")),
        parts=_parts(below(below(node, "results"), "parts"), reader, known),
    )


def _parts(node: yaml.Mapping, reader: Reader, known: Names) -> Parts | None:
    if not node.entries:
        return None
    answer: Names = {**known, **RESPONSE}
    return Parts(
        when=reader.optional(node, "when", known),
        request=read_request(below(node, "request"), reader, known),
        each=reader.expression(node.entries["each"], answer),
        url=reader.expression(node.entries["url"], {**answer, "part": None}),
        paginate=read_paginate(below(node, "paginate"), reader, answer),
        concurrency=data(node, "concurrency", 4),
    )
