"""How a batch begins: when its work is due as the org was told, and what becomes of it as a fault says."""

from __future__ import annotations

from starlette.requests import Request

from runner.emulator.bulk.job import Batch, Job
from runner.emulator.org import Org


def start(org: Org, request: Request, job: Job, **said: object) -> Batch:
    """Queues a batch of the job that this request has made, or completed."""
    fault = org.faults.job(request.method, request.url.path)
    return org.bulk.queue(
        job,
        due_at=org.clock.time() + org.options.bulk_seconds,
        polls=org.options.bulk_polls,
        fate=fault.texts["becomes"] if fault else "",
        fault=fault.texts["message"] if fault else "",
        **said,
    )
