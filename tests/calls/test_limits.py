"""What an API bears: calls at once, the share of its budget that is kept for others, the size of an answer."""

from __future__ import annotations

import asyncio
import textwrap
import threading
from pathlib import Path

import pytest

from runner.calls.access import Access
from runner.calls.client import Client
from runner.calls.limits import Gate
from runner.definitions.exchange import Outgoing
from runner.definitions.project import Project
from runner.errors import CallError, DefinitionsInvalid
from runner.store import Connection
from tests.api import Api, Reply, Seen
from tests.calls.test_client import run
from tests.conftest import PROVIDERS, Waits

BUDGET = "used: response.headers['x-used']\nof: response.headers['x-limit']"
RESET = "resets: response.headers['x-reset']"


def limited(access: Access, folder: Path, limits: str) -> None:
    """Has the shop say its limits."""
    write(folder, limits)
    access.project = Project.load(folder).checked()


def write(folder: Path, limits: str) -> None:
    lines = textwrap.indent(limits, "    ")
    text = PROVIDERS.replace("  verify: ping\n", f"  verify: ping\n  limits:\n{lines}\n")
    (folder / "providers.yaml").write_text(text)


def told(used: int, of: int = 100, **more: str) -> Reply:
    return Reply({"ok": 1}, headers={"X-Used": str(used), "X-Limit": str(of), **more})


async def twice(client: Client) -> object:
    ping = client.provider.operations["ping"]
    await client.call(ping, {})
    return await client.call(ping, {})


def test_calls_at_once_are_counted_for_the_connection_not_for_the_client(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    limited(access, folder, "concurrency: 2")
    pairs, lock, under_way = threading.Barrier(2, timeout=20), threading.Lock(), [0, 0]

    def answer(seen: Seen) -> Reply:
        with lock:
            under_way[0] += 1
            under_way[1] = max(under_way)
        pairs.wait()
        with lock:
            under_way[0] -= 1
        return Reply({"ok": 1})

    api.on("/ping", answer)

    async def many() -> None:
        async with access:
            clients = [access.client(connection) for _ in range(6)]
            await asyncio.gather(*(twice(client) for client in clients))

    asyncio.run(many())
    assert under_way == [0, 2]
    assert len(api.seen) == 12


def test_the_last_of_the_budget_is_kept(
    access: Access, connection: Connection, api: Api, folder: Path, waits: Waits
) -> None:
    limited(access, folder, f"{BUDGET}\nreserve: 5%")
    api.on("/ping", told(14_260, 15_000))
    with pytest.raises(CallError) as caught:
        run(access, connection, twice)
    error = caught.value
    assert error.kind == "rate_limited"
    assert error.message == "14,260 of 15,000 calls of shop are used, and the last 5% are kept for others"
    assert error.hint == (
        "wait until the API gives more, or keep less back with `limits.reserve` of the provider"
    )
    assert (len(api.seen), waits.seconds) == (1, [])


@pytest.mark.parametrize(
    ("limits", "reply"),
    [
        (f"{BUDGET}\nreserve: 5%", told(94)),
        (f"{BUDGET}\nreserve: 5%", Reply({"ok": 1})),
        (f"{BUDGET}\nreserve: 5%", Reply({"ok": 1}, headers={"X-Used": "many", "X-Limit": "100"})),
        (f"{BUDGET}\nreserve: 0%", told(99)),
        (BUDGET, told(100)),
    ],
)
def test_calls_go_on_while_the_budget_is_not_known_to_be_used(
    access: Access, connection: Connection, api: Api, folder: Path, limits: str, reply: Reply
) -> None:
    limited(access, folder, limits)
    api.on("/ping", reply)
    assert run(access, connection, twice) == {"ok": 1}


def test_a_budget_that_soon_begins_anew_is_waited_for(
    access: Access, connection: Connection, api: Api, folder: Path, waits: Waits
) -> None:
    limited(access, folder, f"{BUDGET}\nreserve: 5%\n{RESET}")
    api.on("/ping", told(100, **{"X-Reset": "30"}))
    with pytest.raises(CallError, match="100 of 100 calls of shop are used"):
        run(access, connection, twice)
    assert [29.0 <= seconds <= 33.0 for seconds in waits.seconds] == [True, True]
    assert len(api.seen) == 1


@pytest.mark.parametrize(("resets", "seconds"), [("", 60), (RESET, 30)])
def test_old_figures_are_asked_for_anew(
    access: Access, connection: Connection, api: Api, folder: Path, resets: str, seconds: float
) -> None:
    limited(access, folder, f"{BUDGET}\nreserve: 5%\n{resets}")
    provider, now = access.project.provider("shop"), [1000.0]
    gate = Gate(provider.limits, lambda: now[0])
    api.on("/ping", told(100, **{"X-Reset": "30"}))

    async def work(client: Client) -> None:
        async with client.stream(Outgoing(method="GET", url="/ping")) as answer:
            gate.note(answer)

    run(access, connection, work)
    now[0] += seconds - 1
    assert gate.refusal(provider) is not None
    now[0] += 1
    assert gate.refusal(provider) is None


def test_a_budget_that_begins_anew_much_later_says_when(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    limited(access, folder, f"{BUDGET}\nreserve: 5%\n{RESET}")
    api.on("/ping", told(100, **{"X-Reset": "3600"}))
    with pytest.raises(CallError, match="100 of 100 calls of shop are used") as caught:
        run(access, connection, twice)
    assert str(caught.value.hint).startswith("try again after 20")
    assert len(api.seen) == 1


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ("reserve: 5%", "`used` is missing: `reserve` needs it"),
        (f"{BUDGET}\nreserve: 200%", "a share such as `5%`, below 100%"),
        ("used: response.headers.x", "`of` is missing: `used` needs it"),
        ("used: response.body.x\nof: response.headers.y", "`response` has no `body`"),
        ("answer: 5 apples", "a size such as `500KB`, `100MB`, `2GB`"),
        ("concurrency: 0", "at least 1"),
    ],
)
def test_limits_that_mean_nothing_are_refused(folder: Path, limits: str, message: str) -> None:
    write(folder, limits)
    with pytest.raises(DefinitionsInvalid) as caught:
        Project.load(folder).checked()
    told = [f"{problem.message} {problem.suggestion}" for problem in caught.value.problems]
    assert any(message in one for one in told), told


def test_an_answer_larger_than_its_limit_is_an_error(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    limited(access, folder, "answer: 1KB")
    api.on("/ping", Reply({"text": "x" * 2000}))
    with pytest.raises(CallError) as caught:
        run(access, connection, twice)
    assert caught.value.kind == "too_large"
    assert caught.value.message == f"the answer of {api.url[7:]} is larger than 1,000 bytes"
    assert caught.value.hint == (
        "ask for less at a time, or raise `limits.answer` of the provider or the operation"
    )


def test_an_operation_may_have_a_limit_of_its_own(
    access: Access, connection: Connection, api: Api, folder: Path
) -> None:
    text = PROVIDERS.replace("ping: {request", "ping: {limits: {answer: 1KB}, request")
    (folder / "providers.yaml").write_text(text)
    access.project = Project.load(folder).checked()
    api.on("/ping", Reply({"text": "x" * 2000}))
    with pytest.raises(CallError, match="is larger than 1,000 bytes"):
        run(access, connection, twice)
