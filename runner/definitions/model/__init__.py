"""What definitions say, checked and frozen. A word of the YAML is a name here."""

from runner.definitions.model.operation import (
    Call,
    Csv,
    Job,
    Operation,
    Paginate,
    Param,
    Request,
    ResponseRule,
)
from runner.definitions.model.provider import ConfigField, ErrorRule, Limits, Provider, Retry
from runner.definitions.model.sync import (
    Audit,
    Deletes,
    Field,
    FieldFrom,
    FieldMap,
    Incremental,
    Slices,
    Sync,
)
from runner.definitions.model.token import Introspect, Jwt, TokenRules
from runner.definitions.model.values import NOTHING, Fixed, ListOf, MapOf, Value
from runner.definitions.model.webhook import HmacProof, TokenProof, Trigger, WebhookRules
from runner.definitions.model.workflow import Step, Workflow

__all__ = [
    "NOTHING",
    "Audit",
    "Call",
    "ConfigField",
    "Csv",
    "Deletes",
    "ErrorRule",
    "Field",
    "FieldFrom",
    "FieldMap",
    "Fixed",
    "HmacProof",
    "Incremental",
    "Introspect",
    "Job",
    "Jwt",
    "Limits",
    "ListOf",
    "MapOf",
    "Operation",
    "Paginate",
    "Param",
    "Provider",
    "Request",
    "ResponseRule",
    "Retry",
    "Slices",
    "Step",
    "Sync",
    "TokenProof",
    "TokenRules",
    "Trigger",
    "Value",
    "WebhookRules",
    "Workflow",
]
