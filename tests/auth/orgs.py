"""A running org, the shipped definitions, and a client of ours between them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx

from runner.auth.callback import Callback
from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access, Kept
from runner.definitions.project import Project
from runner.emulator.testing import Org
from runner.store import Connection, Store

T = TypeVar("T")
ROOT = Path(__file__).parents[2]


class Ours:
    """Access to an org as a customer of terapi has it: by the shipped `providers.yaml`."""

    def __init__(self, org: Org, store: Store, integration: str = "salesforce") -> None:
        self.org = org
        self.store = store
        self.late = 0.0
        self.waits: list[float] = []
        project = Project.load(ROOT).checked()
        name = integration.upper().replace("-", "_")
        self.environ = {
            f"TERAPI_{name}_CLIENT_ID": org.client_id,
            f"TERAPI_{name}_CLIENT_SECRET": org.client_secret,
        }
        self.provider = project.provider(integration)
        self.access = Access(project, store, self.environ, self._wait, lambda: time.time() + self.late)
        self.new = NewConnection(id="demo", config={"login_url": org.url}, allow_local=True)

    async def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        async def inside() -> T:
            async with self.access:
                return await work()

        return asyncio.run(inside())

    def pass_time(self, seconds: float) -> None:
        """On both sides."""
        self.late += seconds
        self.org.advance(seconds)

    def log_in(self, *, scopes: tuple[str, ...] = (), decision: str = "allow") -> Kept:
        """By the org's own pages and the loopback callback."""
        callback = Callback(0)
        attempt = self.access.connect.begin(self.provider, self.new, callback.redirect_uri, scopes)
        in_browser(self.org, attempt.url, decision)
        answer = callback.wait(10)

        async def work() -> Kept:
            made = await self.access.connect.finish(self.provider, self.new, attempt, answer)
            return await self.access.keep(made)

        return self.run(work)

    def make(self, given: Credentials, new: NewConnection | None = None) -> Kept:
        """Without a browser."""

        async def work() -> Kept:
            return await self.access.keep(
                await self.access.connect.make(self.provider, new or self.new, given)
            )

        return self.run(work)

    def call(self, name: str = "limits", /, **arguments: object) -> object:
        operation = self.provider.operations[name]
        return self.run(lambda: self.access.client(self.connection).call(operation, arguments))

    @property
    def connection(self) -> Connection:
        found = self.store.connections.get(self.provider.name, "demo")
        assert found is not None
        return found

    @property
    def credentials(self) -> Credentials:
        return self.access.tokens.open(self.connection).credentials

    def asked(self) -> list[str]:
        """What was asked of the org since the last look, each path without what is the same in all."""
        paths = [seen.path.removeprefix("/services/oauth2/") for seen in self.org.log()]
        self.org.clear_log()
        return [path.rpartition("/")[2] for path in paths]


def url_of(store: Store) -> str:
    """Where another process, or thread, opens the same store."""
    return f"sqlite:///{store.folder / 'terapi.db'}"


def in_browser(org: Org, url: str, decision: str = "allow") -> httpx.Response:
    """Logs in, answers the question, and goes back to where the org sends it."""
    with httpx.Client(base_url=f"{org.url}/services/oauth2/") as browser:
        page = browser.get(url)
        login = {"request": field(page, "request"), "username": org.username, "password": org.password}
        page = browser.post("login", data=login)
        back = browser.post("consent", data={"request": field(page, "request"), "decision": decision})
    return httpx.get(back.headers["Location"])


def field(page: httpx.Response, name: str) -> str:
    return page.text.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]
