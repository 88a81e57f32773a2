"""What is kept: connections, records, checkpoints, runs, deliveries."""

from runner.store.connections import Connection, OAuthClient, Wanted
from runner.store.deliveries import Arrival, Delivery
from runner.store.housekeeping import Keep, keep_of
from runner.store.locks import Lock
from runner.store.parents import Parent
from runner.store.pruning import Ages, Pruned
from runner.store.records import BASE, Changes, Record, Stream, StreamKey
from runner.store.run import NewRun, Run
from runner.store.state import SyncKey, SyncState
from runner.store.steps import Line, NewSignal, RunSteps, Signal, StepRow
from runner.store.store import Store, is_there, open_store
from runner.store.sync_requests import SyncRequest
from runner.store.triggers import TriggerKey, TriggerState
from runner.store.underway import Underway
from runner.store.views import Table

__all__ = [
    "BASE",
    "Ages",
    "Arrival",
    "Changes",
    "Connection",
    "Delivery",
    "Keep",
    "Line",
    "Lock",
    "NewRun",
    "NewSignal",
    "OAuthClient",
    "Parent",
    "Pruned",
    "Record",
    "Run",
    "RunSteps",
    "Signal",
    "StepRow",
    "Store",
    "Stream",
    "StreamKey",
    "SyncKey",
    "SyncRequest",
    "SyncState",
    "Table",
    "TriggerKey",
    "TriggerState",
    "Underway",
    "Wanted",
    "is_there",
    "keep_of",
    "open_store",
]
