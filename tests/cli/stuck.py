"""An API that leaves a caller waiting, so that a test can do something in the middle of a run."""

from __future__ import annotations

import threading

from tests.api import Api, Reply, Seen


class Stuck:
    """An API of three pages with two orders each; it says when the last page is asked for, and then waits."""

    def __init__(self, api: Api, pages: int = 3) -> None:
        self.pages = pages
        self.asked = threading.Event()
        self.go_on = threading.Event()
        self.starts: list[int] = []
        api.on("/orders", self.orders)

    def orders(self, seen: Seen) -> Reply:
        if seen.method == "POST":
            self.wait()
            return Reply({"id": "9"})
        page = int(seen.query.get("page", "1"))
        self.starts.append(page)
        if page == self.pages:
            self.wait()
        rows = [{"id": f"{page}-{n}", "at": f"2026-01-0{page}T00:00:00Z", "name": "a"} for n in (1, 2)]
        return Reply({"orders": rows, "next": f"/orders?page={page + 1}" if page < self.pages else None})

    def wait(self) -> None:
        self.asked.set()
        self.go_on.wait(60)
