"""Serving orgs on 127.0.0.1: until the process is told to end, or in a thread beside the caller."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import uvicorn

from runner.emulator.certificates import Certificates
from runner.emulator.entrance import Entrance
from runner.emulator.errors import OptionError
from runner.emulator.org import Org
from runner.emulator.tunnel import Tunnel

HOST = "127.0.0.1"
BACKLOG = 512
#: seconds that open connections get at the end
GRACE = 1


def listen(port: int) -> socket.socket:
    """A socket that takes connections at once; port 0 takes a free one. Raises OptionError.

    It names TCP, because asyncio sends small answers at once (TCP_NODELAY) only where a socket does.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as exc:
        listener.close()
        raise OptionError(f"Port {port} cannot be listened on: {exc}") from exc
    return listener


class Site(NamedTuple):
    """An org, and where it takes connections."""

    org: Org
    listener: socket.socket

    @property
    def port(self) -> int:
        return port_of(self.listener)


class Secure(NamedTuple):
    """What serving over TLS takes beside the orgs' own sockets."""

    certificates: Certificates
    #: where the tunnel for clients of the real hosts takes connections
    proxy: socket.socket


def url_of(listener: socket.socket, secure: Secure | None = None) -> str:
    return f"{'https' if secure else 'http'}://{HOST}:{port_of(listener)}"


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def serve(sites: Sequence[Site], ready: Callable[[], None], secure: Secure | None = None) -> bool:
    """Serves until SIGINT or SIGTERM; True where it was SIGINT. ``ready`` is called when both end it
    cleanly.
    """
    server = _Server(sites, secure)
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        return runner.run(_serve(server, ready))


async def _serve(server: _Server, ready: Callable[[], None]) -> bool:
    interrupted = False

    def end(signum: signal.Signals) -> None:
        nonlocal interrupted
        interrupted = interrupted or signum is signal.SIGINT
        server.end()

    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, end, signum)
    ready()
    await server.serve(sockets=server.sockets)
    return interrupted


@contextlib.contextmanager
def in_background(sites: Sequence[Site], secure: Secure | None = None) -> Iterator[None]:
    """Serves in a thread until the block ends."""
    server = _Server(sites, secure)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": server.sockets}, name="emulated org", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.end()
        thread.join()


def _config(sites: Sequence[Site], secure: Secure | None) -> uvicorn.Config:
    return uvicorn.Config(
        Entrance({site.port: site.org for site in sites}),
        ssl_certfile=secure.certificates.certificate if secure else None,
        ssl_keyfile=secure.certificates.key if secure else None,
        access_log=False,
        date_header=False,
        lifespan="off",
        log_config=None,
        proxy_headers=False,
        server_header=False,
        ws="none",
    )


class _Server(uvicorn.Server):
    """Leaves signals to the caller, and ends when it is told to: uvicorn looks ten times a second only."""

    def __init__(self, sites: Sequence[Site], secure: Secure | None) -> None:
        super().__init__(_config(sites, secure))
        self._sites = sites
        self._secure = secure
        self.sockets = [site.listener for site in sites]
        self._tunnel: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()

    def end(self) -> None:
        """May be called from any thread."""
        self.should_exit = True
        for site in self._sites:
            site.org.stop()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ended.set)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._secure is not None:
            hosts = {site.org.options.host: site.port for site in self._sites}
            tunnel = Tunnel([site.port for site in self._sites], hosts)
            self._tunnel = await asyncio.start_server(tunnel, sock=self._secure.proxy)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        if not self.should_exit:
            await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes no more connections, ends the idle ones, and gives the others a moment to be answered."""
        for server in [*self.servers, *([self._tunnel] if self._tunnel else [])]:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=GRACE)
