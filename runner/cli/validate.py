"""`terapi validate`"""

from __future__ import annotations

from pathlib import Path

import click

from runner import __version__
from runner.cli.main import app_of
from runner.definitions import problems as shown
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

    PATHS limit what is shown to those files and folders; definitions are always read whole, since they refer
    to each other.
    """
    project = app_of(ctx).loaded
    wanted = [_inside(project.root, app_of(ctx).start / path) for path in paths]
    files = [file for file in sorted(project.sources) if _among(file, wanted)]
    found = [problem for problem in project.problems if _among(problem.place.file, wanted)]
    click.echo(_report(project, found, files, "json" if as_json else form))
    return 3 if found else 0


def _inside(root: Path, path: Path) -> str:
    path = path.resolve()
    if not path.exists():
        raise UsageError(f"{path} does not exist", hint="paths are counted from the current folder")
    if not path.is_relative_to(root.resolve()):
        raise UsageError(f"{path} is not in the project {root}", hint="name its project with -C DIR")
    return path.relative_to(root.resolve()).as_posix()


def _among(file: str, wanted: list[str]) -> bool:
    return not wanted or any(one in (".", file) or file.startswith(f"{one}/") for one in wanted)


def _report(project: Project, found: list[Problem], files: list[str], form: str) -> str:
    if form == "json":
        return shown.render_json(found, len(files))
    if form == "github":
        return shown.render_github(found)
    if form == "sarif":
        return shown.render_sarif(found, __version__)
    if not found:
        return f"{len(files)} file{'' if len(files) == 1 else 's'} valid"
    affected = len({problem.place.file for problem in found})
    count = f"{len(found)} problem{'' if len(found) == 1 else 's'} in {affected} of {len(files)} files"
    return f"{shown.render_text(found, project.sources)}\n\n{count}"
