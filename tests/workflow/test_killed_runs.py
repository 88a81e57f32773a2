"""`kill -9` at any instant of a run of 200 steps, its rollback included: every effect once."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.emulator.testing import Org, start_org
from runner.store import Run, Store, open_store
from tests.cli.terapi import Terapi

pytestmark = pytest.mark.slow

#: kills a way of writing, over as many runs as they take; `KILLS=100` for more
KILLS = int(os.environ.get("KILLS", 6))
#: a process is killed in this part of the time that a whole run takes; start-up is nearly half of it
SHORTEST, LONGEST = 0.4, 1.0

#: what a run creates: 60 one after the other, 100 side by side, 20 pairs in steps that hold steps
NAMES = frozenset(
    [f"row {n}" for n in range(60)]
    + [f"beside {n}" for n in range(100)]
    + [f"{half} {n}" for n in range(20) for half in ("first", "second")]
)


def written(way: str, kind: str) -> dict[str, object]:
    """A step that creates a record: by an external id, so that it is there once however often, or just so."""
    name = f"{kind} {{{{ item }}}}"
    wanted: dict[str, object] = {"object": "Account", "fields": {"Name": name}}
    if way == "upsert":
        wanted |= {"external_id_field": "External_Id__c", "external_id": name}
    undo = {"use": "delete_record", "with": {"object": "Account", "id": "{{ result.id }}"}}
    return {"id": kind, "use": f"{way}_record", "with": wanted, "undo": undo}


def definition(way: str, *, rollback: bool) -> str:
    steps: list[dict[str, object]] = [
        {**written(way, "row"), "foreach": "range(60)"},
        {**written(way, "beside"), "foreach": "range(100)", "concurrency": 5},
        {
            "foreach": "range(20)",
            "concurrency": 2,
            "steps": [written(way, "first"), written(way, "second")],
        },
    ]
    if rollback:
        steps.append({"fail": "it is enough"})
    head = {"version": 1, "workflow": "fill", "integrations": ["salesforce"]}
    return json.dumps({**head, "on_failure": "rollback" if rollback else "keep", "steps": steps})


def project(folder: Path, org: Org, text: str) -> Terapi:
    terapi = Terapi(folder)
    terapi.environ |= {
        "TERAPI_SALESFORCE_CLIENT_ID": org.client_id,
        "TERAPI_SALESFORCE_CLIENT_SECRET": org.client_secret,
    }
    terapi("init")
    (folder / "workflows" / "fill.yaml").write_text(text)
    place = ("--config", f"login_url={org.url}", "--allow-local", "--credentials-stdin")
    terapi("connect", "salesforce", "--connection", "demo", *place, stdin=json.dumps({"type": "OAUTH2_CC"}))
    return terapi


def killed(terapi: Terapi, seconds: float, *args: str) -> bool:
    """Whether the command was killed before it ended."""
    process = terapi.start(*args)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    return process.returncode == -9


def lives(terapi: Terapi, store: Store, chance: random.Random) -> Iterator[tuple[Run, int]]:
    """Runs that are killed, taken up and killed again until they end, each with its kills; the first with none."""
    began = time.monotonic()
    killed(terapi, 60, "run", "fill")
    whole, left = time.monotonic() - began, KILLS
    first = store.runs.newest(limit=1)[0]
    yield first, 0
    while left > 0:
        run, kills = a_life(terapi, store, first, lambda most=whole: chance.uniform(SHORTEST, LONGEST) * most)
        yield run, kills
        first, left = run, left - kills
        # The machine is busier at one time than at another: most runs are to be killed once or twice.
        whole *= 0.9 if kills == 0 else 1.1 if kills > 2 else 1.0


def a_life(terapi: Terapi, store: Store, before: Run, seconds: Callable[[], float]) -> tuple[Run, int]:
    """One run, from its beginning to its end; a process killed before the run began does not count."""
    kills, command = 0, ("run", "fill")
    while True:
        died = killed(terapi, seconds(), *command)
        run = store.runs.newest(limit=1)[0]
        begun = run.id != before.id
        kills += died and begun
        if begun and run.status != "lost":
            return run, kills
        command = ("runs", "resume", run.id) if begun else ("run", "fill")


def there(org: Org) -> Counter[str]:
    rows = org.query("SELECT Name FROM Account WHERE Name LIKE 'row %' OR Name LIKE 'beside %'")
    rows += org.query("SELECT Name FROM Account WHERE Name LIKE 'first %' OR Name LIKE 'second %'")
    return Counter(str(row["Name"]) for row in rows)


def told(store: Store, run: Run) -> set[str]:
    """What the run says may have been done twice, or may be there still: by the names that were written."""
    paths = [row.path for row in store.steps.of(run.id).all() if row.repeated]
    error = run.error or {}
    left = error.get("not_undone", [])
    assert isinstance(left, list)
    return {name_at(path) for path in [*paths, *(str(one["step"]) for one in left)]}


def name_at(path: str) -> str:
    """`beside[3]` wrote `beside 3`, `#2[7]/first` wrote `first 7`, `row[1]:undo` is of `row 1`."""
    number = path[path.index("[") + 1 : path.index("]")]
    last = path.removesuffix(":undo").rsplit("/", 1)[-1]
    return f"{last.partition('[')[0]} {number}"


@pytest.mark.parametrize("rollback", [False, True])
@pytest.mark.parametrize("way", ["upsert", "create"])
def test_a_run_that_is_killed_again_and_again_has_every_effect_once(
    tmp_path: Path, way: str, rollback: bool
) -> None:
    chance = random.Random(f"{way} {rollback} {KILLS}")
    wanted = Counter[str]() if rollback else Counter(NAMES)
    done = Counter[str]()
    with start_org(records=0, api_limit=10_000_000) as org:
        terapi = project(tmp_path, org, definition(way, rollback=rollback))
        with open_store(f"sqlite:///{tmp_path}/.terapi/terapi.db") as store:
            for run, kills in lives(terapi, store, chance):
                assert run.status == ("failed" if rollback else "success"), run.error
                found = there(org)
                assert wanted - found == Counter()
                more = found - wanted
                assert more == Counter() if way == "upsert" else set(more) <= told(store, run)
                assert max(more.values(), default=0) <= kills
                done.update(runs=1, kills=kills, twice=sum(more.values()))
                empty(org)
    assert done["kills"] >= KILLS
    print(f"\n{way}, {'rolled back' if rollback else 'kept'}: {dict(done)}")


def empty(org: Org) -> None:
    for row in org.query("SELECT Id FROM Account"):
        org.delete("Account", str(row["Id"]))
