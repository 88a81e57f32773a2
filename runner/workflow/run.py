"""One run of a workflow: its steps in order, each one's result known to those behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import cast

import jsonschema_rs
import msgspec

from runner.calls.client import Client, checked
from runner.definitions.conversions import text
from runner.definitions.exchange import Outgoing
from runner.definitions.model import Call, Step, Workflow
from runner.definitions.values import ABSENT, describe, is_absent, is_nothing
from runner.errors import ExpressionError, RunFailed, TerapiError, UsageError
from runner.store import Run, Store

#: what a request shows in place of its credentials
_MASKED = "•••"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did; the JSON of `terapi run --json`."""

    run: str
    workflow: str
    #: success or failed
    status: str
    output: object = None
    error: Mapping[str, object] | None = None
    steps: list[dict[str, object]] = []
    #: the error itself, for who can do more with it than show it
    cause: TerapiError | None = None

    def as_data(self) -> dict[str, object]:
        data = msgspec.structs.asdict(self)
        data.pop("cause")
        return data


class _Returned(Exception):
    def __init__(self, output: object) -> None:
        self.output = output


async def run_workflow(
    workflow: Workflow,
    client: Client,
    store: Store,
    given: Mapping[str, object],
    *,
    dry: bool = False,
    started: Callable[[Run], None] = lambda run: None,
) -> Result:
    """Runs a workflow once; its run is kept in the store, however it ends, unless it is a dry one.

    Args:
        given: the input.
        dry: send nothing that writes; show the request instead.
        started: told of the run once it is kept, before its first step.

    Raises:
        UsageError: the input does not fit.
    """
    running = _Running(workflow, client, checked_input(workflow, given), dry)
    if dry:
        return await running.result("dry-run")
    place = client.connection
    with store.runs.begin(
        "workflow",
        workflow.name,
        integration=place.integration,
        connection=place.id,
        input=running.input,
        definition=workflow.text,
    ) as underway:
        started(underway.run)
        underway.steps = running.log
        running.note = underway.log
        result = await running.result(underway.run.id)
        underway.output = result.output
        underway.finish(result.status, result.error)
    return result


def checked_input(workflow: Workflow, given: Mapping[str, object]) -> dict[str, object]:
    """The input with its defaults.

    Raises:
        UsageError: it does not fit the workflow's `input`.
    """
    properties = cast(Mapping[str, Mapping[str, object]], workflow.input["properties"])
    defaults = {name: schema["default"] for name, schema in properties.items() if "default" in schema}
    full = {**defaults, **given}
    validator = jsonschema_rs.Draft202012Validator(dict(workflow.input), validate_formats=True)
    errors = sorted(
        validator.iter_errors(full), key=lambda error: [str(part) for part in error.instance_path]
    )
    if errors:
        where = ".".join(["input", *(str(part) for part in errors[0].instance_path)])
        takes = ", ".join(properties) or "nothing"
        raise UsageError(f"`{where}` of `{workflow.name}`: {errors[0].message}", hint=f"it takes: {takes}")
    return full


class _Running:
    def __init__(self, workflow: Workflow, client: Client, given: dict[str, object], dry: bool) -> None:
        self.workflow = workflow
        self.client = client
        self.input = given
        self.dry = dry
        self.steps: dict[str, object] = {}
        self.log: list[dict[str, object]] = []
        #: writes a line of the run's log: its level and what happened
        self.note: Callable[[str, str], None] = lambda level, message: None

    def scope(self) -> dict[str, object]:
        return {**self.client.scope(), "input": self.input, "steps": self.steps}

    async def result(self, run: str) -> Result:
        output: object = None
        cause: TerapiError | None = None
        try:
            output = await self._all()
        except TerapiError as exc:
            cause = exc
            self.note("error", exc.message)
        return Result(
            run=run,
            workflow=self.workflow.name,
            status="success" if cause is None else "failed",
            output=output,
            error=cause.as_data() if cause is not None else None,
            steps=self.log,
            cause=cause,
        )

    async def _all(self) -> object:
        try:
            for step in self.workflow.steps:
                await self._step(step)
        except _Returned as returned:
            return returned.output
        if self.workflow.output is None:
            return None
        output = self.workflow.output.evaluate(self.scope())
        return None if is_absent(output) else output

    async def _step(self, step: Step) -> None:
        """One step, its line in the result, and two in the log: as it begins and as it ends."""
        entry: dict[str, object] = {
            "id": step.id,
            "step": _kind(step),
            "line": step.place.line,
            "status": "running",
        }
        self.log.append(entry)
        name = f"{step.id} ({entry['step']})" if step.id is not None else str(entry["step"])
        self.note("info", f"{name} begins")
        try:
            result = await self._result(step, entry)
            _succeed(entry)
        except _Returned:
            _succeed(entry)
            raise
        except TerapiError:
            entry["status"] = "failed"
            raise
        except asyncio.CancelledError:
            entry["status"] = "cancelled"
            raise
        finally:
            self.note("info", f"{name}: {entry['status']}")
        if step.id is not None and not is_absent(result):
            self.steps[step.id] = result

    async def _result(self, step: Step, entry: dict[str, object]) -> object:
        if step.foreach is not None:
            return await self._each(step, entry)
        if step.when is not None and not step.when.holds(self.scope()):
            entry["status"] = "skipped"
            return ABSENT
        return await self._once(step, self.scope(), entry)

    async def _each(self, step: Step, entry: dict[str, object]) -> list[object]:
        items = step.foreach.evaluate(self.scope()) if step.foreach is not None else None
        if is_nothing(items):
            items = []
        if not isinstance(items, (list, tuple)):
            place = step.foreach.place if step.foreach is not None else step.place
            raise ExpressionError(f"`foreach` gave {describe(items)}, expected a list", where=place)
        results: list[object] = []
        for index, item in enumerate(items):
            scope = {**self.scope(), "item": item, "index": index}
            if step.when is None or step.when.holds(scope):
                results.append(await self._once(step, scope, entry))
        entry["items"] = len(results)
        return results

    async def _once(self, step: Step, scope: dict[str, object], entry: dict[str, object]) -> object:
        """One step, or one item of it: its result as `output` shapes it."""
        result = await self._done(step, scope, entry)
        if step.output is None or (self.dry and isinstance(result, DryResult)):
            return result
        return step.output.evaluate({**scope, "result": result})

    async def _done(self, step: Step, scope: dict[str, object], entry: dict[str, object]) -> object:
        if step.call is not None:
            return await self._call(step.call, scope, entry)
        if step.request is not None:
            if self.dry and step.request.method not in ("GET", "HEAD"):
                return self._show(self.client.shown(step.request, scope), entry)
            answer = await self.client.request(step.request, scope)
            return answer.body
        if step.set is not None:
            return step.set.evaluate(scope)
        if step.fail is not None:
            raise RunFailed(text(step.fail.evaluate(scope)), where=step.place)
        output = step.returns.evaluate(scope) if step.returns is not None else None
        raise _Returned(None if is_absent(output) else output)

    async def _call(self, call: Call, scope: dict[str, object], entry: dict[str, object]) -> object:
        arguments = cast(Mapping[str, object], call.arguments.evaluate(scope))
        if self.dry and call.operation.writes:
            full = {**scope, **checked(call.operation, arguments)}
            return self._show(self.client.shown(call.operation.request, full), entry)
        return await self.client.call(call.operation, arguments)

    def _show(self, request: Outgoing, entry: dict[str, object]) -> DryResult:
        shown = {
            "method": request.method,
            "url": request.url,
            "headers": {**request.headers, "Authorization": _MASKED},
            "body": request.content.decode() if request.content else None,
        }
        entry["status"] = "dry-run"
        entry.setdefault("requests", [])
        cast("list[object]", entry["requests"]).append(shown)
        return DryResult()


class DryResult(dict[str, object]):
    """Stands for the answer of a request that a dry run did not send."""

    def get(self, key: str, default: object = None) -> object:
        return f"({key} of a dry run)"

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: str) -> object:
        return self.get(key)


def _succeed(entry: dict[str, object]) -> None:
    """A step that was skipped, or only shown, stays that."""
    if entry["status"] == "running":
        entry["status"] = "success"


def _kind(step: Step) -> str:
    if step.call is not None:
        return f"use {step.call.operation.name}"
    named = {"request": step.request, "set": step.set, "fail": step.fail}
    return next((name for name, value in named.items() if value is not None), "return")
