"""How the org is served."""

from __future__ import annotations

import contextlib
import socket

import pytest

from runner.emulator.errors import OptionError
from runner.emulator.server import listen


def test_small_answers_are_sent_at_once() -> None:
    """asyncio turns Nagle's algorithm off only where the socket says that it is TCP: 40 ms an answer."""
    with contextlib.closing(listen(0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_or_none_is_told() -> None:
    with contextlib.closing(listen(0)) as listener:
        taken = listener.getsockname()[1]
        for port in (taken, 70_000):
            with pytest.raises(OptionError, match=f"Port {port} cannot be listened on"):
                listen(port)
