"""Up to 25 calls in one that know nothing of one another."""

from __future__ import annotations

from starlette.responses import Response

from runner.emulator.errors import ApiError
from runner.emulator.http import json
from runner.emulator.rest.call import Call, content, flag, listed
from runner.emulator.rest.dispatch import Part, perform

MOST = 25
HALTED = ApiError("BATCH_PROCESSING_HALTED", "Batch processing halted per request")

Json = dict[str, object]


def batch(call: Call) -> Response:
    said = call.values()
    parts = [_part(each) for each in listed(said, "batchRequests", MOST)]
    halting, failed = flag(said, "haltOnError"), False
    results: list[Json] = []
    for part in parts:
        if failed and halting:
            results.append({"statusCode": 412, "result": HALTED.body()})
            continue
        answer = perform(call, part)
        failed = failed or answer.status_code >= 400
        results.append({"statusCode": answer.status_code, "result": content(answer)})
    return json({"hasErrors": failed, "results": results})


def _part(said: Json) -> Part:
    method, url = said.get("method"), said.get("url")
    if not isinstance(method, str) or not isinstance(url, str):
        raise ApiError("INVALID_INPUT", "A subrequest of a batch needs a method and a url")
    if "/composite/" in url.replace("?", "/"):
        raise ApiError("INVALID_INPUT", f"The url {url[:200]} is not allowed in a batch")
    return Part(method=method, url=url, body=said.get("richInput"))
