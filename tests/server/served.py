"""A server beside the test: real HTTP on a free port, in a thread, ended when the block ends."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import httpx

from runner.calls.access import Access
from runner.definitions.project import Project
from runner.server.keys import Key
from runner.server.serving import Opened, Options, Serving, listen, url_of
from runner.store import Store, open_store

KEY = "terapi_the-key-of-these-tests"
#: what a test waits for at most, in seconds
PATIENCE = 20.0


class Served:
    """A running server, seen from a test."""

    def __init__(self, url: str, store: Store, log: Log) -> None:
        self.url = url
        self.store = store
        self.log = log
        self.client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}, timeout=PATIENCE)

    def __call__(self, method: str, path: str, **given: object) -> httpx.Response:
        return self.client.request(method, path, **given)  # type: ignore[arg-type]

    def refusal(self, method: str, path: str, **given: object) -> tuple[int, str]:
        """The status and the code of a refused request, whose shape is checked on the way."""
        found = self(method, path, **given)
        error = found.json()["error"]
        assert set(error) <= {"code", "message", "errors", "payload", "upstream"}
        assert error["message"]
        return found.status_code, error["code"]


class Log:
    """What the server says to whoever runs it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._came = threading.Condition()

    def __call__(self, line: str) -> None:
        with self._came:
            self.lines.append(line)
            self._came.notify_all()

    def wait(self, text: str, times: int = 1) -> str:
        """The line that has this in it, once it is there so many times."""
        with self._came:
            there = self._came.wait_for(lambda: len(self._with(text)) >= times, PATIENCE)
            assert there, (text, self.lines)
            return self._with(text)[-1]

    def _with(self, text: str) -> list[str]:
        return [line for line in self.lines if text in line]


async def _at_once(_seconds: float) -> None:
    """Stands for the waits between the tries of a call."""


@contextlib.contextmanager
def serving(project: Project, url: str, environ: dict[str, str], *, work: bool = True) -> Iterator[Served]:
    """Serves a project and the state at ``url``."""
    log, ready = Log(), threading.Event()
    with open_store(url) as store, open_store(url) as second, open_store(url) as mine:
        access = Access(project, store, environ, sleep=_at_once)
        runs = Access(project, second, environ, sleep=_at_once)
        opened = Opened(access=access, runs=runs, key=Key(KEY), log=log)
        options = Options(port=0, work=work)
        listener = listen(options, opened.key)
        address, life = url_of(listener), Serving(options, opened)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_until_complete, args=(life.serve(listener, ready.set),))
        thread.start()
        try:
            assert ready.wait(PATIENCE)
            with contextlib.closing((found := Served(address, mine, log)).client):
                yield found
        finally:
            loop.call_soon_threadsafe(life.end)
            thread.join()
            loop.close()
