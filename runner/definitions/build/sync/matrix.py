"""`matrix`, and the `model` that is a template beside it."""

from __future__ import annotations

from runner.definitions import yaml
from runner.definitions.build.keys import below, data, mapping, text
from runner.definitions.build.sync.known import Known, axes_of
from runner.definitions.expressions import Expression, Names, Text
from runner.definitions.model import Axis, Fixed, Matrix, Value
from runner.definitions.model.matrix import VARIANT, is_model, misnamed
from runner.definitions.values import describe, short
from runner.errors import ExpressionError

_NAMING = "a capital letter first, then letters, digits, `_` and `-`"


def read_matrix(known: Known) -> Matrix | None:
    """The matrix, where there is one; a `model` that is a template needs it."""
    node, reader = below(known.node, "matrix"), known.reader
    if "matrix" not in known.node.entries:
        if "{{" in text(known.node, "model") or "{%" in text(known.node, "model"):
            message = "`model` is a template only beside a `matrix`"
            reader.problem(known.node.entries["model"], message, "matrix", f"expected {_NAMING}")
        return None
    above: dict[str, Names | None] = {}
    axes = []
    for name in axes_of(known.node):
        axes.append(_axis(known, name, node.entries[name], {**known.outset, "matrix": above}))
        above = {**above, name: None}
    if not axes:
        reader.problem(
            known.node.keys["matrix"], "`matrix` names no axis", "matrix", "such as `region: [eu, us]`"
        )
    model = reader.value(known.node.entries["model"], {**known.outset, "matrix": above, VARIANT: None})
    matrix = Matrix(axes=tuple(axes), model=model, concurrency=data(node, "concurrency", 4))
    _check_models(known, matrix)
    return matrix


def _axis(known: Known, name: str, node: yaml.Node, names: Names) -> Axis:
    reader = known.reader
    if not isinstance(node, yaml.Mapping):
        return Axis(axis=name, place=node.place, values=_values(known, node, names))
    item: Names = {**names, "item": None}
    found = Axis(
        axis=name,
        place=node.place,
        values=_below(known, name, node, names),
        call=known.call(node, names=names) if "use" in node.entries else None,
        where=reader.optional(node, "where", item),
        name=reader.optional(node, "name", item),
    )
    if found.name is None and found.where is None and isinstance(node.entries.get("values"), yaml.Sequence):
        _check_written_out(known, mapping(node).entries["values"])
    return found


def _below(known: Known, name: str, node: yaml.Mapping, names: Names) -> Value:
    """`values` of an axis; all that its call gives, where it has one and does not say more."""
    inner: Names = {**names, "result": None} if "use" in node.entries else names
    if "values" in node.entries:
        listed = node.entries["values"]
        return (
            known.reader.expression(listed, inner) if isinstance(listed, yaml.Scalar) else Fixed(listed.data)
        )
    if "use" in node.entries:
        return known.reader.expression(yaml.blank("result"), inner)
    mend = "such as `values: params.regions`, or `use` with the operation that lists them"
    known.reader.problem(node, f"`{name}` has neither `values` nor `use`", "matrix", mend)
    return Fixed([])


def _values(known: Known, node: yaml.Node, names: Names) -> Value:
    if isinstance(node, yaml.Sequence):
        _check_written_out(known, node)
        return Fixed(node.data)
    return known.reader.expression(node, names)


def _check_written_out(known: Known, node: yaml.Node) -> None:
    """Values that stand in the file must have names, each its own."""
    seen: set[str] = set()
    for item in node.items if isinstance(node, yaml.Sequence) else ():
        wrong = misnamed(item.data)
        if wrong is not None:
            mend = "say with `name` what it is called: terapi explain sync.matrix.name"
            known.reader.problem(item, f"{describe(item.data)} {wrong}", "matrix", mend)
        elif str(item.data) in seen:
            known.reader.problem(item, f"{describe(item.data)} is here already", "matrix", "remove one")
        seen.add(str(item.data))


def _check_models(known: Known, matrix: Matrix) -> None:
    """The names of models, as far as they are known now."""
    node, model = known.node.entries["model"], matrix.model
    if isinstance(model, Fixed):
        if model.value is not None:  # else it is told already
            _check_model(known, node, model.value, "")
            _check_apart(known, matrix, str(model.value))
        return
    if not isinstance(model, Expression | Text) or not model.names <= {"matrix"}:
        return
    for cell in matrix.written_out() or ():
        shown = ", ".join(f"{axis} {short(value)}" for axis, value in cell.items())
        try:
            _check_model(known, node, model.evaluate({"matrix": cell}), f" for {shown}")
        except ExpressionError as exc:
            known.reader.problem(node, exc.message, "expression", exc.hint)
            return


def _check_apart(known: Known, matrix: Matrix, model: str) -> None:
    """No combination may delete what another one stores."""
    apart = sorted({axis.axis for axis in matrix.axes} - {VARIANT})
    deletes = below(known.node, "deletes")
    if apart and "missing" in deletes.keys:
        message = f"each `{apart[0]}` would delete the {model} of the others"
        mend = "call the axis `variant`, or name the model by it"
        known.reader.problem(deletes.keys["missing"], message, "deletes", mend)


def _check_model(known: Known, node: yaml.Node, name: object, where: str) -> None:
    if not is_model(name):
        message = f"`model` cannot be {describe(name)}{where}"
        known.reader.problem(node, message, "matrix", f"expected {_NAMING}")
