"""`terapi record`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.main import app_of
from runner.cli.options import connection_option, given_input, input_option, values
from runner.cli.test import show
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.calls.access import Access
    from runner.cli.app import App
    from runner.definitions.model import DefinitionTest
    from runner.definitions.project import Project
    from runner.testing.record import Wanted

#: records of each list that a sync's test keeps
_FEW = 10


@click.command(epilog="Example: terapi record create-contact --input last_name=Lovelace")
@click.argument("name")
@input_option
@click.option(
    "--checkpoint", metavar="C", help="Where the sync's run before ended; without it this is the first."
)
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="PATH",
    help="A file of the project's folder that the workflow reads; it goes into the test.",
)
@click.option("--full", is_flag=True, help="Let the sync read everything, whatever the checkpoint.")
@click.option("--param", "params", multiple=True, metavar="K=V", help="One of the sync's params.")
@click.option(
    "--mock", "mocks", multiple=True, metavar="STEP=JSON", help="What a step gives instead of being done."
)
@click.option(
    "--limit",
    type=click.IntRange(0),
    metavar="N",
    help="Records kept of each list of an answer: 10 of a sync's, all of a workflow's; 0 for all.",
)
@click.option("--description", default="", metavar="TEXT", help="What the test shows, for people.")
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The file; tests/NAME.test.yaml by default.",
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
@connection_option
@click.pass_context
def command(
    ctx: click.Context, /, name: str, connection: str | None, file: Path | None, force: bool, **asked: object
) -> int:
    """Make a test of a sync or a workflow from a real connection.

    NAME is run as a test would run it, and what was asked and answered is written down with what came of it;
    a test's file is recorded anew, with what it is given. What a workflow writes at the API is written for
    good; what a sync stores is forgotten. Secrets, tokens and the addresses of the account are replaced; what
    the API answered is not: look through the file before you share it.
    """
    app = app_of(ctx)
    again = _recorded_before(app, name)
    path = app.root / again.name if again is not None else app.root / "tests" / f"{name}.test.yaml"
    path = app.start / file if file is not None else path
    _check_path(app, path, force=force or (again is not None and file is None))
    wanted = _wanted(app, name, asked) if again is None else _again(again, asked)

    async def work(access: Access) -> str:
        from runner.definitions.model.matrix import definition_of
        from runner.testing.record import record

        project = access.project
        is_sync, name = wanted.kind == "sync", wanted.name
        found = project.sync(definition_of(name)) if is_sync else project.workflow(name)
        place = access.connection(connection, found.integrations)
        return await record(access, access.client(place), wanted)

    _write(app, path, app.run(work))
    return _proved(app, path)


def _check_path(app: App, path: Path, *, force: bool) -> None:
    """Raises UsageError where a test cannot be written; before anything is asked of an API."""
    tests = app.root / "tests"
    if not path.name.endswith(".test.yaml") or not path.resolve().is_relative_to(tests.resolve()):
        message = f"{path} is no place for a test: they stand below tests/ and end in .test.yaml"
        raise UsageError(message, hint=f"such as -o {tests / 'again.test.yaml'}")
    if path.exists() and not force:
        hint = "overwrite it with --force, or name another with -o"
        raise UsageError(f"{path} is there already", hint=hint)


def _recorded_before(app: App, name: str) -> DefinitionTest | None:
    """The test whose file is named, where it is one."""
    from runner.definitions.project import Project

    if not name.endswith(".test.yaml"):
        return None
    file = (app.start / name).resolve()
    for test in Project.load(app.root, tests=True).checked().tests:
        if (app.root / test.name).resolve() == file:
            return test
    raise UsageError(f"there is no test {name}", hint="record a sync or a workflow by its name")


def _again(test: DefinitionTest, asked: dict[str, object]) -> Wanted:
    """The same test anew; nothing else can be said of it but how much is kept."""
    from runner.testing.record import Wanted

    given = ("given", "checkpoint", "full", "params", "mocks", "files", "description")
    said = [key for key in given if asked[key]]
    if said:
        raise UsageError(f"{test.name} says what is given", hint="change it there, then record it anew")
    limit = _limit(asked["limit"], test.kind)
    return Wanted(
        kind=test.kind, name=test.definition, description=test.description, given=test.given, limit=limit
    )


def _limit(asked: object, kind: str) -> int | None:
    if isinstance(asked, int):
        return asked or None
    return _FEW if kind == "sync" else None


def _wanted(app: App, name: str, asked: dict[str, object]) -> Wanted:
    from typing import cast

    from runner.definitions.model import Given
    from runner.definitions.model.matrix import definition_of
    from runner.definitions.words import did_you_mean, there_are
    from runner.testing.record import Wanted

    given = {"sync": definition_of(name), "workflow": name}
    kinds = [kind for kind, names in _names(app.project).items() if given[kind] in names]
    if not kinds:
        known = [one for names in _names(app.project).values() for one in names]
        raise UsageError(
            f"there is no sync or workflow `{name}`", hint=did_you_mean(name, known, there_are(known))
        )
    if len(kinds) > 1:
        raise UsageError(f"`{name}` is a sync and a workflow", hint="give one of them another name")
    return Wanted(
        kind=kinds[0],
        name=name,
        description=str(asked["description"]),
        given=Given(
            params=values(cast("tuple[str, ...]", asked["params"]), "--param"),
            full=bool(asked["full"]),
            checkpoint=cast("str | None", asked["checkpoint"]),
            files={path: _text_of(app, path) for path in cast("tuple[str, ...]", asked["files"])},
            input=given_input(cast("tuple[str, ...]", asked["given"])),
            mock=values(cast("tuple[str, ...]", asked["mocks"]), "--mock"),
        ),
        limit=_limit(asked["limit"], kinds[0]),
    )


def _text_of(app: App, path: str) -> str:
    """What a file of the project's folder holds.

    Raises:
        UsageError: it lies elsewhere, or cannot be read.
    """
    file = (app.root / path).resolve()
    if not file.is_relative_to(app.root.resolve()):
        raise UsageError(f"{path} is not in {app.root}", hint="name it as the workflow does")
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as exc:
        raise UsageError(f"{path} cannot be read as text: {exc}") from exc


def _names(project: Project) -> dict[str, list[str]]:
    return {"sync": project.syncs, "workflow": project.workflows}


def _write(app: App, path: Path, text: str) -> None:
    """Writes the test, with the line by which editors know its schema where that is at hand."""
    import os

    schema = app.root / "schemas" / "test.schema.json"
    head = ""
    if schema.exists():
        head = f"# yaml-language-server: $schema={os.path.relpath(schema, path.parent)}\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + text, encoding="utf-8")
    except OSError as exc:
        raise UsageError(f"{path} cannot be written: {exc.strerror}") from exc


def _proved(app: App, path: Path) -> int:
    """Plays the test back, where it lies in the project."""
    import asyncio

    from runner.definitions.project import Project
    from runner.testing.run import run_test

    project = Project.load(app.root, tests=True).checked()
    test = next((one for one in project.tests if (project.root / one.name).resolve() == path.resolve()), None)
    if test is None:
        raise AssertionError("it was just written")
    report = asyncio.run(run_test(project, test))
    show(report)
    return 1 if report.failed else 0
