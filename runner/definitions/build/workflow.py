"""Workflows: files of `workflows/`, bound to the provider of an integration."""

from __future__ import annotations

from runner.definitions import yaml
from runner.definitions.build.input import read_input
from runner.definitions.build.keys import below, items, mapping, text, texts
from runner.definitions.build.known import CONNECTION, RESPONSE
from runner.definitions.build.operation import read_call
from runner.definitions.build.reader import Reader
from runner.definitions.build.request import read_request
from runner.definitions.build.webhook import read_trigger_with_input
from runner.definitions.expressions import Names
from runner.definitions.model import Call, Provider, Step, Workflow


def build_workflow(node: yaml.Mapping, provider: Provider, reader: Reader, source: str) -> Workflow:
    """One workflow, checked against the provider that it calls.

    Args:
        source: the file's text; it travels with each run.
    """
    return _WorkflowBuild(node, provider, reader).workflow(source)


class _WorkflowBuild:
    def __init__(self, node: yaml.Mapping, provider: Provider, reader: Reader) -> None:
        self.node = node
        self.provider = provider
        self.reader = reader
        self.inputs = below(node, "input")
        self.step_names: dict[str, Names | None] = {}

    @property
    def names(self) -> Names:
        return {
            "config": dict.fromkeys(self.provider.connection_config),
            **CONNECTION,
            "input": dict.fromkeys(self.inputs.entries),
            "steps": dict(self.step_names),
        }

    def workflow(self, source: str) -> Workflow:
        steps = self._steps([mapping(step) for step in items(self.node, "steps")])
        inputs = read_input(self.inputs, self.reader)
        return Workflow(
            name=text(self.node, "workflow"),
            place=self.node.place,
            description=text(self.node, "description"),
            integrations=texts(self.node, "integrations"),
            input=inputs,
            steps=steps,
            output=self.reader.output(self.node, "output", self.names),
            trigger=read_trigger_with_input(self.node, self.reader, inputs),
            text=source,
        )

    def _steps(self, nodes: list[yaml.Mapping]) -> tuple[Step, ...]:
        steps = tuple(self._step(node) for node in nodes)
        ended = next((number for number, step in enumerate(steps) if _ends(step)), len(steps))
        if ended + 1 < len(steps):
            message, mend = (
                "this is never reached: the step above always ends the workflow",
                "give that one a `when`",
            )
            self.reader.warning(nodes[ended + 1], message, "unreachable", mend)
        return steps

    def _step(self, node: yaml.Mapping) -> Step:
        reader, outer = self.reader, self.names
        foreach = reader.optional(node, "foreach", outer)
        names: Names = {**outer, "item": None, "index": None} if foreach is not None else outer
        request = below(node, "request")
        result: Names = {**names, "result": None, **(RESPONSE if request.entries else {})}
        step = Step(
            place=node.place,
            id=self._id(node),
            when=reader.optional(node, "when", names),
            foreach=foreach,
            call=self._call(node, names),
            request=read_request(request, reader, names) if request.entries else None,
            set=reader.optional_value(node, "set", names),
            returns=reader.optional_value(node, "return", names),
            fail=reader.optional_value(node, "fail", names),
            output=reader.output(node, "output", result),
        )
        if step.id:
            self.step_names[step.id] = None
        return step

    def _call(self, node: yaml.Mapping, names: Names) -> Call | None:
        if "use" not in node.entries:
            return None
        return read_call(node, self.provider.operations, self.reader, names)

    def _id(self, node: yaml.Mapping) -> str | None:
        found = node.entries.get("id")
        if found is None:
            return None
        name = text(node, "id")
        if name in self.step_names:
            message = f"another step is called `{name}` already"
            self.reader.problem(found, message, "duplicate-step", "give it another id")
        return name


def _ends(step: Step) -> bool:
    """Whether nothing can come after a step."""
    return (step.returns is not None or step.fail is not None) and step.when is None and step.foreach is None
