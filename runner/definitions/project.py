"""A project folder read into checked definitions.

`terapi` finds the folder from anywhere below it, as git does: the nearest one that has a `providers.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from runner.definitions import yaml
from runner.definitions.build.aliases import resolve_aliases
from runner.definitions.build.keys import below, items, mapping, text
from runner.definitions.build.provider import build_provider
from runner.definitions.build.reader import Reader
from runner.definitions.build.sync import build_sync
from runner.definitions.build.workflow import build_workflow
from runner.definitions.expressions import Language
from runner.definitions.model import Provider, Sync, Workflow
from runner.definitions.refusals import Checker
from runner.definitions.schema import SchemaBook
from runner.definitions.words import did_you_mean, there_are
from runner.errors import DefinitionsInvalid, Problem, UsageError

T = TypeVar("T")
_FOLDERS = {"sync": "syncs", "workflow": "workflows"}


def find_root(start: Path) -> Path:
    """The project folder at or above ``start``.

    Raises:
        UsageError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / "providers.yaml").is_file():
            return folder
    raise UsageError(
        f"no providers.yaml in {start} or any folder above it",
        hint="run `terapi init` to begin a project here, or name one with `terapi -C DIR …`",
    )


class Project:
    """The definitions of a folder; what is wrong with them stands in ``problems``.

    Syncs and workflows are bound to the provider of each integration that they name, and checked against it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.sources: dict[str, str] = {}
        self.providers: Mapping[str, Provider] = {}
        self._book = SchemaBook()
        self._checkers: dict[str, Checker] = {}
        self._syncs: dict[str, dict[str, Sync]] = {}
        self._workflows: dict[str, dict[str, Workflow]] = {}
        #: (integration, model) → the sync that deletes what it does not see of it
        self._missing: dict[tuple[str, str], str] = {}

    @classmethod
    def load(cls, root: Path) -> Project:
        """Reads every definition; never raises for what is wrong in them.

        Raises:
            UsageError: a file cannot be read at all.
        """
        project = cls(root)
        project._load_providers()
        for kind, folder in _FOLDERS.items():
            for path in _definitions(root / folder):
                project._load_file(kind, path)
        project._look_around()
        return project

    def checked(self) -> Project:
        """This project, where nothing is wrong in it.

        Raises:
            DefinitionsInvalid: something is.
        """
        if self.problems:
            raise DefinitionsInvalid(self.problems, self.sources)
        return self

    @property
    def syncs(self) -> list[str]:
        return sorted(self._syncs)

    @property
    def workflows(self) -> list[str]:
        return sorted(self._workflows)

    def provider(self, integration: str) -> Provider:
        return _known(self.providers, integration, "integration")

    def sync(self, name: str, integration: str | None = None) -> Sync:
        """A sync as an integration runs it; as its first one does where none is named.

        Raises:
            UsageError: there is no such sync, or it does not run on that integration.
        """
        return _bound(_known(self._syncs, name, "sync"), name, integration)

    def workflow(self, name: str, integration: str | None = None) -> Workflow:
        """A workflow as an integration runs it; see `sync`."""
        return _bound(_known(self._workflows, name, "workflow"), name, integration)

    def _read(self, path: Path) -> yaml.Node | None:
        name = path.relative_to(self.root).as_posix()
        try:
            content = path.read_bytes()
        except OSError as exc:
            raise UsageError(f"{name} cannot be read: {exc.strerror}") from exc
        self.sources[name] = content.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
        node, problems = yaml.read(content, name)
        self.problems += problems
        return node

    def _load_providers(self) -> None:
        node = self._read(self.root / "providers.yaml")
        if node is None or self._refused("providers", node):
            return
        top = mapping(node)
        entries = resolve_aliases(top, self.problems)
        self.providers = {name: self._provider(name, entry) for name, entry in entries.items()}

    def _provider(self, name: str, entry: yaml.Mapping) -> Provider:
        # An alias shares its nodes with its original, so a problem in them would be found twice: keep one.
        found: list[Problem] = []
        provider = build_provider(name, entry, found)
        self.problems += [problem for problem in found if problem not in self.problems]
        return provider

    def _refused(self, kind: str, node: yaml.Node) -> bool:
        if kind not in self._checkers:
            self._checkers[kind] = Checker(self._book[kind])
        problems = self._checkers[kind].check(node)
        self.problems += problems
        return bool(problems)

    def _load_file(self, kind: str, path: Path) -> None:
        node = self._read(path)
        if node is None or self._refused(kind, node):
            return
        top = mapping(node)
        name, key = text(top, kind), top.entries[kind]
        known = self._syncs if kind == "sync" else self._workflows
        if name in known:
            self.problems.append(
                Problem(
                    key.place,
                    f"another file defines the {kind} `{name}` already",
                    len(name),
                    code="duplicate",
                )
            )
            return
        self._bind(kind, name, top)

    def _bind(self, kind: str, name: str, node: yaml.Mapping) -> None:
        before = len(self.problems)
        for item in items(node, "integrations"):
            found: list[Problem] = []
            integration = (
                Reader(Language(), found).one_of(item, self.providers, "integration")
                if self.providers
                else None
            )
            if integration is not None:
                self._bind_one(kind, name, node, self.providers[integration], found)
            self.problems += [problem for problem in found if problem not in self.problems[before:]]

    def _bind_one(
        self, kind: str, name: str, node: yaml.Mapping, provider: Provider, found: list[Problem]
    ) -> None:
        reader = Reader(provider.language, found)
        if kind == "sync":
            sync = build_sync(node, provider, reader)
            self._syncs.setdefault(name, {})[provider.name] = sync
            if sync.deletes is not None and sync.deletes.missing:
                self._claim(sync, provider.name, below(node, "deletes").keys["missing"], reader)
        else:
            source = self.sources[node.place.file]
            self._workflows.setdefault(name, {})[provider.name] = build_workflow(
                node, provider, reader, source
            )

    def _claim(self, sync: Sync, integration: str, key: yaml.Scalar, reader: Reader) -> None:
        """Notes that a sync deletes what it misses of its model; two would delete each other's records."""
        other = self._missing.setdefault((integration, sync.model), sync.name)
        if other != sync.name:
            message = f"`{other}` deletes what it does not see of `{sync.model}` already"
            mend = "leave `missing` to one of them, or give them two models"
            reader.problem(key, message, "deletes", mend, len("missing"))

    def _look_around(self) -> None:
        """Tells each sync the params of its neighbours."""
        for integration in self.providers:
            found = [variants[integration] for variants in self._syncs.values() if integration in variants]
            known = frozenset(name for sync in found for name in sync.params)
            for sync in found:
                neighbour = msgspec.structs.replace(sync, known_params=known)
                self._syncs[sync.name][integration] = neighbour


def _definitions(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml") and path.is_file())


def _known(found: Mapping[str, T], name: str, what: str) -> T:
    if name in found:
        return found[name]
    raise UsageError(f"there is no {what} `{name}`", hint=did_you_mean(name, found, there_are(found)))


def _bound(variants: Mapping[str, T], name: str, integration: str | None) -> T:
    if integration is None:
        return next(iter(variants.values()))
    if integration not in variants:
        runs = ", ".join(variants)
        raise UsageError(f"`{name}` does not run on `{integration}`", hint=f"it runs on: {runs}")
    return variants[integration]
