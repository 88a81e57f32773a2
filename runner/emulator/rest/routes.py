"""The table of the REST API, and its front: session, count of calls, form of the answer."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from runner.emulator.errors import ApiError
from runner.emulator.http import json, org_of
from runner.emulator.org import Org
from runner.emulator.rest import (
    about,
    actions,
    batch,
    changes,
    collections,
    composite,
    describe,
    formats,
    graph,
    layouts,
    query,
    records,
    relationships,
    search,
    tree,
    upserts,
)
from runner.emulator.rest.call import Call, Handler, Resource
from runner.emulator.rest.dispatch import answer, find
from runner.emulator.rest.preconditions import conditional
from runner.emulator.rest.web import body_of, check_size, compressed, path_parts, version_of
from runner.emulator.sessions import bearer, user_of

ROOT = ["services", "data"]
#: the element of a record in XML, where it does not say its type
RECORD = "SObject"


def _resource(path: str, root: str = "Result", **handlers: Handler) -> Resource:
    parts = tuple(part for part in path.split("/") if part)
    return Resource(path=parts, handlers=handlers, root=root)


RESOURCES = (
    _resource("/", "urls", GET=about.resources),
    _resource("/limits", "LimitsSnapshot", GET=about.limits),
    _resource("/recent", "RecentlyViewed", GET=about.recent),
    _resource("/query", "QueryResult", GET=query.query),
    _resource("/queryAll", "QueryResult", GET=query.query_all),
    _resource("/query/{locator}", "QueryResult", GET=query.more),
    _resource("/queryAll/{locator}", "QueryResult", GET=query.more),
    _resource("/search", "SearchResults", GET=search.search),
    _resource("/search/scopeOrder", "ScopeOrder", GET=search.scope_order),
    _resource("/search/layout", "SearchLayouts", GET=search.layouts),
    _resource("/search/suggestions", "Suggestions", GET=search.suggestions),
    _resource(
        "/parameterizedSearch",
        "SearchResults",
        GET=search.parameterized,
        POST=search.parameterized_by_body,
    ),
    _resource("/composite", "Composite", GET=composite.resources, POST=composite.composite),
    _resource("/composite/batch", "BatchResult", POST=batch.batch),
    _resource("/composite/graph", "GraphResult", POST=graph.graphs),
    _resource("/composite/tree/{object}", "SObjectTreeResponse", POST=tree.tree),
    _resource(
        "/composite/sobjects",
        "Results",
        POST=collections.create,
        PATCH=collections.update,
        DELETE=collections.delete,
    ),
    _resource(
        "/composite/sobjects/{object}", "Records", GET=collections.retrieve, POST=collections.retrieve_by_body
    ),
    _resource("/composite/sobjects/{object}/{field}", "Results", PATCH=collections.upsert),
    _resource("/quickActions", "QuickActions", GET=actions.listed),
    _resource("/quickActions/{action}", "QuickAction", GET=actions.shown, POST=actions.performed),
    _resource("/quickActions/{action}/describe", "QuickAction", GET=actions.described),
    _resource("/quickActions/{action}/defaultValues", "DefaultValues", GET=actions.defaults),
    _resource("/compactLayouts", "CompactLayouts", GET=layouts.compact_of_several),
    _resource("/sobjects", "DescribeGlobal", GET=describe.everything),
    _resource("/sobjects/{object}", RECORD, GET=describe.basics, POST=records.create),
    _resource("/sobjects/{object}/describe", "DescribeSObject", GET=describe.describe),
    _resource("/sobjects/{object}/describe/layouts", "DescribeLayoutResult", GET=layouts.layouts),
    _resource("/sobjects/{object}/describe/layouts/{type}", "DescribeLayout", GET=layouts.layout),
    _resource("/sobjects/{object}/describe/compactLayouts", "CompactLayouts", GET=layouts.compact),
    _resource("/sobjects/{object}/describe/approvalLayouts", "ApprovalLayouts", GET=layouts.approval),
    _resource("/sobjects/{object}/updated", "Updated", GET=changes.updated),
    _resource("/sobjects/{object}/deleted", "Deleted", GET=changes.deleted),
    _resource("/sobjects/{object}/quickActions", "QuickActions", GET=actions.listed),
    _resource(
        "/sobjects/{object}/quickActions/{action}",
        "QuickAction",
        GET=actions.shown,
        POST=actions.performed,
    ),
    _resource("/sobjects/{object}/quickActions/{action}/describe", "QuickAction", GET=actions.described),
    _resource(
        "/sobjects/{object}/quickActions/{action}/defaultValues", "DefaultValues", GET=actions.defaults
    ),
    _resource(
        "/sobjects/{object}/quickActions/{action}/defaultValues/{context}",
        "DefaultValues",
        GET=actions.defaults,
    ),
    _resource(
        "/sobjects/{object}/{id}",
        RECORD,
        GET=records.retrieve,
        PATCH=records.update,
        DELETE=records.delete,
        POST=upserts.create_by_key,
    ),
    _resource(
        "/sobjects/{object}/{field}/{value}",
        RECORD,
        GET=relationships.retrieve,
        PATCH=relationships.upsert,
        DELETE=relationships.delete,
    ),
)


async def rest(request: Request) -> Response:
    """Everything below /services/data."""
    org = org_of(request)
    as_xml = formats.wishes_xml(request.headers.get("accept", ""))
    parts = path_parts(request)[len(ROOT) :]
    if parts and parts[-1].endswith((".json", ".xml")) and not _ends_in_value(parts):
        parts[-1], _, kind = parts[-1].rpartition(".")
        as_xml = kind == "xml"
    try:
        check_size(request)
        root, told = _told(org, request, parts, await body_of(request))
        told = conditional(request, told)
    except ApiError as exc:
        root, told = "Errors", json(exc.body(), exc.status)
    if as_xml:
        _write_xml(told, root)
    told.headers["Sforce-Limit-Info"] = org.usage.header
    return compressed(told, request, org.options.compress_below)


def _ends_in_value(parts: list[str]) -> bool:
    """Whether the last part may be an external id, which may be called anything."""
    return len(parts) == 5 and parts[1] == "sobjects"


def _told(org: Org, request: Request, parts: list[str], body: bytes) -> tuple[str, Response]:
    """The name of the answer's element in XML, and the answer."""
    if not parts:
        return "Versions", json(about.versions())
    version = version_of(parts[0])
    user_id = user_of(org, bearer(request))
    org.usage.count()
    resource, opened = find(RESOURCES, parts[1:])
    call = Call(
        org=org,
        method=_method(request),
        version=version,
        user_id=user_id,
        path=opened,
        query=request.query_params,
        headers=request.headers,
        body=body,
        resources=RESOURCES,
    )
    root = resource.root if call.method == "GET" or resource.root != RECORD else "Result"
    return root, answer(resource, call)


def _method(request: Request) -> str:
    """HEAD is answered as GET; a POST may say that it means another method."""
    if request.method == "HEAD":
        return "GET"
    return request.query_params.get("_HttpMethod", "POST") if request.method == "POST" else request.method


def _write_xml(told: Response, root: str) -> None:
    body = bytes(told.body)
    if not body:
        return
    said = orjson.loads(body)
    attributes = said.get("attributes") if isinstance(said, dict) else None
    name = str(attributes["type"]) if isinstance(attributes, dict) and "type" in attributes else root
    told.body = formats.as_xml(said, name)
    told.headers["Content-Type"] = "application/xml;charset=UTF-8"
    told.headers["Content-Length"] = str(len(told.body))
