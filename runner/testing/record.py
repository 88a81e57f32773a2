"""A test made from a real connection: the definition is run as a test would run it, and written down."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.calls.client import Client
from runner.calls.transport import Transport
from runner.definitions.conversions import format_instant, instant
from runner.definitions.model import Given, Provider, RecordedAnswer
from runner.definitions.model.matrix import definition_of
from runner.definitions.project import Project
from runner.definitions.yaml.writing import write
from runner.errors import UsageError
from runner.store import Connection
from runner.testing.asked import Asked, grouped
from runner.testing.masks import Replacing
from runner.testing.recorder import Recorder
from runner.testing.report import ORDER
from runner.testing.stage import Actor, actor_of, base_url_of, staged
from runner.testing.trial import Trial, metadata_of, performed

#: headers that say nothing of what is asked for, or that follow from the body
_USUAL: Final = frozenset({"authorization", "content-type", "content-length", "accept", "user-agent"})
#: seconds that a recording waits at once; what takes longer is a workflow's own wait
_PATIENCE: Final = 60.0
_READ_HEADER = re.compile(r"""headers(?:\[\s*['"]([\w-]+)['"]\s*\]|\.([A-Za-z]\w*))""")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be recorded."""

    #: sync or workflow
    kind: str
    name: str
    description: str = ""
    given: Given = Given()
    #: how many records of each list of an answer are kept; None for all
    limit: int | None = None


async def record(access: Access, client: Client, wanted: Wanted) -> str:
    """Runs a definition for a connection, in a store of its own; gives the text of the test.

    What it writes at the API is written. What of the run is stored is forgotten.

    Raises:
        NotConnected: the connection does not work.
        CallError: the API cannot be asked for the time.
        UsageError: what is given does not fit, or a step waits for what only `mock` can give.
    """
    provider = client.provider
    if provider.verify is not None:
        await client.call(provider.operations[provider.verify], {})
    held = await access.tokens.fresh(provider, access.tokens.open(client.connection))
    now = float(int(client.server_time or time.time()))
    place = held.connection
    given = _all_given(wanted.given, place, now)
    recorder = Recorder(
        Transport(allow_local=place.allow_local), now, _read_headers(access.project, provider), wanted.limit
    )
    actor = Actor(provider, place.config, metadata_of(given), _lasting(held.credentials), place.allow_local)
    trial = Trial(kind=wanted.kind, definition=wanted.name, integration=provider.name, given=given, asks=True)
    async with staged(access.project, actor, recorder, given, _wait) as stage:
        found = await performed(stage, trial)
    _check(found)
    found["requests"] = len(recorder.exchanges)
    replacing = Replacing(provider, place.config, held.credentials)
    base_url = base_url_of(provider, place.config)
    http = [told_exchange(asked, answer, replacing, base_url) for asked, answer in recorder.exchanges]
    expect = replacing.value(_expected(found))
    head = _head(wanted, access.project, provider)
    return write({**head, "given": _given(given, provider, replacing), "http": http, "expect": expect})


async def _wait(seconds: float) -> None:
    """Waits for an API as a run does, but for no day that a workflow waits for."""
    await asyncio.sleep(seconds if seconds <= _PATIENCE else 0)


def _check(found: Mapping[str, object]) -> None:
    """Raises UsageError for what is not the definition's doing."""
    error = found.get("error")
    if isinstance(error, Mapping) and error["kind"] in ("usage", "waiting", "not_connected"):
        hint = None if error.get("hint") is None else str(error["hint"])
        if error["kind"] == "waiting":
            hint = f"say what it gives: --mock {error.get('step')}='{{\"approved\": true}}'"
        raise UsageError(str(error["message"]), hint=hint)


def _all_given(given: Given, place: Connection, now: float) -> Given:
    """What is given, and what the connection says beside it: its metadata, the params in it apart."""
    metadata = {**(place.metadata or {}), **given.metadata}
    params = metadata.pop("params", {})
    return msgspec.structs.replace(
        given, now=now, metadata=metadata,
        params={**(params if isinstance(params, dict) else {}), **given.params},
    )  # fmt: skip


def _lasting(credentials: Credentials) -> Credentials:
    """The same without what renews them: a token that is renewed in a store that is forgotten is lost."""
    return msgspec.structs.replace(credentials, refresh_token=None, expires_at=None, checked_at=1e12)


def _read_headers(project: Project, provider: Provider) -> set[str]:
    """The headers of answers that definitions read, but for what only the gate of the limits reads."""
    limits = [one for one in (provider.limits.used, provider.limits.of, provider.limits.resets) if one]
    ignored = _headers_in(one.source for one in limits)
    return {*_headers_in(project.sources.values()), provider.retry.respect.lower()} - ignored


def _headers_in(texts: Iterable[str]) -> set[str]:
    return {(a or b).lower() for text in texts for a, b in _READ_HEADER.findall(text)}


def told_exchange(
    asked: Asked, answer: RecordedAnswer, replacing: Replacing, base_url: str
) -> dict[str, object]:
    return {
        "request": replacing.value(_request(asked, replacing, base_url)),
        "response": replacing.value(_response(answer)),
    }


def _request(asked: Asked, replacing: Replacing, base_url: str) -> dict[str, object]:
    found: dict[str, object] = {} if asked.method == "GET" else {"method": asked.method}
    base = base_url.rstrip("/") + "/"
    below = asked.address.startswith(base)
    found |= {"path": asked.address[len(base) - 1 :]} if below else {"url": asked.address}
    if asked.query:
        found["query"] = grouped(asked.query)
    headers = {
        name: value
        for name, value in asked.headers.items()
        if name not in _USUAL and not replacing.is_secret(value)
    }
    if headers:
        found["headers"] = headers
    return found if asked.form is None else {**found, asked.form: asked.body}


def _response(answer: RecordedAnswer) -> dict[str, object]:
    if answer.fault is not None:
        return {"fault": answer.fault}
    found: dict[str, object] = {} if answer.status == 200 else {"status": answer.status}
    if answer.headers:
        found["headers"] = dict(answer.headers)
    return found if answer.form is None else {**found, answer.form: answer.body}


def _given(given: Given, provider: Provider, replacing: Replacing) -> dict[str, object]:
    """What was given, without what is so by default."""
    spare = actor_of(provider, {}, {}).config
    config = {name: value for name, value in replacing.config.items() if value != spare.get(name)}
    connection = {"config": config, "metadata": given.metadata}
    found: dict[str, object] = {"now": format_instant(instant(given.now)).replace(".000Z", "Z")}
    parts: Mapping[str, object] = {
        "connection": {key: value for key, value in connection.items() if value},
        "params": given.params, "full": given.full, "checkpoint": given.checkpoint,
        "last_run": None if given.last_run is None else format_instant(instant(given.last_run)),
        "records": given.records, "files": given.files, "input": given.input, "mock": given.mock,
    }  # fmt: skip
    found |= {key: replacing.value(value) for key, value in parts.items() if value not in (None, False, {})}
    return found


def _expected(found: Mapping[str, object]) -> dict[str, object]:
    """What is worth being expected: not that nothing is stored where nothing could be."""
    return {key: found[key] for key in ORDER if key in found and found[key] not in ({}, None)}


def _head(wanted: Wanted, project: Project, provider: Provider) -> dict[str, object]:
    is_sync = wanted.kind == "sync"
    found = project.sync(definition_of(wanted.name)) if is_sync else project.workflow(wanted.name)
    head: dict[str, object] = {"version": 1, wanted.kind: wanted.name}
    if wanted.description:
        head["description"] = wanted.description
    if found.integrations[0] != provider.name:
        head["integration"] = provider.name
    return head
