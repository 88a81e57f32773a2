"""Providers: how an API is reached and authorised."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runner.definitions.expressions import Expression, Language
from runner.definitions.model.operation import Operation
from runner.definitions.model.token import TokenRules
from runner.definitions.model.values import NOTHING, Value
from runner.definitions.model.webhook import WebhookRules
from runner.errors import Place


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


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How a failed call is tried again; times are in seconds."""

    attempts: int = 5
    initial: float = 1.0
    max: float = 60.0
    respect: str = "retry-after"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an API bears."""

    concurrency: int | None = None
    #: bytes that an answer may have that is read whole
    answer: int = 100_000_000
    #: of the budget, read from an answer: how much is used, of how much, and when it begins anew
    used: Expression | None = None
    of: Expression | None = None
    resets: Expression | None = None
    #: the share of the budget that is not used, from 0 to 1
    reserve: float | None = None


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """How one API is reached and authorised, and what it can do."""

    name: str
    place: Place
    #: the functions that its expressions may use
    language: Language
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
    webhook: WebhookRules | None = None
    operations: Mapping[str, Operation] = {}
