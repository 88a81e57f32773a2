"""Providers: entries of `providers.yaml`, whole, turned into `Provider`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast
from urllib.parse import urlsplit

from runner.definitions import yaml
from runner.definitions.build.config import read_config, read_credentials
from runner.definitions.build.keys import below, data, items, mapping, seconds, size, text, texts
from runner.definitions.build.known import HEAD, RESPONSE
from runner.definitions.build.operation import read_operations
from runner.definitions.build.reader import Reader
from runner.definitions.build.token import read_token
from runner.definitions.build.webhook import read_webhook
from runner.definitions.expressions import Language, Names, Own
from runner.definitions.model import (
    ErrorRule,
    Fixed,
    Limits,
    Operation,
    Provider,
    Retry,
    TokenRules,
    WebhookRules,
)
from runner.errors import Problem

T = TypeVar("T")

#: what each way of authorising cannot do without
_NEEDED = {
    "OAUTH2": ("authorization_url", "token_url"), "OAUTH2_CC": ("token_url",), "JWT_BEARER": ("token_url",),
}  # fmt: skip


class Vocabulary:
    """What the expressions of a provider know: its functions, its configuration, its credentials.

    An alias shares with its original the nodes that it does not override; what is built of the same node with
    the same vocabulary is built once.
    """

    def __init__(self, node: yaml.Mapping, problems: list[Problem]) -> None:
        self.reader = Reader(Language(), problems)
        self.names: Names = {
            "config": dict.fromkeys(below(node, "connection_config").entries),
            "credentials": dict.fromkeys(below(node, "credentials").entries) or None,
        }
        self._built: dict[tuple[str, int], object] = {}
        _add_functions(self.reader, node)

    def once(self, node: yaml.Mapping, key: str, build: Callable[[], T]) -> T:
        """What ``build`` gives of that which stands under a key."""
        at = (key, id(node.entries.get(key)))
        if at not in self._built:
            self._built[at] = build()
        return cast(T, self._built[at])


def build_providers(entries: Mapping[str, yaml.Mapping], problems: list[Problem]) -> dict[str, Provider]:
    """Providers by name; what is missing or wrong in them is put into ``problems``.

    Args:
        entries: whole, see `resolve_aliases`. Those whose operations are one object can do the very same.
    """
    vocabularies: dict[object, Vocabulary] = {}
    providers = {}
    for name, node in entries.items():
        names = [tuple(below(node, key).entries) for key in ("connection_config", "credentials")]
        at = (id(node.entries.get("functions")), *names)
        if at not in vocabularies:
            vocabularies[at] = Vocabulary(node, problems)
        providers[name] = _ProviderBuild(name, node, vocabularies[at]).provider()
    return providers


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
    def __init__(self, name: str, node: yaml.Mapping, vocabulary: Vocabulary) -> None:
        self.name = name
        self.node = node
        self.vocabulary = vocabulary
        self.reader = vocabulary.reader
        self.names = vocabulary.names

    def provider(self) -> Provider:
        node, reader, names = self.node, self.reader, self.names
        self._check_whole()
        self._check_hosts()
        labels, once = below(node, "client"), self.vocabulary.once
        operations = once(node, "operations", self._operations)
        return Provider(
            name=self.name,
            place=node.place,
            raw=node.data,
            language=reader.language,
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
            connection_config=read_config(below(node, "connection_config"), reader),
            credentials=read_credentials(below(node, "credentials"), reader),
            token=once(node, "token", self._token),
            verify=self._verify(operations),
            limits=self._limits(below(node, "limits")),
            retry=_retry(below(node, "retry")),
            errors=once(node, "errors", self._errors),
            webhook=once(node, "webhook", self._webhook),
            operations=operations,
        )

    def _operations(self) -> dict[str, Operation]:
        return read_operations(below(self.node, "operations"), self.reader, self.names)

    def _token(self) -> TokenRules:
        names: Names = {**self.names, "client": {"id": None, "secret": None}, "token": None}
        return read_token(below(self.node, "token"), self.reader, names)

    def _errors(self) -> tuple[ErrorRule, ...]:
        return tuple(self._error(mapping(rule)) for rule in items(self.node, "errors"))

    def _webhook(self) -> WebhookRules | None:
        config = below(self.node, "connection_config").entries
        return read_webhook(below(self.node, "webhook"), self.reader, config)

    def _check_whole(self) -> None:
        """What an entry must have once its alias is resolved."""
        entries, mode = self.node.entries, text(self.node, "auth_mode")
        for key in ("auth_mode", "base_url", "hosts"):
            if key not in entries:
                message = f"the provider `{self.name}` has no `{key}`"
                self.reader.problem(self.node, message, "missing-key", f"add `{key}: …`")
        for key in _NEEDED.get(mode, ()):
            if key not in entries:
                mend = f"add `{key}: …`"
                self.reader.problem(entries["auth_mode"], f"{mode} needs `{key}`", "missing-key", mend)

    def _check_hosts(self) -> None:
        """An address that is written out must be one that credentials may be sent to."""
        hosts = texts(self.node, "hosts")
        for key in ("base_url", "authorization_url", "token_url", "revoke_url"):
            node = self.node.entries.get(key)
            if not isinstance(node, yaml.Scalar) or "{" in node.text:
                continue
            host = _host(node.text)
            if host is None:
                mend = "write a whole one, such as https://api.example.com"
                self.reader.problem(node, f"`{key}` is no address", "url", mend)
            elif key != "authorization_url" and hosts and not any(_matches(host, one) for one in hosts):
                message = f"`{host}` is not among `hosts`, so every call to it is refused"
                self.reader.warning(node, message, "hosts", f"add it: hosts: [{host}]")

    def _verify(self, operations: dict[str, Operation]) -> str | None:
        node = self.node.entries.get("verify")
        return self.reader.one_of(node, operations, "operation") if node is not None else None

    def _limits(self, node: yaml.Mapping) -> Limits:
        return Limits(
            concurrency=data(node, "concurrency", cast("int | None", None)),
            answer=size(node, "answer", Limits().answer),
            used=self.reader.optional(node, "used", HEAD),
            of=self.reader.optional(node, "of", HEAD),
            resets=self.reader.optional(node, "resets", HEAD),
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


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _retry(node: yaml.Mapping) -> Retry:
    return Retry(
        attempts=data(node, "attempts", 5),
        initial=seconds(node, "initial", 1.0),
        max=seconds(node, "max", 60.0),
        respect=text(node, "respect", "retry-after").lower(),
    )
