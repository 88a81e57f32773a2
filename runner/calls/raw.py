"""Records that stay JSON until somebody looks at them.

A page of thousands that is decoded at once fills the processor's caches and the memory before the first
record is used. Split into its records and decoded some at a time it takes half the time. No I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, overload

import msgspec
import orjson

from runner.definitions.expressions import Expression
from runner.definitions.model import Operation
from runner.errors import CallError

#: where in a body the records are: the keys that lead there
Path = tuple[str, ...]

_BODY: Final = ("response", "body")
_MAP: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])


class RawRecords(Sequence[object]):
    """The records of a page, decoded each time that they are asked for."""

    __slots__ = ("_texts",)

    def __init__(self, texts: list[msgspec.Raw]) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, place: int) -> object: ...
    @overload
    def __getitem__(self, place: slice) -> list[object]: ...
    def __getitem__(self, place: int | slice) -> object:
        if isinstance(place, int):
            return _record(self._texts[place])
        return [_record(text) for text in self._texts[place]]

    def __iter__(self) -> Iterator[object]:
        return map(_record, self._texts)

    def clear(self) -> None:
        self._texts.clear()


#: what a page holds; raw for whoever asks for such
Records = list[object] | RawRecords


def _record(text: msgspec.Raw) -> object:
    try:
        return orjson.loads(memoryview(text))
    except orjson.JSONDecodeError as exc:
        # Splitting looks at the form alone; what is no UTF-8 shows here.
        raise CallError(f"a record of the answer is broken JSON: {exc}", kind="truncated") from exc


def split(content: bytes | memoryview, path: Path) -> object:
    """The body of an answer, with the list that is at ``path`` as `RawRecords`.

    Raises:
        ValueError: the content is not of that form.
    """
    if not path:
        return RawRecords(_LIST.decode(content))
    key, rest = path[0], path[1:]
    body: dict[str, object] = {}
    for name, text in _MAP.decode(content).items():
        body[name] = split(memoryview(text), rest) if name == key else orjson.loads(memoryview(text))
    return body


def unseen_records(operation: Operation) -> Path | None:
    """Where in an answer its records are, if none of the operation's expressions looks at them."""
    path = operation.records.path if operation.records is not None else None
    if path is None or path[:2] != _BODY or operation.format != ("json",):
        return None
    return None if any(_sees(one, path) for one in _expressions(operation)) else path[2:]


def _expressions(operation: Operation) -> Iterator[Expression]:
    """What is evaluated for each answer, beside the records."""
    yield from (rule.when for rule in operation.responses)
    if operation.checkpoint is not None:
        yield operation.checkpoint
    if (rules := operation.paginate) is not None:
        found = (rules.next_url, rules.cursor, rules.until, rules.total)
        yield from (one for one in found if one is not None)


def _sees(one: Expression, records: Path) -> bool:
    path = one.path
    if path is None:
        return bool(one.names & {"response", "records"})
    return path[0] == "records" or path[: len(records)] == records or records[: len(path)] == path
