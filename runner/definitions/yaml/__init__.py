"""YAML read into nodes that know where they stand, and its traps met with a sentence."""

from runner.definitions.yaml.nodes import EMPTY, Mapping, Node, Scalar, Sequence, blank, find
from runner.definitions.yaml.reading import MAX_BYTES, read

__all__ = ["EMPTY", "MAX_BYTES", "Mapping", "Node", "Scalar", "Sequence", "blank", "find", "read"]
