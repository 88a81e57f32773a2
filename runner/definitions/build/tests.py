"""Tests of definitions: the files of `tests/` whose names end in `.test.yaml`."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Final, cast

from runner.definitions import yaml
from runner.definitions.build.around import Around
from runner.definitions.build.keys import below, data, items, mapping, text, texts
from runner.definitions.build.reader import Reader
from runner.definitions.conversions import instant
from runner.definitions.model import DefinitionTest, Exchange, Given, RecordedAnswer, RecordedRequest
from runner.definitions.model.tests import LONG_AGO
from runner.definitions.words import did_you_mean, there_are

#: what only one kind of definition is given, or gives
_ONLY: Final = {
    "sync": ("given.params", "given.full", "given.checkpoint", "given.last_run", "expect.checkpoint"),
    "workflow": ("given.files", "given.input", "given.mock", "expect.output", "expect.undone"),
}
_OTHER: Final = {"sync": "workflow", "workflow": "sync"}


def build_test(node: yaml.Mapping, reader: Reader, around: Around, source: str) -> DefinitionTest | None:
    """One test; None where there is nothing that it could run.

    Args:
        source: the file's text.
    """
    kind = "sync" if "sync" in node.entries else "workflow"
    found = _tested(node, kind, reader, around)
    if found is None:
        return None
    _check_keys(node, kind, reader)
    if kind == "workflow":
        _check_mocks(node, found, reader)
    _check_bytes(node, reader)
    integrations = texts(found, "integrations")
    integration = next(iter(integrations), "")
    if "integration" in node.entries:
        integration = reader.one_of(node.entries["integration"], integrations, "integration") or integration
    return DefinitionTest(
        name=node.place.file,
        place=node.place,
        kind=kind,
        definition=text(node, kind),
        integration=integration,
        description=text(node, "description"),
        given=_given(below(node, "given"), reader),
        http=tuple(map(exchange_of, items(node, "http"))) if "http" in node.entries else None,
        expect=_expect(below(node, "expect")),
        text=source,
        expect_lines=_lines(node, source),
    )


def _tested(node: yaml.Mapping, kind: str, reader: Reader, around: Around) -> yaml.Mapping | None:
    """The file that defines what is tested. One definition may stand for several: `objects.Account`."""
    known = around.syncs if kind == "sync" else around.workflows
    name = text(node, kind)
    first = name.partition("::")[0].partition(".")[0]
    if first in known:
        return known[first]
    mend = did_you_mean(name, known, there_are(known) if known else "there are none")
    reader.problem(node.entries[kind], f"there is no {kind} `{name}`", f"unknown-{kind}", mend)
    return None


def _check_keys(node: yaml.Mapping, kind: str, reader: Reader) -> None:
    for key in _ONLY[_OTHER[kind]]:
        part, name = key.split(".")
        if name in below(node, part).entries:
            message = f"a {kind} has no `{name}`"
            reader.problem(below(node, part).keys[name], message, "test", f"it belongs to a {_OTHER[kind]}")


def _check_mocks(node: yaml.Mapping, found: yaml.Mapping, reader: Reader) -> None:
    mocks = below(below(node, "given"), "mock")
    known = sorted(set(_ids(found.entries.get("steps"))))
    for name, key in mocks.keys.items():
        # Of a workflow that a step calls, it is the called one's to know its steps.
        if name.partition(".")[0] not in known:
            mend = did_you_mean(name, known, there_are(known))
            reader.problem(key, f"there is no step `{name}`", "unknown-step", mend)


def _check_bytes(node: yaml.Mapping, reader: Reader) -> None:
    for item in items(node, "http"):
        content = below(mapping(item), "response").entries.get("base64")
        try:
            b64decode(str(content.data) if content is not None else "", validate=True)
        except ValueError:
            if content is not None:
                reader.problem(content, "`base64` cannot be decoded", "base64", "write text under `text`")


def _ids(node: yaml.Node | None) -> Iterator[str]:
    """The ids of steps, at whatever depth they stand."""
    if isinstance(node, yaml.Mapping):
        if "id" in node.entries:
            yield text(node, "id")
        for child in node.entries.values():
            yield from _ids(child)
    elif isinstance(node, yaml.Sequence):
        for child in node.items:
            yield from _ids(child)


def _given(node: yaml.Mapping, reader: Reader) -> Given:
    connection = below(node, "connection")
    return Given(
        now=_moment(node, "now", reader) or LONG_AGO,
        config=data(connection, "config", {}),
        metadata=data(connection, "metadata", {}),
        params=data(node, "params", {}),
        full=data(node, "full", False),
        checkpoint=data(node, "checkpoint", None),
        last_run=_moment(node, "last_run", reader),
        records=data(node, "records", {}),
        files=data(node, "files", {}),
        input=data(node, "input", {}),
        mock=data(node, "mock", {}),
    )


def _moment(node: yaml.Mapping, key: str, reader: Reader) -> float | None:
    if key not in node.entries:
        return None
    try:
        return instant(node.entries[key].data).timestamp()
    except ValueError as exc:
        reader.problem(node.entries[key], str(exc), "time")
        return None


def exchange_of(node: yaml.Node) -> Exchange:
    """One entry of `http`."""
    request, response = below(mapping(node), "request"), below(mapping(node), "response")
    asked, answered = _body(request, ("json", "form", "text")), _body(response, ("json", "text", "base64"))
    headers = cast("dict[str, str]", data(request, "headers", {}))
    return Exchange(
        request=RecordedRequest(
            method=text(request, "method", "GET"),
            path=text(request, "path") if "path" in request.entries else None,
            url=text(request, "url") if "url" in request.entries else None,
            query=data(request, "query", {}),
            headers={name.lower(): value for name, value in headers.items()},
            form=asked[0],
            body=asked[1],
        ),
        response=RecordedAnswer(
            status=data(response, "status", 200),
            headers=data(response, "headers", {}),
            form=answered[0],
            body=answered[1],
            fault=text(response, "fault") or None,
        ),
        place=mapping(node).place,
    )


def _body(node: yaml.Mapping, forms: tuple[str, ...]) -> tuple[str | None, object]:
    for form in forms:
        if form in node.entries:
            return form, node.entries[form].data
    return None, None


def _expect(node: yaml.Mapping) -> dict[str, object]:
    keys = ("records", "deletes", "checkpoint", "requests", "output", "undone")
    found: dict[str, object] = {key: node.entries[key].data for key in keys if key in node.entries}
    if "error" in node.entries:
        error = below(node, "error")
        told = ("kind", "message", "hint", "step")
        found["error"] = {key: error.entries[key].data for key in told if key in error.entries}
    return found


def _lines(node: yaml.Mapping, source: str) -> tuple[int, int]:
    """Where `expect` begins, and what stands behind it; comments of the next key are the next key's."""
    lines, begin = source.splitlines(), node.keys["expect"].place.line
    later = [key.place.line for key in node.keys.values() if key.place.line > begin]
    end = min(later, default=len(lines) + 1)
    while later and lines[end - 2].strip()[:1] in ("", "#"):
        end -= 1
    return begin, end
