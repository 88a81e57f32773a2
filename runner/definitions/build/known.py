"""What expressions know beside their place's own names; None where anything may be below."""

from __future__ import annotations

from typing import Final

from runner.definitions.expressions import Names

_CONNECTION: Final[Names] = {"id": None, "integration": None, "metadata": None}
#: whose call it is
CONNECTION: Final[Names] = {"connection": _CONNECTION}
#: an answer
RESPONSE: Final[Names] = {"response": {"status": None, "headers": None, "body": None, "url": None}}
#: an answer before its body is read
HEAD: Final[Names] = {"response": {"status": None, "headers": None}}
#: the page that is asked for
PAGE: Final[Names] = {"page": {"number": None, "offset": None, "size": None, "cursor": None}}
#: by which an API knows that it is asked the same again
KEY: Final[Names] = {"idempotency_key": None}
#: a job that was submitted
JOB: Final[Names] = {"job": {"id": None, "answer": None}}
#: a delivery of a webhook
DELIVERY: Final[Names] = {
    "body": None, "headers": None,
    "request": {"query": None, "headers": None, "body": None, "raw": None, "method": None},
}  # fmt: skip
#: one event of a delivery, and the connection that it belongs to
EVENT: Final[Names] = {"event": None, "body": None, "headers": None, **CONNECTION}
#: why a step failed
ERROR: Final[Names] = {
    "error": dict.fromkeys(("kind", "message", "hint", "where", "step", "status", "body"))
}  # fmt: skip
#: a time that a schedule was due at
DUE: Final[Names] = {"due": None, **CONNECTION}
#: changed records
CHANGES: Final[Names] = {"records": None, "changes": None, **CONNECTION}
