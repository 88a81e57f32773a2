"""One test run: its definition, with what is given, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec
import orjson

from runner.definitions.conversions import text
from runner.definitions.model import DefinitionTest, Exchange, Given, Sync
from runner.definitions.model.matrix import definition_of
from runner.definitions.project import Project
from runner.errors import TerapiError
from runner.store import Store
from runner.store.records import BASE
from runner.sync.matrix import expanded, meant
from runner.sync.run import Options as SyncOptions
from runner.sync.run import key_of, run_sync
from runner.testing import checkpoints
from runner.testing.cassette import Cassette, Miss
from runner.testing.stage import CONNECTION, Stage, actor_of, base_url_of, staged
from runner.workflow.run import Options, Result, run_workflow

#: the id of a workflow's run, from which the keys come by which an API knows its requests
_RUN = "0123456789abcdef0123456789abcdef"
_DEFAULT_KEY = "id"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What to run."""

    kind: str
    definition: str
    integration: str
    given: Given
    #: whether an API is there to be asked; without it a workflow runs dry
    asks: bool


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a test."""

    #: as `expect` has it, whole
    found: dict[str, object]
    missed: list[Miss] = []
    unused: list[Exchange] = []


async def tried(project: Project, test: DefinitionTest) -> Outcome:
    """Runs a test.

    Raises:
        UsageError: what it tests is not there.
    """
    provider = project.provider(test.integration)
    actor = actor_of(provider, test.given.config, test.given.metadata)
    cassette = Cassette(test.http or (), base_url_of(provider, actor.config), test.given.now)
    trial = Trial(
        kind=test.kind, definition=test.definition, integration=test.integration, given=test.given,
        asks=test.http is not None,
    )  # fmt: skip
    actor = actor._replace(metadata=metadata_of(test.given))
    async with staged(project, actor, cassette, test.given) as stage:
        found = await performed(stage, trial)
    if "requests" not in found:
        found["requests"] = cassette.requests
    return Outcome(found=found, missed=cassette.missed, unused=cassette.unused)


def metadata_of(given: Given) -> dict[str, object]:
    """The connection's metadata, the sync's params in it."""
    return {**given.metadata, "params": given.params} if given.params else dict(given.metadata)


async def performed(stage: Stage, trial: Trial) -> dict[str, object]:
    """Runs a definition on a stage; gives what came of it, as `expect` has it."""
    before = _stored(stage, trial)
    found = await (_synced if trial.kind == "sync" else _worked)(stage, trial)
    records, deletes = _changed(stage.access.store, before)
    return {"records": records, "deletes": deletes, **found}


def _stored(stage: Stage, trial: Trial) -> dict[str, int]:
    """Stores what is given; gives the cursor behind it, by model."""
    store, given = stage.access.store, trial.given
    cursors: dict[str, int] = {}
    for name, records in given.records.items():
        model, _, variant = name.partition("::")
        key = _key_of(stage.access.project, trial, model)
        rows = [(text(record.get(key)), orjson.dumps(record)) for record in records]
        stream = store.records.stream(trial.integration, CONNECTION, model, variant or BASE)
        stream.write(rows, given.now)
        cursors[name] = max((record.cursor for record in stream.all()), default=0)
    return cursors


def _key_of(project: Project, trial: Trial, model: str) -> str:
    """The field of a model's records that is their key."""
    syncs = [project.sync(name) for name in project.syncs]
    if trial.kind == "sync":
        syncs.insert(0, project.sync(definition_of(trial.definition), trial.integration))
    return next((sync.primary_key for sync in syncs if model in sync.models), _DEFAULT_KEY)


def _changed(store: Store, before: Mapping[str, int]) -> tuple[dict[str, object], dict[str, object]]:
    """The records that were written since, and the keys of those that were deleted, by model."""
    records: dict[str, object] = {}
    deletes: dict[str, object] = {}
    for key in sorted(store.records.streams()):
        name = key.model if key.variant == BASE else f"{key.model}::{key.variant}"
        changes = store.records.stream(*key).all(after=before.get(name, 0))
        changed = sorted(changes, key=lambda record: record.id)
        written = [orjson.loads(record.payload) for record in changed if record.state != "deleted"]
        deleted = [record.id for record in changed if record.state == "deleted"]
        records |= {name: written} if written else {}
        deletes |= {name: deleted} if deleted else {}
    return records, deletes


async def _synced(stage: Stage, trial: Trial) -> dict[str, object]:
    """Runs the syncs that are meant, one after the other; of several no checkpoint is told."""
    access, name = stage.access, trial.definition
    definition = access.project.sync(definition_of(name), trial.integration)
    try:
        syncs = meant(
            definition, await expanded(definition, access.client(stage.connection), access.store), name
        )
    except TerapiError as exc:
        return {"error": _error(exc.as_data())}
    found = [await _synced_once(stage, sync, trial.given) for sync in syncs]
    failed = ({"error": one["error"]} for one in found if "error" in one)
    return found[0] if len(found) == 1 else next(failed, {})


async def _synced_once(stage: Stage, sync: Sync, given: Given) -> dict[str, object]:
    access, client = stage.access, stage.access.client(stage.connection)
    key = key_of(sync, client)
    checkpoints.give(access.store, sync, key, given)
    try:
        await run_sync(sync, client, access.store, SyncOptions(full=given.full))
    except TerapiError as exc:
        return {"checkpoint": checkpoints.found(access.store, sync, key), "error": _error(exc.as_data())}
    return {"checkpoint": checkpoints.found(access.store, sync, key)}


async def _worked(stage: Stage, trial: Trial) -> dict[str, object]:
    access = stage.access
    workflow = access.project.workflow(trial.definition, trial.integration)
    options = Options(dry=not trial.asks, clock=stage.clock, id=_RUN, mock=trial.given.mock)
    try:
        result = await run_workflow(access, workflow, stage.connection, trial.given.input, options)
    except TerapiError as exc:
        return {"error": _error(exc.as_data())}
    found: dict[str, object] = {"output": result.output}
    if result.undone:
        found["undone"] = result.undone
    if result.status != "success":
        found["error"] = _error(result.error or _waiting(access.store, result))
    if not trial.asks:
        found["requests"] = [_shown(request) for step in result.steps for request in _requests(step)]
    return found


def _waiting(store: Store, result: Result) -> dict[str, object]:
    """What a run waits for that no test can give it but by `mock`."""
    from runner.workflow.tree import tree_of, waiting

    run = store.runs.get(result.run)
    nodes = [] if run is None else list(waiting(tree_of(store, run, lambda text: text)))
    told = "; ".join(f"`{node.path}` waits for {node.waits_for}" for node in nodes)
    hint = "say in `given.mock` what the step gives"
    return {"kind": "waiting", "message": told, "hint": hint, "step": nodes[0].path if nodes else None}


def _error(told: Mapping[str, object]) -> dict[str, object]:
    return {key: told[key] for key in ("kind", "message", "hint", "step") if told.get(key) is not None}


def _requests(step: Mapping[str, object]) -> list[Mapping[str, object]]:
    """What a step of a dry run would send, and the steps in it."""
    own = cast("list[Mapping[str, object]]", step.get("requests", []))
    below = cast("list[Mapping[str, object]]", step.get("steps", []))
    return [*own, *(request for inner in below for request in _requests(inner))]


def _shown(request: Mapping[str, object]) -> dict[str, object]:
    body = request["body"]
    found = {"method": request["method"], "url": request["url"]}
    if not isinstance(body, str):
        return found
    try:
        return {**found, "json": orjson.loads(body)}
    except ValueError:
        return {**found, "text": body}
