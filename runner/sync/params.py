"""What a connection sets of a sync's params: its metadata's `params`, held against what syncs say of them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from runner.definitions.model import Param, Sync
from runner.definitions.values import describe, fits
from runner.definitions.words import nearest
from runner.errors import UsageError
from runner.store import Connection

_EXAMPLES: Mapping[str, object] = {"integer": 1, "number": 1.5, "boolean": True, "object": {}, "array": []}


def params_of(sync: Sync, connection: Connection) -> dict[str, object]:
    """The params of a sync as a connection sets them, the rest by default.

    A connection's params serve all its syncs at once, so one that only another sync takes is passed over.

    Raises:
        UsageError: one is unknown to every sync of the integration, of another type, or missing.
    """
    return _Params(sync, connection).all()


class _Params:
    def __init__(self, sync: Sync, connection: Connection) -> None:
        self._sync = sync
        self._connection = connection
        given = (connection.metadata or {}).get("params", {})
        if not isinstance(given, Mapping):
            raise self._error(f"must be a map, found {describe(given)}", {})
        self._given: Mapping[str, object] = given

    def all(self) -> dict[str, object]:
        for name in self._given:
            if name not in self._sync.params and name not in self._sync.known_params:
                raise self._unknown(name)
        found = ((param.name, self._value(param)) for param in self._sync.params.values())
        return {name: value for name, value in found if name in self._given or self._has_default(name)}

    def _has_default(self, name: str) -> bool:
        return self._sync.params[name].has_default

    def _value(self, param: Param) -> object:
        if param.name not in self._given:
            if param.required and not param.has_default:
                raise self._error(f"lack `{param.name}`, which `{self._sync.name}` needs", self._with(param))
            return param.default
        value = self._given[param.name]
        if value is not None and not fits(value, param.type):
            wanted = f"`{param.name}` must be {param.type}, found {describe(value)}"
            raise self._error(f"do not fit `{self._sync.name}`: {wanted}", self._with(param))
        if param.enum and value not in param.enum:
            listed = ", ".join(json.dumps(one) for one in param.enum)
            wanted = f"`{param.name}` must be one of {listed}, found {describe(value)}"
            raise self._error(f"do not fit `{self._sync.name}`: {wanted}", self._with(param))
        return value

    def _with(self, param: Param) -> dict[str, object]:
        """The params as they are, and one that would do in the place of ``param``."""
        default = param.default if param.has_default else _EXAMPLES.get(param.type, "…")
        return {**self._given, param.name: param.enum[0] if param.enum else default}

    def _unknown(self, name: str) -> UsageError:
        known = sorted(self._sync.known_params | set(self._sync.params))
        guess = nearest(name, known)
        right = {key: value for key, value in self._given.items() if key != name}
        if guess is not None:
            right.setdefault(guess, self._given[name])
        first = f"did you mean `{guess}`? " if guess else f"its syncs take: {', '.join(known) or 'none'}; "
        what = f"have `{name}`, which no sync of {self._connection.integration} takes"
        return self._error(what, right, first)

    def _error(self, what: str, right: Mapping[str, object], first: str = "") -> UsageError:
        id = self._connection.id
        words = shlex.quote(f"params={json.dumps(right, ensure_ascii=False)}")
        return UsageError(
            f"the params of the connection `{id}` {what}",
            hint=f"{first}terapi connections set {shlex.quote(id)} --metadata {words}",
        )
