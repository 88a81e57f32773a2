"""References by a key of the record that they point to: `Account.External_Id__c` instead of `AccountId`."""

from __future__ import annotations

import msgspec

from runner.emulator.schema import Field, ObjectType, Schema


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    #: the field that gets the id
    reference: Field
    target: ObjectType
    #: the external id of the target
    key: Field

    def said(self, value: object) -> tuple[str, object]:
        """The name and the value with which a record says it in JSON."""
        if value is None or value == "":
            return self.reference.name, None
        parent = {"attributes": {"type": self.target.name}, self.key.name: value}
        return str(self.reference.relationship), parent


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
