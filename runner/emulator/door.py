"""What every request passes on its way in and out: work that is due, the log, the org's date, the faults."""

from __future__ import annotations

import asyncio
from html import escape

from starlette.types import ASGIApp, Receive, Scope, Send

from runner.emulator.addresses import Elsewhere, check_host, relocated
from runner.emulator.faults import Fault
from runner.emulator.mischief import HTML_TYPE, strike
from runner.emulator.org import Org
from runner.emulator.visit import Visit

CONTROL = "/emulator/"
GONE = b"<!doctype html><html><body><h1>URL No Longer Exists</h1></body></html>"


def _no_org_page(name: str) -> bytes:
    said = f"There is no org with the My Domain {escape(name)} here."
    return f"<!doctype html><html><head><title>Not found</title></head><body>{said}</body></html>".encode()


class Door:
    """The outermost ASGI application; faults strike here, before or behind the real answer."""

    def __init__(self, app: ASGIApp, org: Org) -> None:
        self._app = app
        self._org = org

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        self._org.bulk.start_due()
        self._org.records.late.settle()
        visit = Visit(self._org, self._app, scope, receive, send)
        try:
            visit.scope = relocated(scope, self._org.options)
            check_host(scope, self._org.options)
        except Elsewhere as exc:
            await visit.answer(404, _no_org_page(str(exc)), [HTML_TYPE])
            return
        seconds, fault = self._org.faults.strike(scope["method"], visit.target)
        if seconds:
            await asyncio.sleep(seconds)
        try:
            await self._serve(visit, fault)
        finally:
            visit.log()

    async def _serve(self, visit: Visit, fault: Fault | None) -> None:
        if visit.path.startswith("/services/data") and self._org.has_left(visit.header(b"host")):
            await visit.answer(404, GONE, [HTML_TYPE])
        elif fault is not None:
            await strike(visit, fault)
        elif late := self._org.faults.late(visit.scope["method"], visit.target):
            with self._org.records.late.transaction(late.numbers["seconds"]):
                await visit.proceed()
        else:
            await visit.proceed()
