"""What describe says of a field."""

from __future__ import annotations

from runner.emulator.schema import COMPOUND, IDS, NUMBERS, Choice, Field, Kind, ObjectType

_SOAP_TYPES = {
    Kind.ID: "tns:ID",
    Kind.REFERENCE: "tns:ID",
    Kind.BOOLEAN: "xsd:boolean",
    Kind.INT: "xsd:int",
    Kind.DOUBLE: "xsd:double",
    Kind.CURRENCY: "xsd:double",
    Kind.PERCENT: "xsd:double",
    Kind.DATE: "xsd:date",
    Kind.DATETIME: "xsd:dateTime",
    Kind.ADDRESS: "urn:address",
    Kind.LOCATION: "urn:location",
}
_ALWAYS: dict[str, object] = {
    "aiPredictionField": False,
    "calculatedFormula": None,
    "caseSensitive": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "inlineHelpText": None,
    "mask": None,
    "maskType": None,
    "referenceTargetField": None,
    "searchPrefilterable": False,
    "writeRequiresMasterRead": False,
}


def described(item: ObjectType, field: Field) -> dict[str, object]:
    whole = _ALWAYS | _rights(field) | _shape(field) | _reference(field) | _choices(field)
    return dict(sorted((whole | _naming(item, field)).items()))


def _naming(item: ObjectType, field: Field) -> dict[str, object]:
    return {
        "name": field.name,
        "label": field.label,
        "type": field.kind.value,
        "custom": field.custom,
        "compoundFieldName": field.part_of,
        "nameField": field.name == item.name_field,
        "idLookup": field.kind is Kind.ID or field.external_id or field.kind is Kind.EMAIL,
        "permissionable": field.nillable and field.kind is not Kind.ID,
    }


def _rights(field: Field) -> dict[str, object]:
    own = field.default is not None or not (field.nillable or field.createable)
    return {
        "aggregatable": field.filterable and field.kind not in (Kind.BOOLEAN, Kind.MULTIPICKLIST),
        "autoNumber": field.counted is not None,
        "calculated": field.calculated,
        "createable": field.createable,
        "defaultedOnCreate": own,
        "externalId": field.external_id,
        "filterable": field.filterable,
        "groupable": field.groupable,
        "nillable": field.nillable,
        "queryByDistance": field.kind in COMPOUND,
        "sortable": field.sortable,
        "unique": field.unique,
        "updateable": field.updateable,
    }


def _shape(field: Field) -> dict[str, object]:
    return {
        "length": field.length,
        "byteLength": field.length if field.kind in IDS else field.length * 3,
        "digits": 9 if field.kind is Kind.INT else 0,
        "precision": field.precision if field.real else 4 if field.kind is Kind.MULTIPICKLIST else 0,
        "scale": field.scale if field.real else 0,
        "soapType": _SOAP_TYPES.get(field.kind, "xsd:string"),
        "extraTypeInfo": _extra(field),
    }


def _extra(field: Field) -> str | None:
    if field.kind is Kind.TEXTAREA:
        return "plaintextarea"
    return "externallookup" if field.external_id and field.kind in NUMBERS else None


def _reference(field: Field) -> dict[str, object]:
    """A master and its detail are told by ``relationshipOrder``."""
    detail = field.cascade and not field.nillable
    return {
        "cascadeDelete": field.cascade,
        "namePointing": len(field.targets) > 1,
        "polymorphicForeignKey": len(field.targets) > 1,
        "referenceTo": list(field.targets),
        "relationshipName": field.relationship,
        "relationshipOrder": 0 if detail and field.custom else None,
        "restrictedDelete": field.restricts,
    }


def _choices(field: Field) -> dict[str, object]:
    default = field.default if field.default != "" else None
    return {
        "picklistValues": [_choice(choice, default) for choice in field.choices],
        "restrictedPicklist": field.restricted,
        "defaultValue": False if field.kind is Kind.BOOLEAN and default is None else default,
    }


def _choice(choice: Choice, default: object) -> dict[str, object]:
    return {
        "active": True,
        "defaultValue": choice.value == default,
        "label": choice.label,
        "validFor": None,
        "value": choice.value,
    }
