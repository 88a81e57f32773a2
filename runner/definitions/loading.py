"""The files of a project folder read, checked and built, whatever is wrong in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from runner.definitions import yaml
from runner.definitions.build.aliases import resolve_aliases
from runner.definitions.build.around import Around, circles
from runner.definitions.build.keys import below, items, mapping, text
from runner.definitions.build.provider import build_providers
from runner.definitions.build.reader import Reader
from runner.definitions.build.sync import build_sync, models_of
from runner.definitions.build.tests import build_test
from runner.definitions.build.workflow import build_workflow
from runner.definitions.expressions import Language
from runner.definitions.model import DefinitionTest, Provider, Sync, Workflow
from runner.definitions.problems import ordered
from runner.definitions.refusals import Checker
from runner.definitions.schema import SchemaBook
from runner.errors import DefinitionsInvalid, Place, Problem

T = TypeVar("T")

FOLDERS: Final = {"sync": "syncs", "workflow": "workflows"}
TESTS: Final = "tests"


class Definitions(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder says; syncs and workflows by name, then by the integration that runs them."""

    providers: Mapping[str, Provider]
    syncs: Mapping[str, Mapping[str, Sync]]
    workflows: Mapping[str, Mapping[str, Workflow]]
    problems: tuple[Problem, ...]
    #: file → its text, to show the lines of problems
    sources: Mapping[str, str]
    around: Around
    #: by their files; none where they were not asked for
    tests: tuple[DefinitionTest, ...] = ()


def load(root: Path, *, tests: bool = False) -> Definitions:
    """Every definition of a project folder; never raises for what is wrong in them.

    Warnings are told once there are no errors: what seems unused may be what an error has hidden.

    Args:
        tests: whether the tests are read as well; nothing else refers to them.
    """
    loader = _Loader(root)
    loader.load()
    if tests:
        loader.load_tests()
    errors = [problem for problem in loader.problems if problem.severity == "error"]
    return Definitions(
        providers=loader.providers,
        syncs=loader.syncs,
        workflows=loader.workflows,
        problems=tuple(ordered(errors or loader.problems)),
        sources=loader.sources,
        around=loader.around,
        tests=tuple(loader.tests),
    )


def reread(source: str, name: str, provider: Provider, around: Around) -> Workflow:
    """A workflow from its text of some time ago, with what there is to call today.

    Args:
        name: what its file is called in messages.

    Raises:
        DefinitionsInvalid: something that it calls is no longer there, or is another now.
    """
    node, problems = yaml.read(source.encode(), name)
    if node is not None:
        problems = Checker(SchemaBook()["workflow"]).check(node)
    if node is None or problems:
        raise DefinitionsInvalid(problems, {name: source})
    reader = Reader(provider.language, problems)
    workflow = build_workflow(mapping(node), provider, reader, source, around)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise DefinitionsInvalid(errors, {name: source})
    return workflow


class _Loader:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.sources: dict[str, str] = {}
        self.providers: dict[str, Provider] = {}
        self.syncs: dict[str, dict[str, Sync]] = {}
        self.workflows: dict[str, dict[str, Workflow]] = {}
        self.tests: list[DefinitionTest] = []
        self._reader = Reader(Language(), self.problems)
        #: kind → name → its file, also of one that is refused: what names it is not wrong
        self._named: dict[str, dict[str, yaml.Mapping]] = {kind: {} for kind in FOLDERS}
        self._book = SchemaBook()
        self._checkers: dict[str, Checker] = {}
        #: (kind, name) → the file that defines it
        self._files: dict[tuple[str, str], yaml.Mapping] = {}

    def load(self) -> None:
        self._load_providers()
        for kind, folder in FOLDERS.items():
            for path in _definitions(self.root / folder):
                self._load_file(kind, path)
        for (kind, name), top in self._files.items():
            self._bind(kind, name, top)
        self.problems += circles(self._named["workflow"])
        for integration in self.providers:
            found = [variants[integration] for variants in self.syncs.values() if integration in variants]
            self._check_missing(found)
            self._tell_params(integration, found)

    def _load_providers(self) -> None:
        top = self._read("providers", self.root / "providers.yaml")
        if top is not None:
            self.providers = build_providers(resolve_aliases(top, self.problems), self.problems)

    def load_tests(self) -> None:
        for path in _tests(self.root):
            top = self._read("test", path)
            if top is not None:
                test = build_test(top, self._reader, self.around, self.sources[top.place.file])
                self.tests += [test] if test is not None else []

    def _load_file(self, kind: str, path: Path) -> None:
        top = self._read(kind, path)
        if top is None:
            return
        name, key = text(top, kind), top.entries[kind]
        first = self._files.setdefault((kind, name), top)
        if first is not top:
            message = f"{first.place.file} defines the {kind} `{name}` already"
            mend = "give one of them another name"
            self.problems.append(Problem(key.place, message, len(name), mend, code="duplicate"))

    def _read(self, kind: str, path: Path) -> yaml.Mapping | None:
        """The map at the top of a file that its schema does not refuse."""
        name = path.relative_to(self.root).as_posix()
        content = self._content(path, name)
        if content is None:
            return None
        self.sources[name] = content.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
        node, problems = yaml.read(content, name)
        if node is not None:
            problems = self._checker(kind).check(node)
            self._note(kind, node)
        self.problems += problems
        return None if node is None or problems else mapping(node)

    def _note(self, kind: str, node: yaml.Node) -> None:
        name = text(mapping(node), kind)
        if name and kind in self._named:
            self._named[kind].setdefault(name, mapping(node))

    @property
    def around(self) -> Around:
        return Around(providers=self.providers, workflows=self._named["workflow"], syncs=self._named["sync"])

    def _content(self, path: Path, name: str) -> bytes | None:
        """The bytes of a file, no more than may be read of one."""
        try:
            why = _no_file(path)
            if why is None:
                with path.open("rb") as file:
                    return file.read(yaml.MAX_BYTES + 1)
        except OSError as exc:
            why = str(exc.strerror)
        self.sources[name] = ""
        message = f"the file cannot be read: {why}"
        self.problems.append(Problem(Place(name), message, suggestion="mend or remove it", code="unreadable"))
        return None

    def _checker(self, kind: str) -> Checker:
        if kind not in self._checkers:
            self._checkers[kind] = Checker(self._book[kind])
        return self._checkers[kind]

    def _bind(self, kind: str, name: str, top: yaml.Mapping) -> None:
        if kind == "sync":
            models = models_of(self._named["sync"].values())
            syncs = self._variants(top, lambda provider, reader: build_sync(top, provider, reader, models))
            self.syncs.update({name: syncs} if syncs else {})
        else:
            source = self.sources[top.place.file]
            around = self.around
            workflows = self._variants(
                top, lambda provider, reader: build_workflow(top, provider, reader, source, around)
            )
            self.workflows.update({name: workflows} if workflows else {})

    def _variants(self, top: yaml.Mapping, build: Callable[[Provider, Reader], T]) -> dict[str, T]:
        """A definition for each integration that it names; built once for all that can do the very same."""
        variants: dict[str, T] = {}
        built: dict[int, T] = {}
        for item in items(top, "integrations") if self.providers else ():
            integration = self._reader.one_of(item, self.providers, "integration")
            if integration is not None:
                provider = self.providers[integration]
                alike = id(provider.operations)
                if alike not in built:
                    built[alike] = build(provider, Reader(provider.language, self.problems))
                variants[integration] = built[alike]
        return variants

    def _check_missing(self, syncs: list[Sync]) -> None:
        """Two syncs that delete what they miss of one model would delete each other's records."""
        owners: dict[str, str] = {}
        for sync in syncs:
            if sync.deletes is None or not sync.deletes.missing:
                continue
            shared = next((model for model in sync.models if model in owners), None)
            owners = {**dict.fromkeys(sync.models, sync.name), **owners}
            if shared is not None:
                key = below(self._files["sync", sync.name], "deletes").keys["missing"]
                message = f"`{owners[shared]}` deletes what it does not see of `{shared}` already"
                mend = "leave `missing` to one of them, or give them two models"
                self.problems.append(Problem(key.place, message, len("missing"), mend, code="deletes"))

    def _tell_params(self, integration: str, syncs: list[Sync]) -> None:
        """Tells each sync the params of its neighbours."""
        known = frozenset(name for sync in syncs for name in sync.params)
        for sync in syncs:
            self.syncs[sync.name][integration] = msgspec.structs.replace(sync, known_params=known)


def _no_file(path: Path) -> str | None:
    """Why there is nothing to open; what is neither a file nor a folder might be waited for for ever."""
    if path.is_file():
        return None
    if not path.exists():
        return "it is a link to nothing"
    return "it is a folder" if path.is_dir() else "it is no ordinary file"


def _definitions(folder: Path) -> Iterable[Path]:
    """The definitions in a folder and below; names that begin with a dot are other programs'."""
    found = (path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml"))
    return sorted(path for path in found if not path.name.startswith("."))


def _tests(root: Path) -> list[Path]:
    """The tests of a project; folders that begin with a dot and projects of their own are passed over."""
    found: list[Path] = []
    for folder, inner, names in os.walk(root / TESTS):
        place = Path(folder)
        inner[:] = [one for one in inner if one[0] != "." and not (place / one / "providers.yaml").exists()]
        found += [place / name for name in names if name.endswith((".test.yaml", ".test.yml"))]
    return sorted(found)
