"""Progress bars for people: on stderr, for what takes over a second, and none where stderr is no terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.progress import Progress, Task, TaskID

#: seconds after which a bar appears
_PATIENCE = 1.0
#: lines that are shown below a bar
_MOST = 6


class Line(NamedTuple):
    """A part of a piece of work, shown below its bar while it is under way."""

    #: tells it from the others
    key: object
    title: str
    done: int | None = None
    total: int | None = None


class Bar:
    """What one piece of work has done so far; drawn or not."""

    def __init__(self, title: str, total: int | None = None) -> None:
        self.title = title
        self.total = total
        self.done = 0
        self.ended = False
        self.lines: Sequence[Line] = ()


class Bars:
    """The bars of a command; with one clock a bar, since each waits for its own second."""

    def __init__(self) -> None:
        self._wanted = sys.stderr.isatty()
        self._lock = threading.RLock()
        self._progress: Progress | None = None
        self._drawn: dict[Bar, TaskID] = {}
        #: the lines below the one bar that is drawn
        self._lines: dict[object, TaskID] = {}

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

    def update(self, bar: Bar, done: int, total: int | None = None, lines: Sequence[Line] = ()) -> None:
        """Says how many are done, and of how many.

        Args:
            lines: what is under way of it; shown where no other bar is drawn, and some of them at the most.
        """
        bar.done, bar.total, bar.lines = done, total or bar.total, lines
        with self._lock:
            if self._progress is not None and bar in self._drawn:
                self._progress.update(
                    self._drawn[bar], description=bar.title, completed=done, total=bar.total
                )
                self._draw_lines()

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
            self._drawn[bar] = _add(self._progress, bar.title, bar.done, bar.total)
            self._draw_lines()

    def _draw_lines(self) -> None:
        """The lines of the bar, if there is but one: the shown ones that are still there, new ones below."""
        if self._progress is None:
            return
        alone = next(iter(self._drawn)) if len(self._drawn) == 1 else None
        lines = {line.key: line for line in (alone.lines if alone is not None else ())}
        for key in self._lines.keys() - lines.keys():
            self._progress.remove_task(self._lines.pop(key))
        for key, line in lines.items():
            if key in self._lines:
                self._progress.update(
                    self._lines[key], description=line.title, completed=line.done, total=line.total
                )
            elif len(self._lines) < _MOST:
                self._lines[key] = _add(self._progress, line.title, line.done, line.total)

    def _remove(self, bar: Bar) -> None:
        with self._lock:
            bar.ended = True
            task = self._drawn.pop(bar, None)
            if self._progress is None or task is None:
                return
            self._progress.remove_task(task)
            self._draw_lines()
            if not self._drawn:
                self._progress.stop()
                self._progress = None


def _add(progress: Progress, title: str, done: int | None, total: int | None) -> TaskID:
    return progress.add_task(
        title,
        total=total,
        completed=done or 0,
        began=time.monotonic(),
        first=done or 0,
        counts=done is not None,
    )


def _speed(task: Task) -> float:
    """Records a second since it was drawn."""
    seconds = time.monotonic() - float(task.fields["began"])
    return (task.completed - int(task.fields["first"])) / seconds if seconds else 0.0


def _counted(task: Task) -> str:
    if not task.fields["counts"]:
        return ""
    of = f"/{task.total:,.0f}" if task.total is not None else ""
    return f"{task.completed:,.0f}{of} records"


def _left(task: Task) -> str:
    """How long it takes still where that can be told, else how long it has taken."""
    speed = _speed(task)
    if task.total is None or not speed:
        return _minutes(task.elapsed or 0.0)
    return f"{_minutes(max(0.0, task.total - task.completed) / speed)} left"


def _minutes(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
    from rich.text import Text

    class Told(ProgressColumn):
        """What a function says of a task."""

        def __init__(self, tell: Callable[[Task], str]) -> None:
            super().__init__()
            self._tell = tell

        def render(self, task: Task) -> Text:
            return Text(self._tell(task))

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=10),
        Told(_counted),
        Told(lambda task: f"{_speed(task):,.0f}/s" if task.fields["counts"] else ""),
        Told(_left),
    )
    # What a command prints must not pass through the bars' console, which is stderr.
    return Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
