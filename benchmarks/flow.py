"""A workflow run by our interpreter, in a process of its own that tells what it took.

python -m benchmarks.flow SHAPE COUNT CONCURRENCY SYNC URL FOLDER

SHAPE is what each of the COUNT steps does: `least`, `get` or `post`, one after the other, or as the items of
a `foreach` where CONCURRENCY is above 1; `rows` are batches of 200 of a file of COUNT rows. SYNC is `as it
comes`, or what SQLite's `synchronous` is to be whatever a step does.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.definitions.project import Project
from runner.store import Connection, Store, open_store
from runner.workflow.run import Options, Result, run_workflow

PROVIDER = """
bench:
  auth_mode: NONE
  base_url: "{{ config.url }}"
  hosts: [api.bench.example]
  connection_config: {url: {type: string, format: uri}}
  operations:
    get: {request: {path: /limits}}
    post: {params: {n: {type: integer}}, request: {method: POST, path: /notes, json: {n: "{{ n }}"}}}
    save: {params: {rows: {type: array}}, request: {method: POST, path: /rows, json: "{{ rows }}"}}
"""
STEPS = {"least": "set: {n: 1}", "get": "use: get", "post": "use: post, with: {n: 1}"}
BATCH = 200


def in_order(shape: str, count: int) -> str:
    steps = (f"  - {{id: step{n}, {STEPS[shape]}}}" for n in range(count))
    return "\n".join(["steps:", *steps])


def beside(shape: str, count: int, concurrency: int) -> str:
    return f"steps:\n  - {{foreach: 'range({count}) | list', concurrency: {concurrency}, {STEPS[shape]}}}"


def rows(concurrency: int) -> str:
    source = f"foreach: {{file: rows.csv, batch: {BATCH}}}, concurrency: {concurrency}"
    return f'steps:\n  - {{{source}, use: save, with: {{rows: "{{{{ item }}}}"}}}}'


def write(folder: Path, name: str, steps: str) -> None:
    head = f"version: 1\nworkflow: {name}\nintegrations: [bench]\n"
    (folder / "workflows").mkdir(exist_ok=True)
    (folder / "workflows" / f"{name}.yaml").write_text(f"{head}{steps}\n", "utf-8")


def write_rows(folder: Path, count: int) -> None:
    with (folder / "rows.csv").open("w") as file:
        file.write("Id,LastName,Email\n")
        file.writelines(f"{n},Lovelace {n},ada{n}@example.com\n" for n in range(count))


@contextmanager
def project(folder: Path) -> Iterator[tuple[Project, Store]]:
    (folder / "providers.yaml").write_text(PROVIDER, "utf-8")
    with open_store(f"sqlite:///{folder}/.terapi/terapi.db") as store:
        yield Project.load(folder).checked(), store


def connect(access: Access, url: str) -> Connection:
    new = NewConnection(id="bench", config={"url": url}, allow_local=True)
    return access.connect.keep(access.project.provider("bench"), new, Credentials(type="NONE"))


async def run(folder: Path, sync: str, url: str) -> tuple[float, float]:
    """Seconds by the clock and of this process, of the workflow `bench`, after a short one."""
    with project(folder) as (definitions, store):
        async with Access(definitions, store, {}) as access:
            place = connect(access, url)

            def tune(_run: object) -> None:
                if sync != "as it comes":
                    store.database.run(f"PRAGMA synchronous = {sync}")

            async def one(name: str) -> Result:
                workflow = definitions.workflow(name, "bench")
                return await run_workflow(access, workflow, place, {}, Options(started=tune))

            await one("short")
            began, worked = time.perf_counter(), time.process_time()
            result = await one("bench")
            took = time.perf_counter() - began, time.process_time() - worked
    if result.status != "success":
        raise RuntimeError(f"the workflow {result.status}: {result.error}")
    return took


def peak() -> float:
    """The most memory that this process has held, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main(shape: str, count: str, concurrency: str, sync: str, url: str, at: str) -> None:
    folder, many, limit = Path(at), int(count), int(concurrency)
    if shape == "rows":
        write_rows(folder, many)
        write(folder, "short", in_order("post", 20))
        write(folder, "bench", rows(limit))
    else:
        write(folder, "short", in_order(shape, 20))
        write(folder, "bench", in_order(shape, many) if limit == 1 else beside(shape, many, limit))
    seconds, worked = asyncio.run(run(folder, sync, url))
    print(json.dumps({"seconds": seconds, "worked": worked, "peak": peak()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
