"""A dry run: the requests that would go out, and what stands for their answers."""

from __future__ import annotations

from runner.calls.retry import SAFE
from runner.definitions.exchange import Outgoing
from runner.definitions.model import Call, Request, Step
from runner.workflow.context import Context

#: what a request shows in place of its credentials
_MASKED = "•••"


class Shown(dict[str, object]):
    """Stands for the answer of a request that a dry run did not send: whatever it is asked for is there."""

    def get(self, key: str, default: object = None) -> object:
        return f"({key} of a dry run)"

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: str) -> object:
        return self.get(key)


def show(request: Outgoing, context: Context) -> Shown:
    """Notes a request that would go out; see `Client.shown`."""
    shown = {
        "method": request.method,
        "url": request.url,
        "headers": {**request.headers, "Authorization": _MASKED},
        "body": request.content.decode() if request.content else None,
    }
    summary = context.running.journal.summary(context.path)
    summary.requests.append(shown)
    summary.status = "dry-run"
    return Shown()


def writes(step: Step) -> bool:
    """Whether a step's own call changes something elsewhere."""
    if isinstance(step.do, Call):
        return step.do.operation.writes
    return isinstance(step.do, Request) and step.do.method not in SAFE
