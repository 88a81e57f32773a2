"""What the API says of itself: versions, resources, limits, what was seen last."""

from __future__ import annotations

import orjson
from starlette.responses import Response

from runner.emulator.http import json
from runner.emulator.options import SHOWN_LIMIT
from runner.emulator.rest.call import Call, page
from runner.emulator.soql.compile import Asked

FIRST_VERSION, LAST_VERSION = 20, 70
RECENT = 200
#: a version's release: three a year since Winter '11 was version 20
_SEASONS = ("Winter", "Spring", "Summer")


def versions() -> list[dict[str, str]]:
    return [
        {"label": _release(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(FIRST_VERSION, LAST_VERSION + 1)
    ]


def _release(number: int) -> str:
    years, season = divmod(number - FIRST_VERSION, 3)
    return f"{_SEASONS[season]} '{11 + years:02}"


def resources(call: Call) -> Response:
    names = ("sobjects", "query", "queryAll", "limits", "recent")
    urls = {name: f"{call.base_url}/{name}" for name in names}
    return json(urls | {"identity": f"{call.org.url}/id/{call.org.id}/{call.user_id}"})


def limits(call: Call) -> Response:
    usage = call.org.usage
    most = usage.limit or SHOWN_LIMIT
    fixed = {
        "DailyBulkApiBatches": 15_000,
        "DailyBulkV2QueryJobs": 10_000,
        "DailyBulkV2QueryFileStorageMB": 976_562,
        "DataStorageMB": 5,
        "FileStorageMB": 20,
        "HourlyPublishedPlatformEvents": 50_000,
        "SingleEmail": 15,
    }
    free = {name: {"Max": size, "Remaining": size} for name, size in fixed.items()}
    return json({"DailyApiRequests": {"Max": most, "Remaining": max(0, most - usage.used)}, **free})


def recent(call: Call) -> Response:
    """The contacts and accounts that were changed last; the real org lists what the user looked at."""
    limit = call.query.get("limit", "")
    size = min(RECENT, int(limit)) if limit.isdecimal() and len(limit) < 6 else RECENT
    shown: list[object] = []
    for name in ("Account", "Contact"):
        text = f"SELECT Id, Name FROM {name} ORDER BY LastModifiedDate DESC LIMIT {max(1, size // 2)}"  # noqa: S608
        asked = Asked(text=text, now=call.org.clock.now(), base_url=call.base_url)
        shown += orjson.loads(call.org.queries.first(asked))["records"]
    return page(orjson.dumps(shown[:size]))
