"""Progress bars for people: on stderr, for what takes over a second, and none where stderr is no terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, Task, TaskID

#: seconds after which a bar appears
_PATIENCE = 1.0


class Bar:
    """What one piece of work has done so far; drawn or not."""

    def __init__(self, title: str, total: int | None = None) -> None:
        self.title = title
        self.total = total
        self.done = 0
        self.ended = False


class Bars:
    """The bars of a command; with one clock a bar, since each waits for its own second."""

    def __init__(self) -> None:
        self._wanted = sys.stderr.isatty()
        self._lock = threading.RLock()
        self._progress: Progress | None = None
        self._drawn: dict[Bar, TaskID] = {}

    @contextmanager
    def bar(self, title: str, total: int | None = None) -> Iterator[Bar]:
        """A bar for as long as the block lasts; `update` moves it."""
        bar = Bar(title, total)
        if not self._wanted:
            yield bar
            return
        timer = threading.Timer(_PATIENCE, self._draw, (bar,))
        timer.daemon = True
        timer.start()
        try:
            yield bar
        finally:
            timer.cancel()
            self._remove(bar)

    def update(self, bar: Bar, done: int, total: int | None = None, title: str | None = None) -> None:
        """Says how many are done, and of how many."""
        bar.done, bar.total, bar.title = done, total or bar.total, title or bar.title
        with self._lock:
            if self._progress is not None and bar in self._drawn:
                task = self._drawn[bar]
                self._progress.update(task, completed=done, total=bar.total, description=bar.title)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Takes the bars away while something else is printed."""
        with self._lock:
            if self._progress is None:
                yield
                return
            self._progress.stop()
            try:
                yield
            finally:
                self._progress.start()

    def _draw(self, bar: Bar) -> None:
        with self._lock:
            if bar.ended:
                return
            if self._progress is None:
                self._progress = _progress()
                self._progress.start()
            self._drawn[bar] = self._progress.add_task(bar.title, total=bar.total, completed=bar.done)

    def _remove(self, bar: Bar) -> None:
        with self._lock:
            bar.ended = True
            task = self._drawn.pop(bar, None)
            if self._progress is None or task is None:
                return
            self._progress.remove_task(task)
            if not self._drawn:
                self._progress.stop()
                self._progress = None


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.completed / task.elapsed if task.elapsed else 0
            return Text(f"{speed:,.0f}/s")

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.completed:,.0f} records"),
        Speed(),
        TimeElapsedColumn(),
    )
    # What a command prints must not pass through the bars' console, which is stderr.
    return Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
