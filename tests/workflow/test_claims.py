"""Several processes look at the same triggers, each killed at any instant: each time and each change once."""

from __future__ import annotations

import random
import subprocess
from collections import Counter

import pytest

from tests.store.children import line, start
from tests.workflow.conftest import ENVIRON, Flows

pytestmark = pytest.mark.slow

FLOWS = {
    "tick": "input: {due: {type: string}}\non: {schedule: {at: every 5 minutes, input: {due: due}}}\nsteps: [{set: {x: 1}}]",
    "push": "input: {records: {type: array}}\non: {records: {model: Order, batch: 7, existing: true}}\nsteps: [{set: {x: 1}}]",
}
TIMES = 60
#: looks at the same times as the others, takes up what is due, and writes records meanwhile
CHILD = """
    import asyncio, json, sys
    from pathlib import Path
    from runner.calls.access import Access
    from runner.definitions.project import Project
    from runner.errors import RunningAlready
    from runner.store import open_store
    from runner.workflow.run import Options, resume_run
    from runner.workflow.triggers.starter import Starter

    url, folder, begin, times, name, environ = sys.argv[1:]
    now = float(begin)

    async def main():
        global now
        store = open_store(url)
        async with Access(Project.load(Path(folder)).checked(), store, json.loads(environ)) as access:
            starter = Starter(access, lambda: now, lambda line: None)
            for turn in range(int(times) + 1):
                now = float(begin) + turn * 300
                rows = [(f"{name} {turn} {n}", b"{}") for n in range(3)]
                rows = [(id, json.dumps({"id": id}).encode()) for id, _ in rows]
                store.records.stream("shop", "demo", "Order").write(rows, now)
                starter.look()
                for run in store.runs.due(now, deaths=1000):
                    try:
                        await resume_run(access, run, Options(hold=0.0))
                    except RunningAlready:
                        pass
                print(turn, flush=True)

    asyncio.run(main())
"""


def child(flows: Flows, name: int) -> subprocess.Popen[str]:
    import json

    url = f"sqlite:///{flows.store.database.path}"
    return start(
        CHILD, url, str(flows.folder), str(flows.clock.time), str(TIMES), str(name), json.dumps(ENVIRON)
    )


@pytest.mark.parametrize("seed", range(3))
def test_each_time_and_each_change_starts_exactly_one_run(flows: Flows, seed: int) -> None:
    chance = random.Random(seed)
    for name, text in FLOWS.items():
        flows.write(text, name)
    children = [child(flows, n) for n in range(3)]
    kills = 0
    while children:
        one = chance.choice(children)
        for _ in range(chance.randint(1, 25)):
            if line(one) == str(TIMES):
                break
        else:
            if kills < 12:
                kills += 1
                one.kill()
                one.communicate()
                children[children.index(one)] = child(flows, children.index(one))
            continue
        one.communicate()
        children.remove(one)
    assert kills > 3
    finish(flows)
    check(flows)


def finish(flows: Flows) -> None:
    """The last one, which nobody kills, at the time that the others have come to."""
    last = child(flows, 9)
    last.communicate()


def check(flows: Flows) -> None:
    runs = flows.store.runs.newest(limit=10_000)
    assert Counter(run.status for run in runs) == {"success": len(runs)}
    dues = Counter(str(run.input["due"]) for run in runs if run.name == "tick")  # type: ignore[index,call-overload]
    assert len(dues) == TIMES
    assert set(dues.values()) == {1}
    given = [run.input["records"] for run in reversed(runs) if run.name == "push"]  # type: ignore[index,call-overload]
    assert all(0 < len(records) <= 7 for records in given)
    changes = [record["id"] for records in given for record in records]
    there = [row.id for row in flows.store.records.stream("shop", "demo", "Order").all()]
    assert sorted(changes) == sorted(there)
    assert len(there) >= 3 * TIMES * 3
