"""References by a key of the record that they point to: `Account.External_Id__c` instead of `AccountId`."""

from __future__ import annotations

import msgspec

from runner.emulator.errors import ApiError
from runner.emulator.records import Records
from runner.emulator.schema import Field, ObjectType, Schema


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    #: the field that gets the id
    reference: Field
    target: ObjectType
    #: the external id of the target
    key: Field

    def id(self, records: Records, value: object) -> str | None:
        """The id of the record that has this key. Raises ApiError INVALID_FIELD."""
        if value is None or value == "":
            return None
        found = records.matching(self.target, self.key, str(value))
        if not found:
            message = (
                f"Foreign key external ID: {value} not found for field {self.key.name} in entity "
                f"{self.target.name}"
            )
            raise ApiError("INVALID_FIELD", message)
        return found


def lookup(schema: Schema, item: ObjectType, name: str) -> Lookup | None:
    """What `Account.External_Id__c` stands for; where a reference may point to several objects the one that
    is meant comes first: `Contact:Who.External_Id__c`.
    """
    relationship, _, key_name = name.partition(".")
    target_name, _, relationship = relationship.rpartition(":")
    reference = item.by_relationship.get(relationship.lower())
    if reference is None:
        return None
    target = schema.get(target_name or reference.targets[0])
    key = target.field(key_name) if target is not None and target.name in reference.targets else None
    if target is None or key is None or not key.external_id:
        return None
    return Lookup(reference=reference, target=target, key=key)
