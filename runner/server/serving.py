"""The server's life: it listens, serves until it is told to end, and ends cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import msgspec
import uvicorn

from runner.calls.access import Access
from runner.errors import UsageError
from runner.server.app import application
from runner.server.connection import Bounded
from runner.server.door import Broken, told
from runner.server.engine import RunEngine
from runner.server.keys import VARIABLE, Key
from runner.server.parts import Parts
from runner.webhooks.receive import Receiver
from runner.webhooks.route import Router

_BACKLOG = 2048
#: connections and requests at once; more are refused with 503
_AT_ONCE = 1000
#: seconds that requests and workflows under way get at the end
GRACE = 30.0


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How it serves."""

    host: str = "127.0.0.1"
    #: 0 takes a free one
    port: int = 3003
    #: whether it works through what is stored
    work: bool = True


def listen(options: Options, key: Key) -> socket.socket:
    """A socket that takes connections at once.

    Raises:
        UsageError: the address is not to be had, or is open to others while nobody has given a key.
    """
    if key.file is not None and not _loopback(options.host):
        raise UsageError(
            f"{options.host} can be reached from other machines, and {VARIABLE} is not set",
            hint="set it to a secret of yours, or leave --host out",
        )
    try:
        found = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as exc:
        raise UsageError(f"{options.host} is no address of this machine: {exc.strerror}") from exc
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as exc:
        listener.close()
        raise UsageError(
            f"port {options.port} of {options.host} is not to be had: {getattr(exc, 'strerror', exc)}",
            hint="end what uses it, or choose another: --port 0 takes a free one",
        ) from exc
    return listener


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What a server is made of; whoever opened it closes it."""

    #: for requests, and for runs: each with a connection to the state of its own
    access: Access
    runs: Access
    key: Key
    #: takes a line for whoever runs the server
    log: Callable[[str], None]


def serve(options: Options, opened: Opened, listener: socket.socket, ready: Callable[[], None]) -> bool:
    """Serves until SIGINT or SIGTERM; True where it was SIGINT. A second one ends what is under way.

    Args:
        ready: called when it serves.
    """
    serving = Serving(options, opened)
    came: list[signal.Signals] = []

    def end(signum: signal.Signals) -> None:
        serving.end(hurry=bool(came))
        came.append(signum)

    async def guarded() -> None:
        for signum in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signum, end, signum)
        await serving.serve(listener, ready)

    with asyncio.Runner(loop_factory=serving.config.get_loop_factory()) as runner:
        runner.run(guarded())
    return signal.SIGINT in came[:1]


class Serving:
    """One life of the server."""

    def __init__(self, options: Options, opened: Opened) -> None:
        access = opened.access
        self._access = access
        self._log = opened.log
        self._engine = RunEngine(opened.runs, work=options.work, log=opened.log)
        receiver = Receiver(Router(access.project, access.store), access.store, access.clients)
        parts = Parts(access=access, receiver=receiver, key=opened.key, engine=self._engine, log=opened.log)
        self.config = uvicorn.Config(
            application(parts),
            http=Bounded,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            limit_concurrency=_AT_ONCE,
        )
        self._server = _Server(self.config)

    async def serve(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Serves until `end`; requests and workflows under way come to their end, syncs are let go."""
        self._engine.start()
        with closing(listener), _told_by(self._log):
            async with self._access:
                ready()
                await self._server.serve(sockets=[listener])
                self._engine.close()
                if not await asyncio.to_thread(self._engine.join, GRACE):
                    self._engine.cut()
                    await asyncio.to_thread(self._engine.join, GRACE)

    def end(self, *, hurry: bool = False) -> None:
        """Ends it; in a hurry whatever is under way."""
        self._engine.rest()
        self._server.end()
        if hurry:
            self._server.hurry()
            self._engine.cut()


@contextlib.contextmanager
def _told_by(log: Callable[[str], None]) -> Iterator[None]:
    """Has uvicorn's complaints told as lines, without tracebacks."""

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            fault = record.exc_info[1] if record.exc_info else None
            if not isinstance(fault, Broken | asyncio.CancelledError):  # told already, and meant
                said = record.getMessage() if fault is None else told(fault)
                log(f"{record.levelname.lower()}: {said}")

    logger, handler = logging.getLogger("uvicorn"), Lines(logging.WARNING)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True


class _Server(uvicorn.Server):
    """Leaves signals to the caller, and ends when it is told to: uvicorn looks ten times a second only."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()
        self._hurry = asyncio.Event()

    def end(self) -> None:
        self.should_exit = True
        self._ended.set()

    def hurry(self) -> None:
        self._hurry.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes no more connections, ends the idle ones, and lets the others be answered."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        hurry = asyncio.create_task(self._hurry.wait())
        try:
            async with asyncio.timeout(GRACE):
                while self.server_state.tasks and not hurry.done():
                    await asyncio.wait({*self.server_state.tasks, hurry}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            pass
        hurry.cancel()
        for task in list(self.server_state.tasks):
            task.cancel()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks)
