"""What a record must be like to be kept; each check raises ApiError in the org's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from runner.emulator.database import Database, Value, quote
from runner.emulator.errors import ApiError
from runner.emulator.locks import Locks
from runner.emulator.schema import Field, Kind, ObjectType
from runner.emulator.values import column_value

Columns = dict[str, Value]
#: what a record is created or changed with, as JSON has it
Values = Mapping[str, object]


class Several(ApiError):
    """More than one record has this external id; ``ids`` are theirs."""

    def __init__(self, found: list[str]) -> None:
        super().__init__("MULTIPLE_CHOICES", "Multiple records have this external id", status=300)
        self.ids = found

    def as_problem(self) -> ApiError:
        """The same where no choice can be offered."""
        message = f"more than one record found for external id field: [{', '.join(self.ids)}]"
        return ApiError("DUPLICATE_EXTERNAL_ID", message, fields=[])


class Checks:
    """Those that look at other records."""

    def __init__(self, database: Database, locks: Locks) -> None:
        self._database = database
        self._locks = locks

    def columns(self, item: ObjectType, values: Values, *, creating: bool) -> Columns:
        """Columns by the values given; unknown and read-only fields are refused, and another record may be
        named by its external id.
        """
        fields: dict[str, tuple[Field, object]] = {}
        for name, value in values.items():
            if name.lower() == "attributes":
                continue
            field, value = self._named(item, name, value)
            fields[field.name] = field, value
        _refuse_read_only([field for field, _ in fields.values()], creating)
        return {name: column_value(field, value) for name, (field, value) in fields.items()}

    def _named(self, item: ObjectType, name: str, value: object) -> tuple[Field, object]:
        """The field, and the id of the record that `{"Account": {"External_Id__c": "A1"}}` means."""
        field = item.field(name)
        if field is not None:
            return field, value
        reference = item.by_relationship.get(name.lower())
        if reference is None or not isinstance(value, dict):
            raise ApiError("INVALID_FIELD", f"No such column '{name}' on sobject of type {item.name}")
        return reference, self._by_external_id(reference, value)

    def _by_external_id(self, reference: Field, value: dict[str, object]) -> str:
        given = {key: part for key, part in value.items() if key not in ("attributes", "type")}
        targets = [self._database.schema.objects[name] for name in reference.targets]
        kind = value.get("attributes")
        if isinstance(kind, dict) and "type" in kind:
            targets = [target for target in targets if target.name == kind["type"]]
        for target in targets:
            for key, part in given.items():
                field = target.field(key)
                if len(given) == 1 and field is not None and field.external_id:
                    return self._found(target, field, str(part))
        message = "A reference by an external id names one field of it"
        raise ApiError("INVALID_FIELD", f"{reference.relationship}: {message}", fields=[reference.name])

    def _found(self, target: ObjectType, field: Field, value: str) -> str:
        try:
            found = self.matching(target, field, value)
        except Several as exc:
            raise exc.as_problem() from exc
        if not found:
            message = f"Foreign key external ID: {value.lower()} not found for field {field.name} in entity"
            raise ApiError("INVALID_FIELD", f"{message} {target.name}", fields=[])
        return found

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

    def references(self, item: ObjectType, row: Columns, record_id: str) -> None:
        """What the record points to must be there, be of the right kind, and not be held by others."""
        for name, value in row.items():
            field = item.by_name[name.lower()]
            if field.kind is Kind.REFERENCE and value is not None:
                self._reference(field, str(value))
                self._owner(item, field, str(value))
                self._locks.check(str(value))
                self._circle(item, field, str(value), record_id)

    def _reference(self, field: Field, record_id: str) -> None:
        target = self._database.schema.of_id(record_id)
        if target is None or target.name not in field.targets:
            message = f"{field.label}: id value of incorrect type: {record_id}"
            raise ApiError("MALFORMED_ID", message, fields=[field.name])
        row = self._database.row(f"SELECT IsDeleted FROM {quote(target.name)} WHERE Id = ?", (record_id,))  # noqa: S608
        if row is None:
            raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[field.name])
        if row[0]:
            raise ApiError("ENTITY_IS_DELETED", "entity is deleted", fields=[field.name])

    def _circle(self, item: ObjectType, field: Field, above: str, record_id: str) -> None:
        """Nothing stands above itself, however far up."""
        sql = f"SELECT {quote(field.name)} FROM {quote(item.name)} WHERE Id = ?"  # noqa: S608
        seen: set[str] = set()
        while record_id and field.targets == (item.name,) and above not in seen:
            if above == record_id:
                message = "attempt to violate hierarchy constraints"
                raise ApiError("CIRCULAR_DEPENDENCY", message, fields=[field.name])
            seen.add(above)
            row = self._database.row(sql, (above,))
            above = str(row[0] or "") if row else ""

    def _owner(self, item: ObjectType, field: Field, user_id: str) -> None:
        if field.name != "OwnerId" or not user_id.startswith("005"):
            return
        if self._database.row('SELECT 1 FROM "User" WHERE Id = ? AND IsActive = 0', (user_id,)):
            message = f"operation performed with inactive user [{user_id[:15]}] as owner of"
            raise ApiError("INACTIVE_OWNER_OR_USER", f"{message} {item.label.lower()}", fields=[])

    def unique(self, item: ObjectType, row: Columns, record_id: str) -> None:
        for field in item.unique:
            value = row.get(field.name)
            if value is not None:
                other = self.matching(item, field, str(value))
                if other and other != record_id:
                    message = (
                        f"duplicate value found: {field.name} duplicates value on record with id: {other}"
                    )
                    raise ApiError("DUPLICATE_VALUE", message, fields=[])

    def duplicates(self, item: ObjectType, row: Columns) -> None:
        """The duplicate rule of people and companies: nobody is created twice unless it is insisted on."""
        matched = _MATCHED.get(item.name, ())
        if not matched or any(row.get(name) is None for name in matched):
            return
        where = " AND ".join(f"{quote(name)} = ?" for name in matched)
        sql = f"SELECT 1 FROM {quote(item.name)} WHERE {where} AND IsDeleted = 0 LIMIT 1"  # noqa: S608
        if self._database.row(sql, [row[name] for name in matched]):
            raise ApiError("DUPLICATES_DETECTED", "Use one of these records?", fields=[])


#: the fields by which a duplicate is known
_MATCHED: dict[str, tuple[str, ...]] = {
    "Account": ("Name",),
    "Contact": ("LastName", "Email"),
    "Lead": ("LastName", "Email"),
}


def require(row: Columns, fields: Iterable[Field]) -> None:
    missing = [field.name for field in fields if field.required and row.get(field.name) is None]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise ApiError("REQUIRED_FIELD_MISSING", message, fields=missing)


def rules(item: ObjectType, row: Columns) -> None:
    """The validation rules that the org has made for itself."""
    rule = _RULES.get(item.name)
    if rule is not None:
        rule(row)


def _refuse_read_only(fields: list[Field], creating: bool) -> None:
    refused = [field.name for field in fields if not (field.createable if creating else field.updateable)]
    if "Id" in refused:
        raise ApiError("INVALID_FIELD", "The Id field should not be specified in the sobject data.")
    if refused:
        raise ApiError(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"Unable to create/update fields: {', '.join(refused)}. Please check the security settings "
            "of this field and verify that it is read/write for your profile or permission set.",
            fields=refused,
        )


def _project(row: Columns) -> None:
    start, end = row["Start_Date__c"], row["End_Date__c"]
    if start is not None and end is not None and str(end) < str(start):
        message = "A project cannot end before it starts."
        raise ApiError("FIELD_CUSTOM_VALIDATION_EXCEPTION", message, fields=["End_Date__c"])


def _member(row: Columns) -> None:
    if (row["LeadId"] is None) == (row["ContactId"] is None):
        message = "A campaign member is either a lead or a contact"
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", message, fields=["LeadId", "ContactId"])


_RULES: dict[str, Callable[[Columns], None]] = {"Project__c": _project, "CampaignMember": _member}
