"""What all parts of one query share."""

from __future__ import annotations

from datetime import date, datetime
from itertools import count
from zoneinfo import ZoneInfo

import msgspec

from runner.emulator.database import Value
from runner.emulator.errors import ApiError
from runner.emulator.schema import Schema
from runner.emulator.soql.parse import at


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A query as it was asked."""

    text: str
    now: datetime
    #: what `attributes.url` begins with, such as /services/data/v62.0
    base_url: str
    #: whether deleted records are seen
    all_rows: bool = False
    #: who asks
    user_id: str = ""
    #: the time zone of who asks
    zone: str = "UTC"
    #: the most records of a page, and of a child query in it
    page_size: int = 2_000


class ChildPages(msgspec.Struct, frozen=True, kw_only=True):
    """How a child query goes on behind its first page."""

    #: gives ``record``, the JSON of each record, and ``total``, how many there are; takes ``parent``, the id
    #: of the record that they belong to, and ``start`` and ``length`` of the page
    sql: str
    #: of the whole list
    limit: int | None
    offset: int


class Context:
    def __init__(self, asked: Asked, schema: Schema) -> None:
        self.asked = asked
        self.schema = schema
        #: the bound values by their names in the SQL
        self.values: dict[str, Value] = {}
        self.children: list[ChildPages | None] = []
        self.semi_joins = 0
        self._aliases = count()

    @property
    def today(self) -> date:
        """The day that it is where the user is."""
        return self.asked.now.astimezone(ZoneInfo(self.asked.zone)).date()

    def bind(self, value: Value) -> str:
        """The placeholder that stands for a value in the SQL."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def alias(self) -> str:
        return f"t{next(self._aliases)}"

    def wrong(self, position: int, message: str, code: str = "MALFORMED_QUERY") -> ApiError:
        return at(self.asked.text, position, message, code)
