"""Where a test is run: a store that is forgotten, a connection of its own, and a clock that stands still."""

from __future__ import annotations

import asyncio
import base64
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.auth.tokens import with_defaults
from runner.calls.access import Access
from runner.calls.transport import Transport
from runner.definitions.conversions import text
from runner.definitions.expressions.functions import clock as clock_of_expressions
from runner.definitions.expressions.functions import ids
from runner.definitions.model import Given, Provider
from runner.definitions.project import Project
from runner.definitions.values import is_nothing
from runner.store import Connection, open_store

_ENVIRON: Final = {"TERAPI_ENCRYPTION_KEY": base64.b64encode(bytes(32)).decode()}
#: what the connection of a test is called
CONNECTION: Final = "test"
#: what stands for what is secret: `masked-access-token`
_MASKED: Final = "masked-{}"


Sleep = Callable[[float], Awaitable[object]]


async def no_wait(_seconds: float) -> None:
    """How a test waits: others go on, and no time passes."""
    await asyncio.sleep(0)


class StillClock:
    """A clock that goes on by what is waited for, and by nothing else."""

    def __init__(self, now: float, sleep: Sleep = no_wait) -> None:
        self._now = now
        self._sleep = sleep

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += seconds
        await self._sleep(seconds)


class Stage(NamedTuple):
    """What a test runs with."""

    access: Access
    connection: Connection
    clock: StillClock


class Actor(NamedTuple):
    """The connection that a test runs for."""

    provider: Provider
    config: Mapping[str, object]
    metadata: Mapping[str, object]
    credentials: Credentials
    allow_local: bool = True


@asynccontextmanager
async def staged(
    project: Project, actor: Actor, transport: Transport, given: Given, sleep: Sleep = no_wait
) -> AsyncIterator[Stage]:
    """A stage that is taken down at the end; within it `now()` is what is given, and `uuid()` counts.

    Args:
        given: its clock, and the files in its folder.
        sleep: how waits are waited.
    """
    now = given.now
    time_token, ids_token = clock_of_expressions.set(lambda: now), ids.set(_Counted())
    try:
        async with AsyncExitStack() as opened:
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="terapi-test-")))
            (folder / "terapi.db").write_bytes(_blank())
            store = opened.enter_context(open_store(f"sqlite:///{folder / 'terapi.db'}"))
            _write(folder / "project", given.files)
            project = project.at(folder / "project")
            access = Access(project, store, _ENVIRON, sleep, lambda: now, transport)
            await opened.enter_async_context(access)
            new = NewConnection(
                id=CONNECTION, config=actor.config, metadata=actor.metadata or None,
                allow_local=actor.allow_local,
            )  # fmt: skip
            connection = access.connect.keep(actor.provider, new, actor.credentials)
            yield Stage(access, connection, StillClock(now, sleep))
    finally:
        clock_of_expressions.reset(time_token)
        ids.reset(ids_token)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")


@cache
def _blank() -> bytes:
    """An empty store; made once, since that takes longer than most tests."""
    with tempfile.TemporaryDirectory(prefix="terapi-test-") as folder:
        open_store(f"sqlite:///{folder}/terapi.db").close()
        return (Path(folder) / "terapi.db").read_bytes()


class _Counted:
    """Ids in the form of a UUID, each the next."""

    def __init__(self) -> None:
        self._given = 0

    def __call__(self) -> str:
        self._given += 1
        return f"00000000-0000-4000-8000-{self._given:012d}"


def actor_of(provider: Provider, config: Mapping[str, object], metadata: Mapping[str, object]) -> Actor:
    """The connection of a test: nothing of it leads anywhere, or opens anything."""
    spare = {
        name: placeholder(name) if field.format == "uri" else name
        for name, field in provider.connection_config.items()
        if field.default is None and not field.optional
    }
    values = {name: masked(name) for name in provider.credentials}
    if provider.auth_mode == "BASIC":
        values = {"username": masked("username"), "password": masked("password"), **values}
    token = None if provider.auth_mode in ("BASIC", "API_KEY", "NONE") else masked("access_token")
    kept = Credentials(type=provider.auth_mode, access_token=token, checked_at=1e12, values=values)
    return Actor(provider, {**spare, **config}, metadata, kept)


def base_url_of(provider: Provider, config: Mapping[str, object]) -> str:
    """Where the paths of a connection begin."""
    found = provider.base_url.evaluate({"config": with_defaults(provider, config)})
    return "" if is_nothing(found) else text(found)


def placeholder(name: str) -> str:
    """What stands for an address: `https://instance-url.test`."""
    return f"https://{name.replace('_', '-').lower()}.test"


def masked(name: str) -> str:
    """What stands for a secret."""
    return _MASKED.format(name.replace("_", "-"))
