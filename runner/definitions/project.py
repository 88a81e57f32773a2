"""A project folder read into checked definitions.

`terapi` finds the folder from anywhere below it, as git does: the nearest one that has a `providers.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import TypeVar

from runner.definitions.loading import Definitions, load, reread
from runner.definitions.model import DefinitionTest, Provider, Sync, Workflow
from runner.definitions.resources import shipped
from runner.definitions.words import did_you_mean, there_are
from runner.errors import DefinitionsInvalid, UsageError

T = TypeVar("T")


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

    def __init__(self, root: Path, definitions: Definitions) -> None:
        self.root = root
        self.problems = definitions.problems
        self.sources = definitions.sources
        self.providers = definitions.providers
        self._syncs = definitions.syncs
        self._workflows = definitions.workflows
        self._around = definitions.around
        #: in the order of their files; none where they were not asked for
        self.tests: tuple[DefinitionTest, ...] = definitions.tests

    @classmethod
    def load(cls, root: Path, *, tests: bool = False) -> Project:
        """Reads every definition, and the tests of them where they are asked for; never raises for what is
        wrong in them."""
        return cls(root, load(root, tests=tests))

    def checked(self) -> Project:
        """This project, where nothing is wrong in it; warnings leave it valid.

        Raises:
            DefinitionsInvalid: something is.
        """
        errors = [problem for problem in self.problems if problem.severity == "error"]
        if errors:
            raise DefinitionsInvalid(errors, self.sources)
        return self

    def at(self, root: Path) -> Project:
        """The same definitions in another folder."""
        found = copy(self)
        found.root = root
        return found

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

    def workflow_of(self, source: str, name: str, integration: str) -> Workflow:
        """A workflow from its text of some time ago; see `loading.reread`.

        Raises:
            UsageError: the integration is no longer defined.
        """
        return reread(source, f"workflows/{name}.yaml", self.provider(integration), self._around)


def _known(found: Mapping[str, T], name: str, what: str) -> T:
    if name in found:
        return found[name]
    hint = did_you_mean(name, found, there_are(found))
    if what != "integration" and name in shipped(f"{what}s"):
        hint = f"one ships with terapi: terapi init --{what} {name}"
    raise UsageError(f"there is no {what} `{name}`", hint=hint)


def _bound(variants: Mapping[str, T], name: str, integration: str | None) -> T:
    if integration is None:
        return next(iter(variants.values()))
    if integration not in variants:
        runs = ", ".join(variants)
        raise UsageError(f"`{name}` does not run on `{integration}`", hint=f"it runs on: {runs}")
    return variants[integration]
