"""Workflows: what starts them, and what they do, step by step. A word of the YAML is a name here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from runner.definitions.expressions import Expression
from runner.definitions.model.matrix import BASE
from runner.definitions.model.operation import Call, Request
from runner.definitions.model.values import Fixed, Value
from runner.definitions.model.webhook import Trigger
from runner.definitions.schedules import Schedule
from runner.errors import Place


class CallWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """`workflow`: another workflow, and what it is given."""

    name: str
    input: Value


class RunSync(msgspec.Struct, frozen=True, kw_only=True):
    """`sync`: a sync, run as `terapi sync` does."""

    name: str
    full: bool = False


class ReadRecords(msgspec.Struct, frozen=True, kw_only=True):
    """`records`: what is stored of a model."""

    model: str
    variant: Value = Fixed(BASE)
    where: Expression | None = None
    changes: tuple[str, ...] = ("added", "updated")
    limit: int | None = None


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """`steps`: several, one after the other."""

    steps: tuple[Step, ...]


class Parallel(msgspec.Struct, frozen=True, kw_only=True):
    """`parallel`: several at once."""

    steps: tuple[Step, ...]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One way that a `switch` may go."""

    steps: tuple[Step, ...]
    when: Expression | None = None


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """`switch`: the first case that holds."""

    cases: tuple[Case, ...]


#: what becomes of a step that nobody answered in time
OnTimeout = Literal["fail", "continue"]


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """`wait`: a while, until a moment, or for a webhook's event; exactly one of them."""

    for_: Value | None = None
    until: Expression | None = None
    webhook: str | None = None
    #: with a webhook: which event it is
    when: Expression | None = None
    #: with a webhook: seconds
    timeout: float | None = None
    on_timeout: OnTimeout = "fail"


class Approve(msgspec.Struct, frozen=True, kw_only=True):
    """`approve`: a person's yes or no."""

    message: Value
    #: seconds
    timeout: float | None = None
    on_timeout: OnTimeout = "fail"


class Set(msgspec.Struct, frozen=True, kw_only=True):
    """`set`: values under names."""

    values: Value


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """`return`: ends the workflow."""

    output: Value


class Fail(msgspec.Struct, frozen=True, kw_only=True):
    """`fail`: ends the workflow with an error."""

    message: Value
    kind: str = "failed"


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """`repeat` and `until`: the same again; times are in seconds."""

    times: int
    every: float = 0.0
    until: Expression | None = None


class StepRetry(msgspec.Struct, frozen=True, kw_only=True):
    """`retry`: when a step that failed is tried again; times are in seconds."""

    attempts: int = 3
    initial: float = 1.0
    max: float = 60.0
    #: which failures; without it those that may pass by themselves
    when: Expression | None = None


class Catch(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `catch`: what is done about an error, and what the step gives instead."""

    when: Expression | None = None
    steps: tuple[Step, ...] = ()
    output: Value | None = None


#: what a step does; each is a key of the YAML
Doing = (
    Call | Request | CallWorkflow | RunSync | ReadRecords | Steps | Parallel | Switch
    | Wait | Approve | Set | Return | Fail
)  # fmt: skip


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """`foreach` as a map: rows that are read as they are needed; of a file or of the store."""

    place: Place
    records: ReadRecords | None = None
    file: Value | None = None
    format: Literal["csv", "ndjson"] | None = None
    #: rows that are one item together; None where each is one
    batch: int | None = None


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """`rejected`: the rows that the API refused while it took others."""

    of: Expression
    why: Expression
    when: Expression | None = None
    row: Expression | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step: what it does, and how."""

    place: Place
    #: the key that says what it does: use, request, workflow, …
    kind: str
    do: Doing
    #: what it is called in the run's journal: its id, else its position among its neighbours, `#3`
    name: str
    id: str | None = None
    when: Expression | None = None
    foreach: Expression | Rows | None = None
    concurrency: int | None = None
    repeat: Repeat | None = None
    retry: StepRetry | None = None
    #: seconds for all of it, tries and turns included
    timeout: float | None = None
    catch: tuple[Catch, ...] = ()
    finally_: tuple[Step, ...] = ()
    undo: Step | None = None
    output: Value | None = None
    rejected: Rejected | None = None
    idempotency_key: Value | None = None
    #: where its calls go, if not where the workflow's own do
    integration: str | None = None
    connection: Value | None = None
    mock: Value | None = None


class TakeTurns(msgspec.Struct, frozen=True, kw_only=True):
    """`concurrency` of a workflow: how many of its runs may be under way at once."""

    #: what has turns of its own; without it the workflow as a whole
    per: Expression | None = None
    limit: int = 1
    #: what becomes of a run whose turn it is not: it waits, it ends at once, or it ends those before it
    busy: Literal["queue", "refuse", "replace"] = "queue"


class OnSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """`on.schedule`: at which times it runs."""

    schedule: Schedule
    input: Mapping[str, Expression] = {}


class OnRecords(msgspec.Struct, frozen=True, kw_only=True):
    """`on.records`: the changes of which model start it."""

    model: str
    variant: str = BASE
    #: whose records; without it those of the workflow's own integration
    integration: str | None = None
    changes: tuple[str, ...] = ("added", "updated")
    where: Expression | None = None
    #: how many changes one run gets at most
    batch: int = 100
    #: whether what was there before the trigger was first looked at counts as well
    existing: bool = False
    input: Mapping[str, Expression] = {}


class Triggers(msgspec.Struct, frozen=True, kw_only=True):
    """`on`: what starts a workflow beside a person and other workflows."""

    schedule: OnSchedule | None = None
    webhook: Trigger | None = None
    records: OnRecords | None = None


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """What to do, step by step, bound to one provider."""

    name: str
    place: Place
    description: str
    integrations: tuple[str, ...]
    #: a JSON Schema of the input
    input: Mapping[str, object]
    steps: tuple[Step, ...]
    output: Value | None = None
    on: Triggers = Triggers()
    durable: bool = True
    on_failure: Literal["keep", "rollback"] = "keep"
    concurrency: TakeTurns | None = None
    text: str = ""

    @property
    def trigger(self) -> Trigger | None:
        """The webhook's event that starts it."""
        return self.on.webhook


def every_step(steps: Iterable[Step]) -> Iterator[Step]:
    """Steps, and all that they hold."""
    for step in steps:
        yield step
        yield from every_step(_held(step))


def _held(step: Step) -> Iterator[Step]:
    do = step.do
    if isinstance(do, Steps | Parallel):
        yield from do.steps
    elif isinstance(do, Switch):
        for case in do.cases:
            yield from case.steps
    for entry in step.catch:
        yield from entry.steps
    yield from step.finally_
    if step.undo is not None:
        yield step.undo
