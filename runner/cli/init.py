"""`terapi init`"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click

from runner.cli.main import app_of
from runner.definitions.resources import sample_folder
from runner.errors import UsageError

_SCHEMAS = {"providers": "providers.yaml", "sync": "syncs/*.yaml", "workflow": "workflows/*.yaml"}


@click.command(epilog="Example: terapi init shop && cd shop && terapi validate")
@click.argument("folder", default=".", type=click.Path(path_type=Path))
@click.pass_context
def command(ctx: click.Context, folder: Path) -> None:
    """Begin a project: definitions, tests, editor settings.

    FOLDER is made where it does not exist; nothing that is there is overwritten.
    """
    root = app_of(ctx).start / folder
    if (root / "providers.yaml").exists():
        raise UsageError(f"{root} has a providers.yaml already", hint="name another folder")
    copied = _copy(root)
    click.echo(
        f"made {root} with {copied} files\n\nnext:\n  cd {folder}\n  terapi validate\n  terapi emulate"
    )


def _copy(root: Path) -> int:
    try:
        for name in ("syncs", "workflows", "schemas"):
            shutil.copytree(sample_folder() / name, root / name, dirs_exist_ok=True)
        shutil.copyfile(sample_folder() / "providers.yaml", root / "providers.yaml")
        (root / "tests").mkdir(exist_ok=True)
        _write(root / ".gitignore", ".terapi/\n")
        (root / ".vscode").mkdir(exist_ok=True)
        schemas = {f"./schemas/{kind}.schema.json": pattern for kind, pattern in _SCHEMAS.items()}
        _write(root / ".vscode" / "settings.json", json.dumps({"yaml.schemas": schemas}, indent=2) + "\n")
    except OSError as exc:
        raise UsageError(f"{exc.filename or root} cannot be written: {exc.strerror}") from exc
    return sum(path.is_file() for path in root.rglob("*"))


def _write(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text, encoding="utf-8")
