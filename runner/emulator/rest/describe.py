"""Describe: what objects there are, and of what fields."""

from __future__ import annotations

from starlette.responses import Response

from runner.emulator.http import json
from runner.emulator.rest.call import Call
from runner.emulator.schema import IDS, NUMBERS, Child, Field, Kind, ObjectType

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
}


def everything(call: Call) -> Response:
    described = [_object(item, call.base_url) for item in call.org.schema]
    return json({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": described})


def basics(call: Call) -> Response:
    """A few words on an object, and what was changed last."""
    item = call.item()
    rows = call.org.database.rows(
        f'SELECT Id, "{item.name_field}" FROM "{item.name}" '  # noqa: S608
        "WHERE IsDeleted = 0 ORDER BY SystemModstamp DESC LIMIT 5"
    )
    url = f"{call.base_url}/sobjects/{item.name}"
    recent = [
        {"attributes": {"type": item.name, "url": f"{url}/{row[0]}"}, "Id": row[0], item.name_field: row[1]}
        for row in rows
    ]
    return json({"objectDescribe": _object(item, call.base_url), "recentItems": recent})


def describe(call: Call) -> Response:
    item = call.item()
    described = _object(item, call.base_url) | {
        "fields": [_field(item, field) for field in item.fields],
        "childRelationships": [_child(child) for child in call.org.schema.children(item)],
        "recordTypeInfos": [],
        "namedLayoutInfos": [],
        "supportedScopes": [{"label": f"All {item.plural}", "name": "everything"}],
        "actionOverrides": [],
        "listviewable": None,
        "lookupLayoutable": None,
        "searchLayoutable": True,
        "compactLayoutable": True,
    }
    described["urls"] = _urls(item, call.base_url) | {"uiNewRecord": f"{call.org.url}/{item.prefix}/e"}
    return json(described)


def _urls(item: ObjectType, base_url: str) -> dict[str, str]:
    url = f"{base_url}/sobjects/{item.name}"
    return {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"}


def _object(item: ObjectType, base_url: str) -> dict[str, object]:
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": item.createable,
        "custom": item.name.endswith("__c"),
        "customSetting": False,
        "deepCloneable": False,
        "deletable": item.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": item.prefix,
        "label": item.label,
        "labelPlural": item.plural,
        "layoutable": item.createable,
        "mergeable": item.name in ("Account", "Contact", "Lead"),
        "mruEnabled": item.createable,
        "name": item.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": item.createable,
        "triggerable": item.createable,
        "undeletable": item.deletable,
        "updateable": item.createable,
        "urls": _urls(item, base_url),
    }


def _field(item: ObjectType, field: Field) -> dict[str, object]:
    return {
        "aggregatable": field.filterable,
        "aiPredictionField": False,
        "autoNumber": field.name == "CaseNumber",
        "byteLength": field.length * 3 if field.kind not in IDS else field.length,
        "calculated": False,
        "calculatedFormula": None,
        "cascadeDelete": field.cascade,
        "caseSensitive": False,
        "compoundFieldName": "Name" if field.name in item.name_parts else None,
        "controllerName": None,
        "createable": field.createable,
        "custom": field.custom,
        "defaultValue": field.default if field.default != "" else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": field.default is not None or not (field.nillable or field.createable),
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": 9 if field.kind is Kind.INT else 0,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": field.external_id,
        "extraTypeInfo": "plaintextarea" if field.kind is Kind.TEXTAREA else None,
        "filterable": field.filterable,
        "filteredLookupInfo": None,
        "groupable": field.filterable and field.kind not in NUMBERS | {Kind.DATETIME},
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": field.kind is Kind.ID or field.external_id or field.kind is Kind.EMAIL,
        "inlineHelpText": None,
        "label": field.label,
        "length": field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": field.name == item.name_field,
        "namePointing": len(field.targets) > 1,
        "nillable": field.nillable,
        "permissionable": field.nillable,
        **_reference(field),
        **_number(field),
        "queryByDistance": False,
        "searchPrefilterable": False,
        "soapType": _SOAP_TYPES.get(field.kind, "xsd:string"),
        "sortable": field.filterable,
        "type": field.kind.value,
        "unique": field.unique,
        "updateable": field.updateable,
        "writeRequiresMasterRead": False,
    }


def _reference(field: Field) -> dict[str, object]:
    return {
        "picklistValues": [
            {
                "active": True,
                "defaultValue": value == field.default,
                "label": value,
                "validFor": None,
                "value": value,
            }
            for value in field.values
        ],
        "polymorphicForeignKey": len(field.targets) > 1,
        "referenceTargetField": None,
        "referenceTo": list(field.targets),
        "relationshipName": field.relationship,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": field.restricted,
    }


def _number(field: Field) -> dict[str, object]:
    real = field.kind in NUMBERS and field.kind is not Kind.INT
    return {"precision": 18 if real else 0, "scale": 2 if real else 0}


def _child(child: Child) -> dict[str, object]:
    return {
        "cascadeDelete": child.field.cascade,
        "childSObject": child.object,
        "deprecatedAndHidden": False,
        "field": child.field.name,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": child.name,
        "restrictedDelete": False,
    }
