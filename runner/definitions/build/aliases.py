"""Entries of `providers.yaml` with what they take from others."""

from __future__ import annotations

from typing import cast

from runner.definitions import yaml
from runner.definitions.build.keys import mapping
from runner.definitions.words import did_you_mean, there_are
from runner.errors import Problem


def resolve_aliases(top: yaml.Mapping, problems: list[Problem]) -> dict[str, yaml.Mapping]:
    """Every entry, whole; an alias of nothing, or of itself, is a problem."""
    return {
        name: _resolved(top, name, (), problems)
        for name, node in top.entries.items()
        if isinstance(node, yaml.Mapping)
    }


def _resolved(top: yaml.Mapping, name: str, above: tuple[str, ...], problems: list[Problem]) -> yaml.Mapping:
    node = mapping(top.entries.get(name))
    alias = node.entries.get("alias")
    if not isinstance(alias, yaml.Scalar):
        return node
    wrong = _wrong(top, alias.text, name, above)
    if wrong is not None:
        message, mend = wrong
        problems.append(Problem(alias.place, message, len(alias.text), mend, code="alias"))
        return node
    return _merged(_resolved(top, alias.text, (*above, name), problems), node)


def _wrong(top: yaml.Mapping, alias: str, name: str, above: tuple[str, ...]) -> tuple[str, str | None] | None:
    if alias not in top.entries:
        return f"there is no provider `{alias}`", did_you_mean(alias, top.entries, there_are(top.entries))
    if alias in (*above, name):
        return f"`{name}` is an alias of itself", "name another entry"
    return None


def _merged(base: yaml.Mapping, over: yaml.Mapping) -> yaml.Mapping:
    """``base`` with what ``over`` says, key by key; a list replaces."""
    result = yaml.Mapping(dict(base.entries), dict(base.keys), over.place)
    for key, node in over.entries.items():
        below = base.entries.get(key)
        both = isinstance(node, yaml.Mapping) and isinstance(below, yaml.Mapping)
        result.entries[key] = _merged(cast(yaml.Mapping, below), cast(yaml.Mapping, node)) if both else node
        result.keys[key] = over.keys[key]
    result.entries.pop("alias", None)
    return result
