"""Creating, changing and deleting records, with the checks of the real org."""

from __future__ import annotations

from collections.abc import Mapping

from runner.emulator import ids
from runner.emulator.clock import Clock
from runner.emulator.database import Database, Value, quote
from runner.emulator.errors import ApiError, not_found
from runner.emulator.schema import Field, Kind, ObjectType
from runner.emulator.values import column_value

Columns = dict[str, Value]
#: what a record is created or changed with, as JSON has it
Values = Mapping[str, object]


class Records:
    """Writes for one user; every write sets SystemModstamp and LastModifiedDate to now."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(self, item: ObjectType, values: Values, user_id: str) -> str:
        """Gives the new record's id. Raises ApiError."""
        if not item.createable:
            raise ApiError(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {item.label}"
            )
        row = self._checked(item, values, creating=True)
        _require(item, row, item.fields)
        with self._database.atomic():
            self._check_references(item, row)
            self._check_unique(item, row, "")
            return self._insert(item, row, user_id)

    def update(self, item: ObjectType, record_id: str, values: Values, user_id: str) -> None:
        """Changes what is given, nothing else. Raises ApiError."""
        row = self._checked(item, values, creating=False)
        _require(item, row, [field for field in item.fields if field.name in row])
        with self._database.atomic():
            number = self.number(item, record_id)
            self._check_references(item, row)
            self._check_unique(item, row, record_id)
            self._set(item, number, row, user_id)

    def delete(self, item: ObjectType, record_id: str, user_id: str) -> None:
        """Marks a record as deleted, and those that belong to it. Raises ApiError."""
        if not item.deletable:
            raise ApiError("INSUFFICIENT_ACCESS_OR_READONLY", f"entity type cannot be deleted: {item.label}")
        with self._database.atomic():
            self._set(item, self.number(item, record_id), {"IsDeleted": 1}, user_id)
            for other in self._database.schema:
                for field in other.fields:
                    if field.cascade and item.name in field.targets:
                        self._delete_children(other, field, record_id, user_id)

    def undelete(self, item: ObjectType, record_id: str, user_id: str) -> None:
        with self._database.atomic():
            row = self._find(item, record_id)
            if row is None:
                raise not_found()
            self._set(item, int(row[0] or 0), {"IsDeleted": 0}, user_id)

    def erase(self, item: ObjectType, record_id: str, user_id: str) -> None:
        """Deletes a record, past the recycle bin; one that lies there already is taken out of it."""
        with self._database.atomic():
            row = self._find(item, record_id)
            if row is None:
                raise not_found()
            if not row[1]:
                self.delete(item, record_id, user_id)
            self._database.run(f"DELETE FROM {quote(item.name)} WHERE n = ?", (row[0],))  # noqa: S608
            self._database.run(
                "INSERT INTO _erased VALUES (?, ?) ON CONFLICT (object) DO UPDATE SET n = max(n, excluded.n)",
                (item.name, row[0]),
            )

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
        table, column = quote(item.name), quote(field.name)
        rows = self._database.rows(
            f"SELECT Id FROM {table} WHERE {column} = ? AND IsDeleted = 0 ORDER BY n LIMIT 200",  # noqa: S608
            (column_value(field, value),),
        )
        if len(rows) > 1:
            raise Several([str(row[0]) for row in rows])
        return str(rows[0][0]) if rows else ""

    def number(self, item: ObjectType, record_id: str) -> int:
        """The number of a record that is there. Raises ApiError NOT_FOUND, ENTITY_IS_DELETED."""
        row = self._find(item, record_id)
        if row is None:
            raise not_found()
        if row[1]:
            raise ApiError("ENTITY_IS_DELETED", "entity is deleted", status=404, fields=[])
        return int(row[0] or 0)

    def _find(self, item: ObjectType, record_id: str) -> tuple[Value, ...] | None:
        return self._database.row(f"SELECT n, IsDeleted FROM {quote(item.name)} WHERE Id = ?", (record_id,))  # noqa: S608

    def _checked(self, item: ObjectType, values: Values, *, creating: bool) -> Columns:
        """Columns by the values given; unknown and read-only fields are refused."""
        fields = {name: _known(item, name) for name in values if name != "attributes"}
        refused = [field.name for field in fields.values() if not _writable(field, creating)]
        if "Id" in refused:
            raise ApiError("INVALID_FIELD", "The Id field should not be specified in the sobject data.")
        if refused:
            raise ApiError(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {', '.join(refused)}. Please check the security settings "
                "of this field and verify that it is read/write for your profile or permission set.",
                fields=refused,
            )
        return {field.name: column_value(field, values[name]) for name, field in fields.items()}

    def _check_references(self, item: ObjectType, row: Columns) -> None:
        for name, value in row.items():
            field = item.by_name[name.lower()]
            if field.kind is Kind.REFERENCE and value is not None:
                self._check_reference(field, str(value))

    def _check_reference(self, field: Field, record_id: str) -> None:
        target = self._database.schema.of_id(record_id)
        if target is None or target.name not in field.targets:
            message = f"{field.label}: id value of incorrect type: {record_id}"
            raise ApiError("MALFORMED_ID", message, fields=[field.name])
        row = self._find(target, record_id)
        if row is None:
            raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[field.name])
        if row[1]:
            raise ApiError("ENTITY_IS_DELETED", "entity is deleted", fields=[field.name])

    def _check_unique(self, item: ObjectType, row: Columns, record_id: str) -> None:
        for field in item.fields:
            value = row.get(field.name)
            if field.unique and value is not None:
                other = self.matching(item, field, str(value))
                if other and other != record_id:
                    message = (
                        f"duplicate value found: {field.name} duplicates value on record with id: {other}"
                    )
                    raise ApiError("DUPLICATE_VALUE", message, fields=[])

    def _insert(self, item: ObjectType, given: Columns, user_id: str) -> str:
        number = self._database.count(item) + 1
        row: Columns = {field.name: _default(field) for field in item.fields} | given
        if "OwnerId" in row:
            row["OwnerId"] = row["OwnerId"] or user_id
        row |= self._stamps(user_id) | {"Id": ids.make(item.prefix, number), "CreatedById": user_id}
        row["CreatedDate"] = row["SystemModstamp"]
        row |= _derived(item, row, number)
        marks = ", ".join("?" * len(item.fields))
        values = [number, *(row[name] for name in item.columns)]
        self._database.run(f"INSERT INTO {quote(item.name)} VALUES (?, {marks})", values)  # noqa: S608
        return str(row["Id"])

    def _set(self, item: ObjectType, number: int, given: Columns, user_id: str) -> None:
        before = self._database.row(f"SELECT * FROM {quote(item.name)} WHERE n = ?", (number,))  # noqa: S608
        row = dict(zip(("n", *item.columns), before or (), strict=True)) | given
        changed = given | _derived(item, row, number) | self._stamps(user_id)
        columns = ", ".join(f"{quote(name)} = ?" for name in changed)
        sql = f"UPDATE {quote(item.name)} SET {columns} WHERE n = ?"  # noqa: S608
        self._database.run(sql, [*changed.values(), number])

    def _delete_children(self, item: ObjectType, field: Field, parent_id: str, user_id: str) -> None:
        changed: Columns = {"IsDeleted": 1, **self._stamps(user_id)}
        columns = ", ".join(f"{quote(name)} = ?" for name in changed)
        self._database.run(
            f"UPDATE {quote(item.name)} SET {columns} WHERE {quote(field.name)} = ? AND IsDeleted = 0",  # noqa: S608
            [*changed.values(), parent_id],
        )

    def _stamps(self, user_id: str) -> Columns:
        now = self._clock.stamp()
        return {"LastModifiedDate": now, "SystemModstamp": now, "LastModifiedById": user_id}


class Several(ApiError):
    """More than one record has this external id; ``ids`` are theirs."""

    def __init__(self, found: list[str]) -> None:
        super().__init__("MULTIPLE_CHOICES", "Multiple records have this external id", status=300)
        self.ids = found


def _known(item: ObjectType, name: str) -> Field:
    field = item.field(name)
    if field is None:
        raise ApiError("INVALID_FIELD", f"No such column '{name}' on sobject of type {item.name}")
    return field


def _writable(field: Field, creating: bool) -> bool:
    return field.createable if creating else field.updateable


def _require(item: ObjectType, row: Columns, fields: list[Field] | tuple[Field, ...]) -> None:
    missing = [field.name for field in fields if field.required and row.get(field.name) is None]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise ApiError("REQUIRED_FIELD_MISSING", message, fields=missing)


def _default(field: Field) -> Value:
    if field.kind is Kind.BOOLEAN:
        return int(bool(field.default))
    return field.default or None


def _derived(item: ObjectType, row: Columns, number: int) -> Columns:
    """What the org works out from the other fields."""
    derived: Columns = {}
    if item.name_parts:
        derived["Name"] = " ".join(str(row[part]) for part in item.name_parts if row[part])
    match item.name:
        case "Opportunity":
            stage = str(row["StageName"])
            derived |= {"IsClosed": int(stage.startswith("Closed")), "IsWon": int(stage == "Closed Won")}
        case "Case":
            derived |= {"CaseNumber": f"{number:08}", "IsClosed": int(row["Status"] == "Closed")}
        case "Task":
            derived |= {"IsClosed": int(row["Status"] == "Completed")}
    return derived
