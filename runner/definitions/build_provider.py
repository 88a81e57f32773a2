"""Providers: entries of `providers.yaml`, aliases resolved, turned into `Provider`."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from runner.definitions import yaml
from runner.definitions.expressions import Expression, Language
from runner.definitions.model import (
    ConfigField,
    ErrorRule,
    HmacProof,
    Introspect,
    Jwt,
    Limits,
    Operation,
    Paginate,
    Param,
    Provider,
    ResponseRule,
    Retry,
    TokenProof,
    TokenRules,
    WebhookRules,
)  # fmt: skip
from runner.definitions.names import Names
from runner.definitions.problems import Problem
from runner.definitions.reader import PAGE, RESPONSE, Reader, data, items, mapping, read_params, seconds, text
from runner.definitions.words import did_you_mean, there_are

_WEBHOOK: Names = {
    "body": None, "headers": None,
    "request": {"query": None, "headers": None, "body": None, "raw": None, "method": None},
}  # fmt: skip


def resolve_aliases(top: yaml.Mapping, problems: list[Problem]) -> dict[str, yaml.Mapping]:
    """Every entry with what it takes from others; an alias of nothing, or of itself, is a problem."""
    return {
        name: _resolved(top, name, (), problems)
        for name, node in top.entries.items()
        if isinstance(node, yaml.Mapping)
    }


def _resolved(top: yaml.Mapping, name: str, above: tuple[str, ...], problems: list[Problem]) -> yaml.Mapping:
    node = mapping(top.entries.get(name))
    alias = node.entries.get("alias")
    if not isinstance(alias, yaml.Scalar):
        return node
    if alias.text not in top.entries:
        mend = did_you_mean(alias.text, top.entries, there_are(top.entries))
        problems.append(
            Problem(alias.place, f"there is no provider `{alias.text}`", len(alias.text), mend, code="alias")
        )
        return node
    if alias.text in (*above, name):
        message = f"`{name}` is an alias of itself"
        problems.append(Problem(alias.place, message, len(alias.text), "name another entry", code="alias"))
        return node
    return _merged(_resolved(top, alias.text, (*above, name), problems), node)


def _merged(base: yaml.Mapping, over: yaml.Mapping) -> yaml.Mapping:
    """``base`` with what ``over`` says, key by key; a list replaces."""
    result = yaml.Mapping(dict(base.entries), dict(base.keys), over.place)
    for key, node in over.entries.items():
        below = base.entries.get(key)
        both = isinstance(node, yaml.Mapping) and isinstance(below, yaml.Mapping)
        result.entries[key] = _merged(cast(yaml.Mapping, below), cast(yaml.Mapping, node)) if both else node
        result.keys[key] = over.keys[key]
    result.entries.pop("alias", None)
    return result


def build_provider(name: str, node: yaml.Mapping, problems: list[Problem]) -> Provider:
    """One entry; what is missing or wrong in it is put into ``problems``."""
    language = Language()
    reader = Reader(language, problems)
    _add_functions(reader, node)
    config: Names = dict.fromkeys(mapping(node.entries.get("connection_config")).entries)
    credentials: Names = dict.fromkeys(mapping(node.entries.get("credentials")).entries)
    build = _ProviderBuild(name, node, reader, {"config": config, "credentials": credentials or None})
    return build.provider()


def _add_functions(reader: Reader, node: yaml.Mapping) -> None:
    functions = mapping(node.entries.get("functions")).entries
    for name in functions:
        reader.language.add(name, lambda *args: None)
    for name, below in functions.items():
        inner = mapping(below)
        args = tuple(data(inner, "args", cast(list[str], [])))
        returns = reader.expression(inner.entries["returns"], dict.fromkeys(args))
        reader.language.add(name, _function(args, returns))


def _function(args: tuple[str, ...], returns: Expression) -> Callable[..., object]:
    def call(*values: object, **named: object) -> object:
        return returns.evaluate({**dict(zip(args, values, strict=False)), **named})

    return call


class _ProviderBuild:
    def __init__(self, name: str, node: yaml.Mapping, reader: Reader, names: Names) -> None:
        self.name = name
        self.node = node
        self.reader = reader
        self.names = names
        self.client_names: Names = {**names, "client": {"id": None, "secret": None}, "token": None}

    def provider(self) -> Provider:
        node, reader, names = self.node, self.reader, self.names
        self._check_whole()
        labels = mapping(node.entries.get("client"))
        operations = self._operations()
        own = {
            name: reader.language.functions[name] for name in mapping(node.entries.get("functions")).entries
        }
        return Provider(
            name=self.name,
            place=node.place,
            raw=node.data,
            display_name=text(node, "display_name", self.name),
            auth_mode=text(node, "auth_mode", "NONE"),
            grants=tuple(data(node, "grants", cast(list[str], []))),
            client_id_label=text(labels, "id", "Client ID"),
            client_secret_label=text(labels, "secret", "Client Secret"),
            authorization_url=reader.optional_value(node, "authorization_url", names),
            token_url=reader.optional_value(node, "token_url", names),
            revoke_url=reader.optional_value(node, "revoke_url", names),
            pkce=text(node, "pkce", "S256") == "S256",
            scopes=tuple(data(node, "scopes", cast(list[str], []))),
            scope_separator=text(node, "scope_separator", " "),
            authorization_params=reader.values(node, "authorization_params", names),
            base_url=reader.values(node, "base_url", names),
            hosts=tuple(data(node, "hosts", cast(list[str], []))),
            headers=reader.values(node, "headers", {**names, "token": None}),
            query=reader.values(node, "query", {**names, "token": None}),
            connection_config=self._fields("connection_config"),
            credentials=self._fields("credentials"),
            token=self._token(mapping(node.entries.get("token"))),
            verify=self._verify(operations),
            limits=self._limits(mapping(node.entries.get("limits"))),
            retry=self._retry(mapping(node.entries.get("retry"))),
            errors=self._errors(),
            functions=own,
            webhook=self._webhook(mapping(node.entries.get("webhook"))),
            operations=operations,
        )

    def _check_whole(self) -> None:
        """What an entry must have once its alias is resolved."""
        needed = ["auth_mode", "base_url", "hosts"]
        mode = text(self.node, "auth_mode")
        if mode == "OAUTH2":
            needed += ["authorization_url", "token_url"]
        if mode in ("OAUTH2_CC", "JWT_BEARER"):
            needed += ["token_url"]
        for key in needed:
            if key not in self.node.entries:
                self.reader.problem(
                    self.node, f"the provider `{self.name}` has no `{key}`", "missing-key", f"add `{key}: …`"
                )

    def _fields(self, key: str) -> dict[str, ConfigField]:
        below = mapping(self.node.entries.get(key)).entries
        return {name: self._field(name, mapping(child)) for name, child in below.items()}

    def _field(self, name: str, node: yaml.Mapping) -> ConfigField:
        return ConfigField(
            name=name,
            type=text(node, "type", "string"),
            title=text(node, "title", name),
            description=text(node, "description"),
            format=text(node, "format") or None,
            pattern=text(node, "pattern") or None,
            example=text(node, "example") or None,
            default=data(node, "default", None),
            captured=self.reader.optional(node, "from", {"token": None}),
            optional=data(node, "optional", False),
            secret=data(node, "secret", False),
        )

    def _token(self, node: yaml.Mapping) -> TokenRules:
        reader, jwt = self.reader, mapping(node.entries.get("jwt"))
        return TokenRules(
            params=reader.values(node, "params", self.client_names),
            headers=reader.values(node, "headers", self.client_names),
            client_auth=text(node, "client_auth", "body"),
            lifetime=seconds(node, "lifetime", 0.0) or None,
            refresh_margin=seconds(node, "refresh_margin", 300.0),
            jwt=self._jwt(jwt) if jwt.entries else None,
            introspect=self._introspect(mapping(node.entries.get("introspect"))),
        )

    def _jwt(self, node: yaml.Mapping) -> Jwt:
        return Jwt(
            claims=self.reader.values(node, "claims", {**self.client_names, "credentials": None}),
            algorithm=text(node, "algorithm", "RS256"),
            lifetime=seconds(node, "lifetime", 180.0),
        )

    def _introspect(self, node: yaml.Mapping) -> Introspect | None:
        if not node.entries:
            return None
        return Introspect(
            request=self.reader.request(mapping(node.entries["request"]), self.client_names),
            active=self.reader.expression(node.entries["active"], RESPONSE),
            expires_at=self.reader.optional(node, "expires_at", RESPONSE),
            every=seconds(node, "every", 600.0),
        )

    def _limits(self, node: yaml.Mapping) -> Limits:
        used = self.reader.optional(node, "used", RESPONSE)
        return Limits(
            concurrency=data(node, "concurrency", None),
            used=used,
            of=self.reader.optional(node, "of", RESPONSE),
        )

    def _retry(self, node: yaml.Mapping) -> Retry:
        return Retry(
            attempts=data(node, "attempts", 5),
            initial=seconds(node, "initial", 1.0),
            max=seconds(node, "max", 60.0),
            respect=text(node, "respect", "retry-after").lower(),
        )

    def _errors(self) -> tuple[ErrorRule, ...]:
        return tuple(self._error(mapping(rule)) for rule in items(self.node, "errors"))

    def _error(self, node: yaml.Mapping) -> ErrorRule:
        names = {**RESPONSE, **self.names}
        return ErrorRule(
            when=self.reader.expression(node.entries["when"], names),
            kind=text(node, "kind"),
            message=self.reader.optional_value(node, "message", names),
            hint=self.reader.optional_value(node, "hint", names),
            retry=data(node, "retry", None),
        )

    def _webhook(self, node: yaml.Mapping) -> WebhookRules | None:
        if not node.entries:
            return None
        proof, respond = mapping(node.entries["verify"]), mapping(node.entries.get("respond"))
        return WebhookRules(
            proof=_proof(proof),
            event=self.reader.expression(node.entries["event"], {**_WEBHOOK, "event": None}),
            connection=self.reader.optional(node, "connection", {**_WEBHOOK, "event": None}),
            events=self.reader.optional(node, "events", _WEBHOOK),
            id=self.reader.optional(node, "id", _WEBHOOK),
            respond_when=self.reader.optional(respond, "when", _WEBHOOK),
            respond_body=self.reader.optional_value(respond, "body", _WEBHOOK),
        )

    def _verify(self, operations: dict[str, Operation]) -> str | None:
        node = self.node.entries.get("verify")
        return self.reader.one_of(node, operations, "operation") if node is not None else None

    def _operations(self) -> dict[str, Operation]:
        below = mapping(self.node.entries.get("operations")).entries
        return {name: self._operation(name, mapping(child)) for name, child in below.items()}

    def _operation(self, name: str, node: yaml.Mapping) -> Operation:
        reader, params = self.reader, read_params(node.entries.get("params"))
        self._check_params(node, params)
        names: Names = {**self.names, **PAGE, "connection": None, **dict.fromkeys(params)}
        answer: Names = {**names, **RESPONSE}
        request = reader.request(mapping(node.entries.get("request")), names)
        paginate = mapping(node.entries.get("paginate"))
        return Operation(
            name=name,
            place=node.place,
            description=text(node, "description"),
            params=params,
            request=request,
            writes=data(node, "writes", request.method not in ("GET", "HEAD")),
            format=text(node, "format", "json"),
            records=reader.optional(node, "records", answer),
            paginate=self._paginate(paginate, answer) if paginate.entries else None,
            responses=self._responses(node, answer),
            output=reader.output(node, "output", answer),
        )

    def _check_params(self, node: yaml.Mapping, params: dict[str, Param]) -> None:
        taken = {"config", "credentials", "connection", "page", "response"} & set(params)
        for name in sorted(taken):
            where = mapping(node.entries["params"]).keys[name]
            self.reader.problem(
                where,
                f"a parameter cannot be called `{name}`",
                "param",
                "the name has a meaning of its own",
                len(name),
            )

    def _paginate(self, node: yaml.Mapping, names: Names) -> Paginate:
        reader = self.reader
        return Paginate(
            next_url=reader.optional(node, "next_url", names),
            cursor=reader.optional(node, "cursor", names),
            offset=data(node, "offset", False),
            page=data(node, "page", False),
            size=data(node, "size", None),
            until=reader.optional(node, "until", {**names, "records": None}),
        )

    def _responses(self, node: yaml.Mapping, names: Names) -> tuple[ResponseRule, ...]:
        return tuple(self._response(mapping(rule), names) for rule in items(node, "responses"))

    def _response(self, node: yaml.Mapping, names: Names) -> ResponseRule:
        return ResponseRule(
            when=self.reader.expression(node.entries["when"], names),
            means=text(node, "is"),
            kind=text(node, "kind") or None,
            hint=self.reader.optional_value(node, "hint", names),
        )


def _proof(node: yaml.Mapping) -> HmacProof | TokenProof:
    hmac = mapping(node.entries.get("hmac"))
    if hmac.entries:
        return HmacProof(
            header=text(hmac, "header"),
            algorithm=text(hmac, "algorithm", "sha256"),
            encoding=text(hmac, "encoding", "hex"),
            prefix=text(hmac, "prefix"),
        )
    token = mapping(node.entries.get("token"))
    return TokenProof(header=text(token, "header") or None, query=text(token, "query") or None)
