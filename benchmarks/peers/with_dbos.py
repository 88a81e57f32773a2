"""Durable workflows of DBOS Transact on SQLite, as its documentation writes them.

python benchmarks/peers/with_dbos.py SHAPE COUNT CONCURRENCY SYNC URL FOLDER

SHAPE is `least`, `get` or `post`: what each of the COUNT steps does. They come one after the other, or as
many at once as CONCURRENCY says. SYNC is `as it comes`, or SQLite's `synchronous` beside its `WAL`.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from pathlib import Path

import httpx
from dbos import DBOS

WHERE: dict[str, str] = {}
one, many = httpx.Client(), httpx.AsyncClient()


@DBOS.step()
def do_least(n: int) -> object:
    return {"n": n}


@DBOS.step()
def do_get(n: int) -> object:
    return one.get(f"{WHERE['url']}/limits").raise_for_status().json()


@DBOS.step()
def do_post(n: int) -> object:
    return one.post(f"{WHERE['url']}/notes", json={"n": n}).raise_for_status().json()


@DBOS.step()
async def do_get_beside(n: int) -> object:
    return (await many.get(f"{WHERE['url']}/limits")).raise_for_status().json()


STEPS = {"least": do_least, "get": do_get, "post": do_post}


@DBOS.workflow()
def in_order(shape: str, count: int) -> int:
    for n in range(count):
        STEPS[shape](n)
    return count


@DBOS.workflow()
async def beside(count: int, concurrency: int) -> list[object]:
    room = asyncio.Semaphore(concurrency)

    async def item(n: int) -> object:
        async with room:
            return await do_get_beside(n)

    return await asyncio.gather(*(item(n) for n in range(count)))


def set_up(sync: str, folder: Path) -> None:
    config = {"name": "bench", "system_database_url": f"sqlite:///{folder}/dbos.db", "log_level": "ERROR"}
    if sync != "as it comes":
        sqlite3.connect(folder / "dbos.db").execute("PRAGMA journal_mode = WAL")

        class Tuned(sqlite3.Connection):
            def __init__(self, *args: object, **more: object) -> None:
                super().__init__(*args, **more)
                self.execute(f"PRAGMA synchronous = {sync}")

        config["db_engine_kwargs"] = {"connect_args": {"factory": Tuned}}
    DBOS(config=config)
    DBOS.launch()


def run(shape: str, count: int, concurrency: int) -> None:
    if concurrency == 1:
        in_order(shape, count)
    else:
        asyncio.run(beside(count, concurrency))


def main(shape: str, count: str, concurrency: str, sync: str, url: str, folder: str) -> None:
    WHERE["url"] = url
    set_up(sync, Path(folder))
    run(shape, 20, 1)
    began, worked = time.perf_counter(), time.process_time()
    run(shape, int(count), int(concurrency))
    told = {"seconds": time.perf_counter() - began, "worked": time.process_time() - worked}
    print(json.dumps(told))
    DBOS.destroy()


if __name__ == "__main__":
    main(*sys.argv[1:])
