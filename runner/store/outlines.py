"""What the definitions said by which records were stored, so that a changed one can be held against it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from runner.store.database import Database, load_queries


class Outlines:
    """The outlines of a store's definitions, each by its digest."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries("outlines")

    def keep(self, digest: str, outline: Mapping[str, object]) -> None:
        """Keeps an outline, and drops those that nothing is stored by any more.

        Call it inside `atomic()` together with the first state that has the digest.
        """
        if self.get(digest) is None:
            self._database.run(self._sql["forget"], {})
            self._database.run(self._sql["put"], {"digest": digest, "outline": json.dumps(outline)})

    def get(self, digest: str) -> Mapping[str, object] | None:
        """The outline; None where it was not kept."""
        row = self._database.row(self._sql["get"], {"digest": digest})
        return None if row is None else json.loads(row["outline"])
