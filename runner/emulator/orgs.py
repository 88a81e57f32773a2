"""Several orgs that one app connects to, as an app of the real service does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import msgspec

from runner.emulator.options import Options
from runner.emulator.org import Org


@contextlib.contextmanager
def opened(
    all_options: Sequence[Options], progress: Callable[[int], None] | None = None
) -> Iterator[list[Org]]:
    """Opens an org for each; they have the app of the first, unless one was asked for. Raises OptionError."""
    with contextlib.ExitStack() as stack:
        orgs: list[Org] = []
        for options in all_options:
            if orgs and options.client_id is None:
                app = orgs[0].client
                options = msgspec.structs.replace(options, client_id=app.id, client_secret=app.secret)
            orgs.append(stack.enter_context(contextlib.closing(Org(options, progress))))
        yield orgs
