"""A terminal for a process: what it shows there can be waited for, and something typed."""

from __future__ import annotations

import os
import pty


class Terminal:
    """Give `theirs` to a process as its stdin, stdout or stderr."""

    def __init__(self) -> None:
        self._ours, self.theirs = pty.openpty()
        self.shown = ""

    def until(self, text: str) -> None:
        """Waits until something stands on it."""
        while text not in self.shown:
            self.shown += os.read(self._ours, 4096).decode()

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def close(self) -> None:
        os.close(self.theirs)
        os.close(self._ours)
