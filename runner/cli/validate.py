"""`terapi validate`"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from runner import __version__
from runner.cli.main import app_of
from runner.definitions import problems as shown
from runner.definitions.loading import TESTS
from runner.definitions.project import Project
from runner.errors import Problem, UsageError


@click.command(epilog="Example: terapi validate syncs/contacts.yaml --format github")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...], form: str, as_json: bool) -> int:
    """Check definitions; exit 3 where any is wrong.

    Warnings tell what is surely not as it was meant, and leave the definitions valid. PATHS limit what is
    shown to those files and folders; definitions are always read whole, since they refer to each other.
    """
    app = app_of(ctx)
    wanted = [_inside(app.root, app.start / path) for path in paths]
    project = Project.load(app.root, tests=not wanted or any(_has_tests(one) for one in wanted))
    files = [file for file in sorted(project.sources) if _among(file, wanted)]
    _check_definitions(project, wanted)
    found = [problem for problem in project.problems if _among(problem.place.file, wanted)]
    report = _report(project, found, files, "json" if as_json else form)
    click.echo(report, nl=bool(report))
    return 3 if any(problem.severity == "error" for problem in found) else 0


def _inside(root: Path, path: Path) -> str:
    path = path.resolve()
    if not path.exists():
        raise UsageError(f"{path} does not exist", hint="paths are counted from the current folder")
    if not path.is_relative_to(root.resolve()):
        raise UsageError(f"{path} is not in the project {root}", hint="name its project with -C DIR")
    return path.relative_to(root.resolve()).as_posix()


def _has_tests(path: str) -> bool:
    """Whether tests may be asked for by it: nothing else refers to them."""
    return path == "." or path.partition("/")[0] == TESTS


def _check_definitions(project: Project, wanted: Sequence[str]) -> None:
    for one in wanted:
        if (project.root / one).is_file() and one not in project.sources:
            hint = "definitions are providers.yaml, syncs/*.yaml, workflows/*.yaml and tests/*.test.yaml"
            raise UsageError(f"{one} is no definition of the project {project.root}", hint=hint)


def _among(file: str, wanted: Sequence[str]) -> bool:
    return not wanted or any(one in (".", file) or file.startswith(f"{one}/") for one in wanted)


def _report(project: Project, found: Sequence[Problem], files: Sequence[str], form: str) -> str:
    if form == "json":
        return shown.render_json(found, len(files))
    if form == "github":
        return shown.render_github(_from_here(project, found))
    if form == "sarif":
        return shown.render_sarif(_from_here(project, found), __version__)
    return "\n\n".join(filter(None, [shown.render_text(found, project.sources), _summary(found, files)]))


def _from_here(project: Project, found: Sequence[Problem]) -> list[Problem]:
    """With the files as the folder calls them that the command runs in: in CI, the top of the repository."""
    root, here = project.root.resolve(), Path.cwd().resolve()
    if not root.is_relative_to(here):
        return list(found)
    folder = root.relative_to(here)
    return [
        one._replace(place=one.place._replace(file=(folder / one.place.file).as_posix())) for one in found
    ]


def _summary(found: Sequence[Problem], files: Sequence[str]) -> str:
    errors = [problem for problem in found if problem.severity == "error"]
    warnings = _counted(len(found) - len(errors), "warning") if len(found) > len(errors) else ""
    if not errors:
        return f"{_counted(len(files), 'file')} valid" + (f", {warnings}" if warnings else "")
    affected = len({problem.place.file for problem in errors})
    count = f"{_counted(len(errors), 'problem')} in {affected} of {_counted(len(files), 'file')}"
    return count + (f", and {warnings}" if warnings else "")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
