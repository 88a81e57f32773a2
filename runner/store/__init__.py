"""What is kept: connections, records, checkpoints, runs, deliveries."""

from runner.store.connections import Connection, OAuthClient
from runner.store.deliveries import Delivery
from runner.store.records import Changes, Record, Stream
from runner.store.runs import Run
from runner.store.state import SyncKey, SyncState
from runner.store.store import Store, open_store
from runner.store.views import Table

__all__ = [
    "Changes",
    "Connection",
    "Delivery",
    "OAuthClient",
    "Record",
    "Run",
    "Store",
    "Stream",
    "SyncKey",
    "SyncState",
    "Table",
    "open_store",
]
