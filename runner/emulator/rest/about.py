"""What the API says of itself: versions, resources, limits, what was seen last."""

from __future__ import annotations

import orjson
from starlette.responses import Response

from runner.emulator.database import Row
from runner.emulator.http import json
from runner.emulator.options import SHOWN_LIMIT
from runner.emulator.rest.call import Call, page

FIRST_VERSION, LAST_VERSION = 20, 70
RECENT, MOST_RECENT = 200, 2_000
#: a version's release: three a year since Winter '11 was version 20
_SEASONS = ("Winter", "Spring", "Summer")
_RESOURCES = (
    "compactLayouts", "composite", "jobs", "limits", "parameterizedSearch", "query", "queryAll",
    "quickActions", "recent", "search", "sobjects",
)  # fmt: skip
#: what an org may do in a day, an hour, or at all; those of a developer edition
_LIMITS = {
    "ActiveScratchOrgs": 3,
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentSyncReportRuns": 20,
    "DailyAsyncApexExecutions": 250_000,
    "DailyBulkApiBatches": 15_000,
    "DailyBulkV2QueryFileStorageMB": 976_562,
    "DailyBulkV2QueryJobs": 10_000,
    "DailyDurableStreamingApiEvents": 10_000,
    "DailyGenericStreamingApiEvents": 10_000,
    "DailyScratchOrgs": 6,
    "DailyStandardVolumePlatformEvents": 10_000,
    "DailyStreamingApiEvents": 10_000,
    "DailyWorkflowEmails": 390,
    "DataStorageMB": 5,
    "DurableStreamingApiConcurrentClients": 20,
    "FileStorageMB": 20,
    "HourlyAsyncReportRuns": 1_200,
    "HourlyDashboardRefreshes": 200,
    "HourlyDashboardResults": 5_000,
    "HourlyLongTermIdMapping": 100_000,
    "HourlyManagedContentPublicRequests": 50_000,
    "HourlyODataCallout": 1_000,
    "HourlyPublishedPlatformEvents": 50_000,
    "HourlyPublishedStandardVolumePlatformEvents": 1_000,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 50,
    "MassEmail": 10,
    "MonthlyPlatformEvents": 300_000,
    "Package2VersionCreates": 6,
    "PermissionSets": 1_500,
    "SingleEmail": 15,
    "StreamingApiConcurrentClients": 20,
}


def versions() -> list[dict[str, str]]:
    return [
        {"label": _release(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(FIRST_VERSION, LAST_VERSION + 1)
    ]


def _release(number: int) -> str:
    years, season = divmod(number - FIRST_VERSION, 3)
    return f"{_SEASONS[season]} '{11 + years:02}"


def resources(call: Call) -> Response:
    urls = {name: f"{call.base_url}/{name}" for name in _RESOURCES}
    return json(urls | {"identity": f"{call.org.url}/id/{call.org.id}/{call.user_id}"})


def limits(call: Call) -> Response:
    usage = call.org.usage
    most = usage.limit or SHOWN_LIMIT
    free = {name: {"Max": size, "Remaining": size} for name, size in _LIMITS.items()}
    used = {"DailyApiRequests": {"Max": most, "Remaining": max(0, most - usage.used)}}
    return json(dict(sorted((free | used).items())))


def recent(call: Call) -> Response:
    """What the user looked at, or was led to, the latest first."""
    limit = call.numbered("limit", RECENT, MOST_RECENT)
    return page(orjson.dumps(shown_records(call, call.org.recents.listed(call.user_id, limit))))


def shown_records(call: Call, rows: list[Row]) -> list[object]:
    """Records by object and id, with their names; those that are gone are left out."""
    found: list[object] = []
    for name, record_id in rows:
        item = call.org.visible.objects[str(name)]
        names = list(dict.fromkeys(["Id", item.name_field]))
        (record,) = call.org.queries.records(item, [str(record_id)], names, call.base_url)
        if record is not None:
            found.append(orjson.loads(record))
    return found
