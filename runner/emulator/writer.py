"""Writes records one by one, each with its own success or problem: for the APIs that take many at once."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runner.emulator import ids
from runner.emulator.errors import ApiError
from runner.emulator.records import Records
from runner.emulator.schema import Field, Kind, ObjectType

Values = Mapping[str, object]


class Outcome(msgspec.Struct, frozen=True):
    #: the record's id, "" where there is none
    id: str
    created: bool
    problem: ApiError | None = None


class Writer:
    """Writes records of one object for one user. Every method raises ApiError; values have the names of the
    schema, `Id` among them.
    """

    def __init__(
        self,
        records: Records,
        item: ObjectType,
        user_id: str,
        key: Field | None = None,
        *,
        unlike_others: bool = False,
    ) -> None:
        self._records = records
        self._item = item
        self._user_id = user_id
        #: whether what is inserted must not be like a record that is there
        self._unlike_others = unlike_others
        #: the field by which `upsert` finds a record; by its id where it is none
        self._key = key if key is not None and key.kind is not Kind.ID else None

    def insert(self, values: Values) -> Outcome:
        if values.get("Id"):
            message = "cannot specify Id in an insert call"
            raise ApiError("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=["Id"])
        record_id = self._records.create(
            self._item, _without("Id", values), self._user_id, unlike_others=self._unlike_others
        )
        return Outcome(record_id, True)

    def update(self, values: Values) -> Outcome:
        record_id = self._id(values, "an update")
        self._records.update(self._item, record_id, _without("Id", values), self._user_id)
        return Outcome(record_id, False)

    def upsert(self, values: Values) -> Outcome:
        if self._key is None:
            return self.update(values) if values.get("Id") else self.insert(values)
        value = values.get(self._key.name)
        if value is None or value == "":
            raise ApiError("MISSING_ARGUMENT", f"{self._key.name} not specified", fields=[])
        rest = _without(self._key.name, values)
        record_id, created = self._records.upsert(self._item, (self._key, str(value)), rest, self._user_id)
        return Outcome(record_id, created)

    def delete(self, values: Values) -> Outcome:
        record_id = self._id(values, "a delete")
        self._records.delete(self._item, record_id, self._user_id)
        return Outcome(record_id, False)

    def erase(self, values: Values) -> Outcome:
        record_id = self._id(values, "a delete")
        self._records.erase(self._item, record_id, self._user_id)
        return Outcome(record_id, False)

    def _id(self, values: Values, call: str) -> str:
        said = str(values.get("Id") or "")
        if not said:
            raise ApiError("MISSING_ARGUMENT", f"Id not specified in {call} call", fields=[])
        found = ids.normalise(said)
        if found is None:
            raise ApiError("MALFORMED_ID", f"bad id {said}", fields=["Id"])
        if not found.startswith(self._item.prefix):
            message = f"{self._item.label} ID: id value of incorrect type: {said}"
            raise ApiError("MALFORMED_ID", message, fields=["Id"])
        return found


def _without(name: str, values: Values) -> Values:
    return {key: value for key, value in values.items() if key != name}
