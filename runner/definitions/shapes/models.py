"""The models of a project: each with the shapes in which its syncs store it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from runner.definitions.model import Sync
from runner.definitions.shapes.shape import MapShape, shape_of


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored under one name."""

    name: str
    description: str
    #: by the name of the first sync that stores it so; most often one
    shapes: Mapping[str, MapShape]


def models_of(syncs: Iterable[Sync]) -> dict[str, Model]:
    """The models that some syncs store, sorted by name; those that are found at run time are not known."""
    found: dict[str, list[Sync]] = {}
    for sync in syncs:
        for model in sync.models:
            found.setdefault(model, []).append(sync)
    return {name: _model(name, found[name]) for name in sorted(found)}


def _model(name: str, syncs: list[Sync]) -> Model:
    shapes: dict[str, MapShape] = {}
    for sync in syncs:
        shape = shape_of(sync)
        if shape not in shapes.values():
            shapes[sync.name] = shape
    described = dict.fromkeys(sync.description for sync in syncs if sync.description)
    return Model(name=name, description="\n".join(described), shapes=shapes)
