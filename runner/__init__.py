"""terapi: a declarative, YAML-driven integration runner."""

__version__ = "0.1.0"
