"""What the records of each model look like, told by `fields`: as a JSON Schema, in TypeScript, in Python."""

from runner.definitions.shapes.columns import columns
from runner.definitions.shapes.json_schema import json_schema
from runner.definitions.shapes.models import Model, models_of
from runner.definitions.shapes.python import python
from runner.definitions.shapes.typescript import typescript

__all__ = ["Model", "columns", "json_schema", "models_of", "python", "typescript"]
