"""Creating, changing and deleting records, with the checks of the real org."""

from __future__ import annotations

from runner.emulator import ids
from runner.emulator.checks import Checks, Columns, Several, Values, require, rules
from runner.emulator.clock import Clock
from runner.emulator.database import Database, Value, quote
from runner.emulator.derive import derived
from runner.emulator.errors import ApiError, not_found
from runner.emulator.faults import Faults
from runner.emulator.late import Late
from runner.emulator.locks import Locks
from runner.emulator.schema import Field, ObjectType

__all__ = ["Columns", "Records", "Several", "Values"]


class Records:
    """Writes for one user; every write sets SystemModstamp and LastModifiedDate to now.

    ``item`` is always the object as the user sees it: what is hidden can neither be set nor read.
    """

    def __init__(self, database: Database, clock: Clock, locks: Locks, faults: Faults) -> None:
        self._database = database
        self._clock = clock
        self._locks = locks
        self._faults = faults
        self.late = Late(database, clock)
        self._checks = Checks(database, locks)

    def create(self, item: ObjectType, values: Values, user_id: str, *, unlike_others: bool = False) -> str:
        """Gives the new record's id. With ``unlike_others``, one like it must not be there. Raises
        ApiError.
        """
        if not item.createable:
            raise ApiError(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {item.label}"
            )
        self._faults.check_row(item.name)
        with self._database.atomic():
            row = self._checks.columns(item, values, creating=True)
            require(row, item.required)
            self._checks.references(item, row, "")
            self._checks.unique(item, row, "")
            if unlike_others:
                self._checks.duplicates(item, row)
            return self._insert(self._whole(item), row, user_id)

    def update(self, item: ObjectType, record_id: str, values: Values, user_id: str) -> None:
        """Changes what is given, nothing else. Raises ApiError."""
        if not item.updateable:
            message = f"entity type cannot be updated: {item.label}"
            raise ApiError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)
        self._faults.check_row(item.name)
        with self._database.atomic():
            row = self._checks.columns(item, values, creating=False)
            require(row, [field for field in item.fields if field.name in row])
            number = self.number(item, record_id)
            self._locks.check(record_id)
            self._checks.references(item, row, record_id)
            self._checks.unique(item, row, record_id)
            self._set(self._whole(item), number, row, user_id)

    def delete(self, item: ObjectType, record_id: str, user_id: str) -> None:
        """Marks a record as deleted, and those that belong to it. Raises ApiError."""
        if not item.deletable:
            raise ApiError("INSUFFICIENT_ACCESS_OR_READONLY", f"entity type cannot be deleted: {item.label}")
        self._faults.check_row(item.name)
        with self._database.atomic():
            number = self.number(item, record_id)
            self._locks.check(record_id)
            children = self._database.schema.children(item)
            for child in children:
                if child.field.restricts:
                    self._refuse_if_used(item, child.object, child.field, record_id)
            self._mark(item, number, {"IsDeleted": 1, **self._stamps(user_id)})
            for child in children:
                if child.field.cascade:
                    self._delete_children(child.object, child.field, record_id, user_id)

    def undelete(self, item: ObjectType, record_id: str, user_id: str) -> None:
        with self._database.atomic():
            row = self._find(item, record_id)
            if row is None:
                raise not_found()
            self._mark(item, int(row[0] or 0), {"IsDeleted": 0, **self._stamps(user_id)})

    def erase(self, item: ObjectType, record_id: str, user_id: str) -> None:
        """Deletes a record, past the recycle bin; one that lies there already is taken out of it."""
        with self._database.atomic():
            row = self._find(item, record_id)
            if row is None:
                raise not_found()
            if not row[1]:
                self.delete(item, record_id, user_id)
            self._database.run(f"DELETE FROM {quote(item.name)} WHERE n = ?", (row[0],))  # noqa: S608
            self._database.erased(item.name, int(row[0] or 0))

    def upsert(
        self, item: ObjectType, key: tuple[Field, str], values: Values, user_id: str
    ) -> tuple[str, bool]:
        """By an external id: gives the record's id and whether it is new. Raises Several, ApiError."""
        field, value = key
        if any(name.lower() == field.name.lower() for name in values):
            message = f"The {field.name} field should not be specified in the sobject data."
            raise ApiError("INVALID_FIELD", message)
        with self._database.atomic():
            found = self.matching(item, field, value)
            if not found:
                return self.create(item, {**values, field.name: value}, user_id), True
            self.update(item, found, values, user_id)
            return found, False

    def matching(self, item: ObjectType, field: Field, value: str) -> str:
        """The id of the record that has this external id, or "". Raises Several."""
        return self._checks.matching(item, field, value)

    def number(self, item: ObjectType, record_id: str) -> int:
        """The number of a record that is there. Raises ApiError NOT_FOUND, ENTITY_IS_DELETED."""
        row = self._find(item, record_id)
        if row is None:
            raise not_found()
        if row[1]:
            raise ApiError("ENTITY_IS_DELETED", "entity is deleted", status=404, fields=[])
        return int(row[0] or 0)

    def value(self, item: ObjectType, record_id: str, field: Field) -> Value:
        """What a record has in one field."""
        return self._lookup(item.name, record_id, field.name)

    def _whole(self, item: ObjectType) -> ObjectType:
        """The object with the fields that are hidden from its user."""
        return self._database.schema.objects[item.name]

    def _find(self, item: ObjectType, record_id: str) -> tuple[Value, ...] | None:
        return self._database.row(f"SELECT n, IsDeleted FROM {quote(item.name)} WHERE Id = ?", (record_id,))  # noqa: S608

    def _insert(self, item: ObjectType, given: Columns, user_id: str) -> str:
        number = self._database.count(item) + 1
        self.late.note(item, number)
        row: Columns = item.defaults | given
        if "OwnerId" in row:
            row["OwnerId"] = row["OwnerId"] or user_id
        row |= self._stamps(user_id) | {"Id": ids.make(item.prefix, number), "CreatedById": user_id}
        row["CreatedDate"] = row["SystemModstamp"]
        row |= derived(item, row, number, self._lookup)
        rules(item, row)
        self._database.insert(item, [(number, *(row[name] for name in item.columns))])
        return str(row["Id"])

    def _set(self, item: ObjectType, number: int, given: Columns, user_id: str) -> None:
        columns = ", ".join(map(quote, item.columns))
        before = self._database.row(f"SELECT {columns} FROM {quote(item.name)} WHERE n = ?", (number,))  # noqa: S608
        stamps = self._stamps(user_id)
        row = dict(zip(item.columns, before or (), strict=True)) | given | stamps
        changed = given | derived(item, row, number, self._lookup) | stamps
        rules(item, row | changed)
        self._mark(item, number, changed)

    def _mark(self, item: ObjectType, number: int, changed: Columns) -> None:
        self.late.note(item, number)
        columns = ", ".join(f"{quote(name)} = ?" for name in changed)
        sql = f"UPDATE {quote(item.name)} SET {columns} WHERE n = ?"  # noqa: S608
        self._database.run(sql, [*changed.values(), number])

    def _lookup(self, name: str, record_id: Value, column: str) -> Value:
        if record_id is None:
            return None
        sql = f"SELECT {quote(column)} FROM {quote(name)} WHERE Id = ?"  # noqa: S608
        row = self._database.row(sql, (record_id,))
        return row[0] if row else None

    def _refuse_if_used(self, item: ObjectType, name: str, field: Field, record_id: str) -> None:
        sql = f"SELECT Id FROM {quote(name)} WHERE {quote(field.name)} = ? AND IsDeleted = 0 LIMIT 1"  # noqa: S608
        row = self._database.row(sql, (record_id,))
        if row is None:
            return
        plural = self._database.schema.objects[name].plural.lower()
        message = f"Your attempt to delete this {item.label.lower()} could not be completed because it is"
        raise ApiError("DELETE_FAILED", f"{message} associated with the following {plural}.: {row[0]}")

    def _delete_children(self, name: str, field: Field, parent_id: str, user_id: str) -> None:
        sql = f"SELECT n FROM {quote(name)} WHERE {quote(field.name)} = ? AND IsDeleted = 0"  # noqa: S608
        for number in self._database.numbers(sql, (parent_id,)):
            item = self._database.schema.objects[name]
            self._mark(item, number, {"IsDeleted": 1, **self._stamps(user_id)})

    def _stamps(self, user_id: str) -> Columns:
        now = self._clock.stamp()
        return {"LastModifiedDate": now, "SystemModstamp": now, "LastModifiedById": user_id}
