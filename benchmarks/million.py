"""As `load`, with 1,000,000 contacts. The connectors are left out: each would take many minutes.

![records a second by latency](million.svg)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks.contenders import by_hand
from benchmarks.figures import Figure, emulated
from benchmarks.load import after, kept_as_figures, loaded, loads_as_figures, plot

RECORDS = 1_000_000
_PLOT = Path(__file__).parent.parent / "docs" / "million.svg"


def figures() -> Iterator[Figure]:
    yield Figure("load of the machine before", f"{os.getloadavg()[0]:.1f}")
    with emulated(RECORDS, "--tls") as bench:
        loads = loaded(bench, {0: by_hand(), 50: by_hand(), 200: by_hand()})
        kept = after(bench)
    yield from loads_as_figures(loads, RECORDS)
    yield Figure(f"memory at {RECORDS:,}", f"{kept.full.peak:.0f} MB")
    yield from kept_as_figures(kept)
    yield Figure("load of the machine after", f"{os.getloadavg()[0]:.1f}")
    _PLOT.write_text(plot(loads, RECORDS), encoding="utf-8")
