"""Pages: which is the next one. No I/O: the caller asks, sends, and tells what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import xxhash

from runner.calls.guard import led_to
from runner.definitions.exchange import Answer
from runner.definitions.model import Paginate
from runner.definitions.values import is_nothing
from runner.errors import CallError


class Pages:
    """The way through the pages of one call.

    Args:
        rules: how one page leads to the next; None for a call of one page.
        at: where to go on, as `position` gave it in an earlier run; None for the first page.
    """

    def __init__(self, rules: Paginate | None, at: Mapping[str, object] | None = None) -> None:
        self._rules = rules
        self._at: dict[str, object] = dict(at or {})
        self._last: bytes | None = None
        self.done = False

    @property
    def position(self) -> dict[str, object]:
        """What leads to the next page; JSON, to be kept with the records of the page before."""
        return dict(self._at)

    @property
    def url(self) -> str | None:
        """The next page's own address, where the API gives one."""
        return cast("str | None", self._at.get("url"))

    def scope(self) -> dict[str, dict[str, object]]:
        page: dict[str, object] = {"number": self._at.get("number", 1), "offset": self._at.get("offset", 0)}
        if self._rules is not None and self._rules.size is not None:
            page["size"] = self._rules.size
        if "cursor" in self._at:
            page["cursor"] = self._at["cursor"]
        return {"page": page}

    def turn(
        self, answer: Answer, scope: Mapping[str, object], records: Sequence[object], count: int | None = None
    ) -> None:
        """Notes what a page held, and finds the next.

        Args:
            count: how many records it held, where they are gone already.

        Raises:
            CallError: the page repeats the one before; kind `repeated_page`.
        """
        rules = self._rules
        if rules is None:
            self.done = True
            return
        self._check_new(answer)
        full = {**scope, **self.scope(), **answer.scope(), "records": records}
        token = rules.next_url or rules.cursor
        found = token.evaluate(full) if token is not None else None
        if rules.cursor is not None:
            # What `until` asks about is where the next page would be.
            full["page"] = {**self.scope()["page"], "cursor": found}
        if rules.until is not None and rules.until.holds(full):
            self.done = True
        elif token is not None:
            self._follow(rules, answer, None if is_nothing(found) or found == "" else found)
        else:
            self._count(rules, len(records) if count is None else count)

    def _follow(self, rules: Paginate, answer: Answer, found: object) -> None:
        if found is None:
            self.done = True
        elif rules.next_url is not None:
            self._go({"url": led_to(answer.url, str(found), rules.next_url.place)})
        else:
            self._go({"cursor": found})

    def _go(self, position: dict[str, object]) -> None:
        if position == self._at:
            raise CallError("the next page is the same as this one", kind="repeated_page")
        self._at = position

    def _count(self, rules: Paginate, records: int) -> None:
        if records == 0 or (rules.until is None and rules.size is not None and records < rules.size):
            self.done = True
            return
        self._at = {
            "number": cast(int, self._at.get("number", 1)) + 1,
            "offset": cast(int, self._at.get("offset", 0)) + records,
        }

    def _check_new(self, answer: Answer) -> None:
        digest = xxhash.xxh3_128_digest(answer.content)
        if digest == self._last and answer.content:
            raise CallError(
                f"{answer.url.split('?')[0]} gave the same page twice",
                kind="repeated_page",
                hint="check `paginate`: the request must use what it finds, such as page.cursor",
            )
        self._last = digest
