"""What definitions say, checked and frozen. A word of the YAML is a name here.

`Value` is anything that a template may give: text, an expression, or a map or list of those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from runner.definitions.expressions import Expression, Scope
from runner.definitions.values import ABSENT, is_absent
from runner.errors import Place


class Value(Protocol):
    """Something that gives a value in a scope; `Absent` where there is none."""

    def evaluate(self, scope: Scope) -> object: ...


class Fixed(msgspec.Struct, frozen=True):
    """The same in every scope."""

    value: object

    def evaluate(self, scope: Scope) -> object:
        return self.value


class MapOf(msgspec.Struct, frozen=True):
    """A map of values; what is absent vanishes from it."""

    entries: dict[str, Value]

    def evaluate(self, scope: Scope) -> dict[str, object]:
        found = ((key, value.evaluate(scope)) for key, value in self.entries.items())
        return {key: value for key, value in found if not is_absent(value)}


class ListOf(msgspec.Struct, frozen=True):
    """A list of values; what is absent vanishes from it."""

    items: tuple[Value, ...]

    def evaluate(self, scope: Scope) -> list[object]:
        return [found for item in self.items if not is_absent(found := item.evaluate(scope))]


NOTHING = Fixed(ABSENT)


class Param(msgspec.Struct, frozen=True, kw_only=True):
    """A typed parameter of an operation or a sync."""

    name: str
    type: str = "any"
    description: str = ""
    required: bool = True
    default: object = None
    has_default: bool = False
    enum: tuple[object, ...] = ()


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, still to be computed."""

    place: Place
    method: str = "GET"
    path: Value | None = None
    url: Value | None = None
    query: Value = NOTHING
    headers: Value = NOTHING
    json: Value | None = None
    form: Value | None = None
    body: Value | None = None
    #: seconds
    timeout: float = 120.0


class Paginate(msgspec.Struct, frozen=True, kw_only=True):
    """How one page leads to the next."""

    next_url: Expression | None = None
    cursor: Expression | None = None
    offset: bool = False
    page: bool = False
    size: int | None = None
    until: Expression | None = None


class ResponseRule(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer means where its status does not say it."""

    when: Expression
    means: str
    kind: str | None = None
    hint: Value | None = None


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an API can do."""

    name: str
    place: Place
    request: Request
    description: str = ""
    params: Mapping[str, Param] = {}
    writes: bool = False
    format: str = "json"
    records: Expression | None = None
    paginate: Paginate | None = None
    responses: tuple[ResponseRule, ...] = ()
    output: Value | None = None


class ErrorRule(msgspec.Struct, frozen=True, kw_only=True):
    """Gives a failed call its kind, its retry and its hint."""

    when: Expression
    kind: str
    message: Value | None = None
    hint: Value | None = None
    retry: bool | None = None


class ConfigField(msgspec.Struct, frozen=True, kw_only=True):
    """One value that a connection has beside its tokens."""

    name: str
    type: str = "string"
    title: str = ""
    description: str = ""
    format: str | None = None
    pattern: str | None = None
    example: str | None = None
    default: object = None
    captured: Expression | None = None
    optional: bool = False
    secret: bool = False


class Jwt(msgspec.Struct, frozen=True, kw_only=True):
    """The assertion of the JWT bearer grant (RFC 7523 §3)."""

    claims: Value
    algorithm: str = "RS256"
    #: seconds
    lifetime: float = 180.0


class Introspect(msgspec.Struct, frozen=True, kw_only=True):
    """How an API that shares no expiry is asked for it (RFC 7662)."""

    request: Request
    active: Expression
    expires_at: Expression | None = None
    #: seconds for which an answer is believed
    every: float = 600.0


class TokenRules(msgspec.Struct, frozen=True, kw_only=True):
    """What is particular about an API's tokens; times are in seconds."""

    params: Value = NOTHING
    headers: Value = NOTHING
    client_auth: str = "body"
    lifetime: float | None = None
    refresh_margin: float = 300.0
    jwt: Jwt | None = None
    introspect: Introspect | None = None


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How a failed call is tried again; times are in seconds."""

    attempts: int = 5
    initial: float = 1.0
    max: float = 60.0
    respect: str = "retry-after"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an API bears."""

    concurrency: int | None = None
    used: Expression | None = None
    of: Expression | None = None


class HmacProof(msgspec.Struct, frozen=True, kw_only=True):
    """A keyed hash of a webhook's body (RFC 2104)."""

    header: str
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""


class TokenProof(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that a webhook carries."""

    header: str | None = None
    query: str | None = None


class WebhookRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a webhook is proved, and to whom it belongs."""

    proof: HmacProof | TokenProof
    event: Expression
    connection: Expression | None = None
    events: Expression | None = None
    id: Expression | None = None
    respond_when: Expression | None = None
    respond_body: Value | None = None


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """How one API is reached and authorised, and what it can do."""

    name: str
    place: Place
    #: the entry as data, aliases resolved; for people and for the HTTP API
    raw: Mapping[str, object]
    display_name: str
    auth_mode: str
    base_url: Value
    hosts: tuple[str, ...]
    grants: tuple[str, ...] = ()
    client_id_label: str = "Client ID"
    client_secret_label: str = "Client Secret"  # noqa: S105 - a label, no secret
    authorization_url: Value | None = None
    token_url: Value | None = None
    revoke_url: Value | None = None
    pkce: bool = True
    scopes: tuple[str, ...] = ()
    scope_separator: str = " "
    authorization_params: Value = NOTHING
    headers: Value = NOTHING
    query: Value = NOTHING
    connection_config: Mapping[str, ConfigField] = {}
    credentials: Mapping[str, ConfigField] = {}
    token: TokenRules = TokenRules()
    verify: str | None = None
    limits: Limits = Limits()
    retry: Retry = Retry()
    errors: tuple[ErrorRule, ...] = ()
    functions: Mapping[str, Callable[..., object]] = {}
    webhook: WebhookRules | None = None
    operations: Mapping[str, Operation] = {}


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """An operation and what it is given."""

    operation: Operation
    arguments: Value
    place: Place
    when: Expression | None = None


class Incremental(msgspec.Struct, frozen=True, kw_only=True):
    """How a sync reads only what changed."""

    cursor: Expression
    type: str = "timestamp"
    #: seconds
    lookback: float = 0.0
    start: str | int | None = None


class Deletes(msgspec.Struct, frozen=True, kw_only=True):
    """How a sync knows deleted records: exactly one of the three."""

    when: Expression | None = None
    call: Call | None = None
    id: Expression | None = None
    missing: bool = False


class FieldFrom(msgspec.Struct, frozen=True, kw_only=True):
    """A field that an expression gives, brought to a type."""

    source: Expression
    type: str | None = None
    where: Expression | None = None


class FieldMap(msgspec.Struct, frozen=True, kw_only=True):
    """A field that is a map of fields, or one map for each item of a list."""

    fields: Mapping[str, Field]
    foreach: Expression | None = None
    where: Expression | None = None
    sort: Expression | None = None


Field = Fixed | FieldFrom | FieldMap


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """The webhook event that starts a sync or a workflow."""

    event: str
    when: Expression | None = None
    input: Mapping[str, Expression] = {}


class Sync(msgspec.Struct, frozen=True, kw_only=True):
    """What data to keep in step with a source, bound to one provider."""

    name: str
    place: Place
    description: str
    integrations: tuple[str, ...]
    model: str
    primary_key: str
    fetch: tuple[Call, ...]
    #: a map of fields, or one expression that gives the whole record
    fields: Mapping[str, Field] | Expression
    #: seconds
    schedule: float | None = None
    params: Mapping[str, Param] = {}
    incremental: Incremental | None = None
    vars: Mapping[str, Value] = {}
    lookups: Mapping[str, Call] = {}
    where: Expression | None = None
    deletes: Deletes | None = None
    trigger: Trigger | None = None
    #: changes when what is stored would change
    digest: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a workflow; exactly one of call, request, set, returns and fail is there."""

    place: Place
    id: str | None = None
    when: Expression | None = None
    foreach: Expression | None = None
    call: Call | None = None
    request: Request | None = None
    set: Value | None = None
    returns: Value | None = None
    fail: Value | None = None
    output: Value | None = None


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """What to do, step by step, bound to one provider."""

    name: str
    place: Place
    description: str
    integrations: tuple[str, ...]
    #: a JSON Schema of the input
    input: Mapping[str, object]
    steps: tuple[Step, ...]
    output: Value | None = None
    trigger: Trigger | None = None
    text: str = ""
