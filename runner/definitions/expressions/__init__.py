"""The expression language: Jinja, sandboxed and bounded, with names checked when a definition is loaded.

Two kinds of string, fixed per key by the schema: a *template* is text that may hold `{{ … }}`; an
*expression* is always computed and written bare. `docs/language.md` has the rules.
"""

from runner.definitions.expressions.compiled import Expression, Scope, Template, Text
from runner.definitions.expressions.language import Language
from runner.definitions.expressions.names import Finding, Names
from runner.definitions.expressions.offered import Own, Remembered

__all__ = ["Expression", "Finding", "Language", "Names", "Own", "Remembered", "Scope", "Template", "Text"]
