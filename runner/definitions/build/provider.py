"""Providers: entries of `providers.yaml`, whole, turned into `Provider`."""

from __future__ import annotations

from typing import Final, cast

from runner.definitions import yaml
from runner.definitions.build.keys import below, data, items, mapping, seconds, size, text, texts
from runner.definitions.build.operation import RESPONSE, read_operations
from runner.definitions.build.reader import Reader
from runner.definitions.build.token import read_token
from runner.definitions.build.webhook import read_webhook
from runner.definitions.expressions import Language, Names, Own
from runner.definitions.model import ConfigField, ErrorRule, Fixed, Limits, Operation, Provider, Retry
from runner.errors import Problem

#: what is known of an answer before its body is read
_HEAD: Final[Names] = {"response": {"status": None, "headers": None}}
#: what each way of authorising cannot do without
_NEEDED = {
    "OAUTH2": ("authorization_url", "token_url"), "OAUTH2_CC": ("token_url",), "JWT_BEARER": ("token_url",),
}  # fmt: skip


def build_provider(name: str, node: yaml.Mapping, problems: list[Problem]) -> Provider:
    """One entry; what is missing or wrong in it is put into ``problems``."""
    language = Language()
    reader = Reader(language, problems)
    _add_functions(reader, node)
    config: Names = dict.fromkeys(below(node, "connection_config").entries)
    credentials: Names = dict.fromkeys(below(node, "credentials").entries)
    build = _ProviderBuild(name, node, reader, {"config": config, "credentials": credentials or None})
    return build.provider()


def _add_functions(reader: Reader, node: yaml.Mapping) -> None:
    """The provider's functions; each may call any other."""
    functions = {name: mapping(child) for name, child in below(node, "functions").entries.items()}
    for name, child in functions.items():
        reader.language.add(name, Own(texts(child, "args"), Fixed(None)))
    for name, child in functions.items():
        args = texts(child, "args")
        returns = reader.expression(child.entries["returns"], dict.fromkeys(args))
        reader.language.add(name, Own(args, returns))


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
        labels = below(node, "client")
        operations = read_operations(below(node, "operations"), reader, names)
        return Provider(
            name=self.name,
            place=node.place,
            raw=node.data,
            display_name=text(node, "display_name", self.name),
            auth_mode=text(node, "auth_mode", "NONE"),
            grants=texts(node, "grants"),
            client_id_label=text(labels, "id", "Client ID"),
            client_secret_label=text(labels, "secret", "Client Secret"),
            authorization_url=reader.optional_value(node, "authorization_url", names),
            token_url=reader.optional_value(node, "token_url", names),
            revoke_url=reader.optional_value(node, "revoke_url", names),
            pkce=text(node, "pkce", "S256") == "S256",
            scopes=texts(node, "scopes"),
            scope_separator=text(node, "scope_separator", " "),
            authorization_params=reader.values(node, "authorization_params", names),
            base_url=reader.values(node, "base_url", names),
            hosts=texts(node, "hosts"),
            headers=reader.values(node, "headers", {**names, "token": None}),
            query=reader.values(node, "query", {**names, "token": None}),
            connection_config=self._fields("connection_config"),
            credentials=self._fields("credentials"),
            token=read_token(below(node, "token"), reader, self.client_names),
            verify=self._verify(operations),
            limits=self._limits(below(node, "limits")),
            retry=_retry(below(node, "retry")),
            errors=tuple(self._error(mapping(rule)) for rule in items(node, "errors")),
            language=reader.language,
            webhook=read_webhook(below(node, "webhook"), reader, below(node, "connection_config").entries),
            operations=operations,
        )

    def _check_whole(self) -> None:
        """What an entry must have once its alias is resolved."""
        needed = ("auth_mode", "base_url", "hosts", *_NEEDED.get(text(self.node, "auth_mode"), ()))
        for key in needed:
            if key not in self.node.entries:
                message = f"the provider `{self.name}` has no `{key}`"
                self.reader.problem(self.node, message, "missing-key", f"add `{key}: …`")

    def _fields(self, key: str) -> dict[str, ConfigField]:
        children = below(self.node, key).entries.items()
        return {name: self._field(name, mapping(child)) for name, child in children}

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

    def _verify(self, operations: dict[str, Operation]) -> str | None:
        node = self.node.entries.get("verify")
        return self.reader.one_of(node, operations, "operation") if node is not None else None

    def _limits(self, node: yaml.Mapping) -> Limits:
        return Limits(
            concurrency=data(node, "concurrency", cast("int | None", None)),
            answer=size(node, "answer", Limits().answer),
            used=self.reader.optional(node, "used", _HEAD),
            of=self.reader.optional(node, "of", _HEAD),
            resets=self.reader.optional(node, "resets", _HEAD),
            reserve=float(kept.rstrip("%")) / 100.0 if (kept := text(node, "reserve")) else None,
        )

    def _error(self, node: yaml.Mapping) -> ErrorRule:
        names = {**RESPONSE, **self.names}
        return ErrorRule(
            when=self.reader.expression(node.entries["when"], names),
            kind=text(node, "kind"),
            message=self.reader.optional_value(node, "message", names),
            hint=self.reader.optional_value(node, "hint", names),
            retry=data(node, "retry", cast("bool | None", None)),
        )


def _retry(node: yaml.Mapping) -> Retry:
    return Retry(
        attempts=data(node, "attempts", 5),
        initial=seconds(node, "initial", 1.0),
        max=seconds(node, "max", 60.0),
        respect=text(node, "respect", "retry-after").lower(),
    )
