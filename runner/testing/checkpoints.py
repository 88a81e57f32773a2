"""How far a tested sync had come, and how far it came; of a sync with `foreach`, each of its parents."""

from __future__ import annotations

from collections.abc import Mapping

from runner.definitions.conversions import instant
from runner.definitions.model import Given, Sync
from runner.errors import UsageError
from runner.store import Parent, Store, SyncKey, SyncState
from runner.store.parents import WHOLE


def give(store: Store, sync: Sync, key: SyncKey, given: Given) -> None:
    """Keeps what a test says of the sync's runs before; without a word of them there were none.

    Raises:
        UsageError: the checkpoint is a parent's and there are none, or the other way around.
    """
    if given.checkpoint is None and given.last_run is None:
        return
    by_parent, checkpoint = isinstance(given.checkpoint, Mapping), given.checkpoint
    if checkpoint is not None and by_parent != (sync.foreach is not None):
        raise _misfit(sync)
    if isinstance(checkpoint, Mapping):
        known = {name: Parent(state=WHOLE, checkpoint=one) for name, one in checkpoint.items()}
        store.parents.put(key, known)
        checkpoint = None
    last_run = given.last_run if given.last_run is not None else _last_run(sync, given)
    store.states.put(key, SyncState(checkpoint=checkpoint, last_run=last_run, digest=sync.digest))


def found(store: Store, sync: Sync, key: SyncKey) -> object:
    """The checkpoint afterwards; of a sync with `foreach` a map of parents to theirs, null without any."""
    if sync.foreach is None:
        return store.states.get(key).checkpoint
    parents = store.parents.between(key, "", None)
    return {name: one.checkpoint for name, one in sorted(parents.items()) if one.state == WHOLE} or None


def _last_run(sync: Sync, given: Given) -> float | None:
    """As late as the checkpoint, where that is a time; the latest one of several."""
    if sync.incremental is None or sync.incremental.type != "timestamp":
        return None
    several = given.checkpoint.values() if isinstance(given.checkpoint, Mapping) else [given.checkpoint]
    times = [instant(one).timestamp() for one in several if one is not None]
    return max(times, default=None)


def _misfit(sync: Sync) -> UsageError:
    if sync.foreach is None:
        message, hint = f"`{sync.name}` has one checkpoint, and no parents", "write: checkpoint: …"
    else:
        message = f"`{sync.name}` has a checkpoint for each parent"
        hint = "write a map of parents to their checkpoints: checkpoint: {KEY: …}"
    return UsageError(message, hint=hint)
