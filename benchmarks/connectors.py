"""The published connectors of `load` at 50 and 200 ms of latency a request, and terapi beside them.

Each of them takes minutes. One that could not be installed is told as not measured.

At 200 ms a load waits: ten slices of ten pages, eight at once, one page after the other, are twenty
answers in a row, 4 s of the 5.4 that 200,000 records take. More and smaller slices would wait less, for more
requests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from benchmarks.contenders import by_hand, connectors
from benchmarks.figures import Figure, emulated
from benchmarks.load import RECORDS, loaded, loads_as_figures


def figures() -> Iterator[Figure]:
    yield Figure("load of the machine before", f"{os.getloadavg()[0]:.1f}")
    who = [by_hand()[0], *connectors()]
    with emulated(RECORDS, "--tls") as bench:
        loads = loaded(bench, {50: who, 200: who})
    yield from loads_as_figures(loads, RECORDS)
    yield Figure("load of the machine after", f"{os.getloadavg()[0]:.1f}")
