"""The steps of a workflow: what each does, how, and which names its expressions know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, cast

import msgspec

from runner.definitions import yaml
from runner.definitions.build.doing import DOING, read_records
from runner.definitions.build.keys import below, data, items, mapping, seconds, text
from runner.definitions.build.known import ERROR, RESPONSE
from runner.definitions.build.place import Known
from runner.definitions.expressions import Expression, Names
from runner.definitions.model import (
    Case,
    Catch,
    Doing,
    Parallel,
    Rejected,
    Repeat,
    Rows,
    Step,
    StepRetry,
    Steps,
    Switch,
)  # fmt: skip


def read_steps(nodes: Sequence[yaml.Node], known: Known) -> tuple[Step, ...]:
    """Steps, each of which knows the results of those before it."""
    steps = tuple(read_step(mapping(node), known, position) for position, node in enumerate(nodes, 1))
    ended = next((number for number, step in enumerate(steps) if _ends(step)), len(steps))
    if ended + 1 < len(steps):
        message = "this is never reached: the step above always ends the workflow"
        known.reader.warning(nodes[ended + 1], message, "unreachable", "give that one a `when`")
    return steps


def _ends(step: Step) -> bool:
    """Whether nothing can come after a step."""
    certain = step.when is None and step.foreach is None and not step.catch
    return step.kind in ("return", "fail") and certain


def read_step(node: yaml.Mapping, known: Known, position: int = 1) -> Step:
    known = _placed(node, known)
    reader = known.reader
    looped = known.inside(item=None, index=None) if "foreach" in node.entries else known
    kind = next(one for one in KINDS if one in node.entries)
    own = known_by(looped, node)
    do = KINDS[kind](node, own)
    names = own.names()
    step = Step(
        place=node.place,
        kind=kind,
        do=do,
        name=text(node, "id") or f"#{position}",
        id=_id(node, known),
        when=reader.optional(node, "when", names),
        foreach=_foreach(node, known),
        concurrency=_concurrency(node, known),
        repeat=_repeat(node, own),
        retry=_retry(node, own),
        timeout=seconds(node, "timeout", 0.0) or None,
        catch=tuple(_catch(mapping(one), own) for one in items(node, "catch")),
        finally_=read_steps(items(node, "finally"), own.inside()),
        undo=_undo(node, own),
        output=reader.output(node, "output", own.names(**_result(kind))),
        rejected=_rejected(node, own),
        idempotency_key=reader.optional_value(node, "idempotency_key", names),
        integration=text(node, "integration") or None,
        connection=reader.optional_value(node, "connection", known.names()),
        mock=reader.optional_value(node, "mock", names),
    )
    if step.id is not None:
        known.steps[step.id] = None
    return step


def known_by(known: Known, node: yaml.Mapping) -> Known:
    """What a step itself knows: in a `repeat` also the turn, and the result of the turn before."""
    if "repeat" not in node.entries:
        return known
    return msgspec.structs.replace(known, further={**known.further, "turn": None, "result": None})


def _result(kind: str) -> dict[str, Names | None]:
    return {"result": None, **(cast(dict[str, "Names | None"], RESPONSE) if kind == "request" else {})}


def _placed(node: yaml.Mapping, known: Known) -> Known:
    """What is known where the step's calls go."""
    named = node.entries.get("integration")
    if named is None:
        return known
    name = known.reader.one_of(named, known.around.providers, "integration")
    return known if name is None else known.at(known.around.providers[name])


def _id(node: yaml.Mapping, known: Known) -> str | None:
    found = node.entries.get("id")
    if found is None:
        return None
    name = text(node, "id")
    if name in known.steps:
        message = f"another step is called `{name}` already"
        known.reader.problem(found, message, "duplicate-step", "give it another id")
    return name


def _foreach(node: yaml.Mapping, known: Known) -> Expression | Rows | None:
    rules = node.entries.get("foreach")
    if not isinstance(rules, yaml.Mapping):
        return known.reader.optional(node, "foreach", known.names())
    return Rows(
        place=rules.place,
        records=read_records(below(rules, "records"), known) if "records" in rules.entries else None,
        file=known.reader.optional_value(rules, "file", known.names()),
        format=data(rules, "format", cast("Literal['csv', 'ndjson'] | None", None)),
        batch=data(rules, "batch", cast("int | None", None)),
    )


def _rejected(node: yaml.Mapping, known: Known) -> Rejected | None:
    rules = below(node, "rejected")
    if not rules.entries:
        return None
    if "foreach" not in node.entries and "row" not in rules.entries:
        message = "without `foreach` no row is known here"
        known.reader.problem(node.keys["rejected"], message, "rejected", "say with `row` which row it was")
    names = known.names(result=None, outcome=None)
    return Rejected(
        of=known.reader.expression(rules.entries["of"], known.names(result=None)),
        why=known.reader.expression(rules.entries["why"], names),
        when=known.reader.optional(rules, "when", names),
        row=known.reader.optional(rules, "row", names),
    )


def _concurrency(node: yaml.Mapping, known: Known) -> int | None:
    if "concurrency" not in node.entries:
        return None
    if not {"foreach", "parallel"} & set(node.entries):
        message = "nothing here is done at once"
        mend = "`concurrency` belongs to `foreach` or `parallel`"
        known.reader.warning(node.keys["concurrency"], message, "concurrency", mend)
    return cast(int, node.entries["concurrency"].data)


def _repeat(node: yaml.Mapping, known: Known) -> Repeat | None:
    rules = node.entries.get("repeat")
    if rules is None:
        return None
    until = known.reader.optional(node, "until", known.names())
    if not isinstance(rules, yaml.Mapping):
        return Repeat(times=cast(int, rules.data), until=until)
    if until is None and "times" not in rules.entries:
        mend = "add `until: …` beside `repeat`, or `times: …` below it"
        known.reader.problem(node.keys["repeat"], "this would repeat for ever", "repeat", mend)
    return Repeat(times=data(rules, "times", 1000), every=seconds(rules, "every", 0.0), until=until)


def _retry(node: yaml.Mapping, known: Known) -> StepRetry | None:
    if "retry" not in node.entries:
        return None
    rules = below(node, "retry")
    return StepRetry(
        attempts=data(rules, "attempts", 3),
        initial=seconds(rules, "initial", 1.0),
        max=seconds(rules, "max", 60.0),
        when=known.reader.optional(rules, "when", known.names(**ERROR)),
    )


def _catch(node: yaml.Mapping, known: Known) -> Catch:
    inner = known.inside(**ERROR)
    when = known.reader.optional(node, "when", inner.names())
    steps = read_steps(items(node, "steps"), inner)
    return Catch(when=when, steps=steps, output=known.reader.output(node, "output", inner.names()))


def _undo(node: yaml.Mapping, known: Known) -> Step | None:
    if "undo" not in node.entries:
        return None
    inner = known.inside(result=None, **ERROR)
    if "id" in node.entries:
        inner.steps[text(node, "id")] = None
    return read_step(below(node, "undo"), inner)


def _steps(node: yaml.Mapping, known: Known) -> Doing:
    return Steps(steps=read_steps(items(node, "steps"), known))


def _parallel(node: yaml.Mapping, known: Known) -> Doing:
    """Steps that do not see each other's results, since nobody knows which comes first."""
    steps, before, added = [], dict(known.steps), dict[str, None]()
    for position, child in enumerate(items(node, "parallel"), 1):
        branch = msgspec.structs.replace(known, steps=dict(before))
        steps.append(read_step(mapping(child), branch, position))
        _join(branch, before, added, mapping(child))
    known.steps.update(added)
    return Parallel(steps=tuple(steps))


def _join(branch: Known, before: Mapping[str, None], added: dict[str, None], node: yaml.Mapping) -> None:
    for name in branch.steps:
        if name in added:
            message = f"another step is called `{name}` already"
            branch.reader.problem(
                node.entries.get("id", node), message, "duplicate-step", "give it another id"
            )
        elif name not in before:
            added[name] = None


def _switch(node: yaml.Mapping, known: Known) -> Doing:
    """Cases of which one is taken: an id may stand in several."""
    cases, added, cases_nodes = [], dict[str, None](), [mapping(one) for one in items(node, "switch")]
    for number, one in enumerate(cases_nodes):
        inner = msgspec.structs.replace(known, steps=dict(known.steps))
        if "when" not in one.entries and number < len(cases_nodes) - 1:
            mend = "put it last, or give it a `when`"
            known.reader.problem(
                one, "what comes after a case without `when` is never reached", "switch", mend
            )
        when = known.reader.optional(one, "when", known.names())
        cases.append(Case(when=when, steps=read_steps(items(one, "steps"), inner)))
        added.update(inner.steps)
    known.steps.update(added)
    return Switch(cases=tuple(cases))


#: what a step may do, by its key
KINDS: Final[Mapping[str, Callable[[yaml.Mapping, Known], Doing]]] = {
    **DOING, "steps": _steps, "parallel": _parallel, "switch": _switch,
}  # fmt: skip
