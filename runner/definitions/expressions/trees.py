"""Jinja's syntax trees: rewritten so that work is counted, and looked into."""

from __future__ import annotations

from typing import Final, TypeVar, cast

from jinja2 import nodes

N = TypeVar("N", bound=nodes.Node)

#: Stands before the names of functions where they are called: a value may have the name of a function, which
#: must not stand in for it where it is absent.
FUNCTION: Final = "_function_"
_LITERALS: Final = (nodes.List, nodes.Tuple, nodes.Dict)


def weight(tree: nodes.Node) -> int:
    """How many nodes a tree has, and so about what one evaluation of it costs."""
    return 1 + sum(weight(child) for child in tree.iter_child_nodes())


def builds(tree: nodes.Node) -> bool:
    """Whether a tree puts computed values into a list or map of its own."""
    found = (node for node in (tree, *tree.find_all(_LITERALS)) if isinstance(node, _LITERALS))
    return any(not _constant(node) for node in found if getattr(node, "ctx", "load") == "load")


def guarded(tree: N) -> N:
    """The tree with its loops, comparisons and literals counted, and `~` strict."""
    return cast(N, _guarded(tree))


def _guarded(node: nodes.Node) -> nodes.Node:
    if isinstance(node, nodes.For):
        turn = nodes.Const(weight(node), lineno=node.lineno)
        node.iter = _filter(cast(nodes.Expr, node.iter), "_over", turn)
    for field, value in list(node.iter_fields()):
        if isinstance(value, nodes.Node):
            setattr(node, field, _guarded(value))
        elif isinstance(value, list):
            setattr(node, field, [_guarded(one) if isinstance(one, nodes.Node) else one for one in value])
    return _replaced(node)


def _replaced(node: nodes.Node) -> nodes.Node:
    if isinstance(node, nodes.Concat):
        return _filter(nodes.List(node.nodes, lineno=node.lineno), "_concat")
    if isinstance(node, nodes.Compare):
        return _counted(node)
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
        node.node = nodes.Name(FUNCTION + node.node.name, "load", lineno=node.node.lineno)
    if isinstance(node, _LITERALS) and getattr(node, "ctx", "load") == "load" and not _constant(node):
        return _filter(node, "_present")
    return node


def _counted(node: nodes.Compare) -> nodes.Compare:
    """A comparison that spends what it goes through; with a constant it goes through nothing to speak of."""
    for operand in node.ops:
        within = operand.op in ("in", "notin")
        if not _constant(operand.expr) and (within or not _constant(node.expr)):
            operand.expr = _filter(operand.expr, "_weighed")
    return node


def _constant(node: nodes.Node) -> bool:
    """Whether all of it is written out."""
    if isinstance(node, nodes.Pair):
        return _constant(node.key) and _constant(node.value)
    if isinstance(node, _LITERALS):
        return all(_constant(item) for item in node.items)
    return isinstance(node, nodes.Const)


def numbered(tree: nodes.Template) -> nodes.Template:
    """The tree with each printed value numbered in the order of its source, so that an error can name it."""
    number = 0
    for output in tree.find_all(nodes.Output):
        for position, node in enumerate(output.nodes):
            if not isinstance(node, nodes.TemplateData):
                output.nodes[position] = _filter(node, "_part", nodes.Const(number))
                number += 1
    return tree


def _filter(node: nodes.Expr, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def single(tree: nodes.Template) -> nodes.Expr | None:
    """The expression that a template is nothing but."""
    if len(tree.body) == 1 and isinstance(tree.body[0], nodes.Output) and len(tree.body[0].nodes) == 1:
        only = tree.body[0].nodes[0]
        return None if isinstance(only, nodes.TemplateData) else only
    return None


def plain_path(tree: nodes.Node) -> tuple[str, ...] | None:
    """`("record", "Account", "Name")` where the tree is nothing but that path."""
    steps: list[str] = []
    while isinstance(tree, (nodes.Getattr, nodes.Getitem)):
        if isinstance(tree, nodes.Getattr):
            steps.append(tree.attr)
        elif isinstance(tree.arg, nodes.Const) and isinstance(tree.arg.value, str):
            steps.append(tree.arg.value)
        else:
            return None
        tree = tree.node
    return (tree.name, *reversed(steps)) if isinstance(tree, nodes.Name) else None


def names_in(tree: nodes.Node) -> frozenset[str]:
    """Every name that a tree mentions."""
    if isinstance(tree, nodes.Name):
        return frozenset((tree.name,))
    return frozenset(name.name for name in tree.find_all(nodes.Name))
