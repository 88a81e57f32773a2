"""`terapi types`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.completing import offering
from runner.cli.main import app_of
from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.definitions.project import Project
    from runner.definitions.shapes import Model

FORMATS = ("typescript", "python", "json-schema")

_defined_models = offering(
    lambda app: (model for name in app.loaded.syncs for model in app.loaded.sync(name).models)
)


@click.command(epilog="Example: terapi types Contact --format typescript -o src/models.ts")
@click.argument("models", nargs=-1, metavar="[MODEL]...", shell_complete=_defined_models)
@click.option("--format", "kind", type=click.Choice(FORMATS), help="In what; typescript by default.")
@click.option(
    "-o", "output", type=click.Path(path_type=Path), metavar="FILE", help="A file instead of stdout."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json-schema.")
@click.pass_context
def command(
    ctx: click.Context, models: tuple[str, ...], kind: str | None, output: Path | None, as_json: bool
) -> None:
    """Say what stored records look like, as types or a JSON Schema.

    Every model by default. What is told is what `fields` says; a field without a type is any JSON.
    """
    if as_json and kind not in (None, "json-schema"):
        raise UsageError(f"--json and --format {kind} say different things", hint="leave one of them out")
    found = _chosen(app_of(ctx).project, models)
    text = _written(found, "json-schema" if as_json else kind or "typescript")
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise UsageError(f"{output} cannot be written: {exc.strerror}") from exc


def _chosen(project: Project, names: tuple[str, ...]) -> list[Model]:
    """The models of those names; without names every one.

    Raises:
        UsageError: no sync stores one of them, or there is no sync.
    """
    from runner.definitions.shapes import models_of
    from runner.definitions.words import did_you_mean, there_are

    known = models_of(project.sync(name) for name in project.syncs)
    if not project.syncs:
        raise UsageError("no sync stores anything yet", hint="write one in syncs/: terapi explain sync")
    if not known:
        message = f"no file says a model: those of {', '.join(project.syncs)} are known when it runs"
        raise UsageError(message, hint="list the values of its matrix in the file, where they are few")
    for name in names:
        if name not in known:
            raise UsageError(f"no sync stores `{name}`", hint=did_you_mean(name, known, there_are(known)))
    return [model for name, model in known.items() if name in names or not names]


def _written(models: list[Model], kind: str) -> str:
    from runner.definitions.shapes import json_schema, python, typescript

    if kind == "json-schema":
        return json.dumps(json_schema(models), indent=2, ensure_ascii=False) + "\n"
    return typescript(models) if kind == "typescript" else python(models)
