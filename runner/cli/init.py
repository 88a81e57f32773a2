"""`terapi init`"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from runner.cli.main import app_of
from runner.definitions.resources import sample_folder
from runner.errors import UsageError

_SCHEMAS = {"providers": "providers.yaml", "sync": "syncs/*.yaml", "workflow": "workflows/*.yaml"}
_STATE = ".terapi/\n"


@click.command(epilog="Example: terapi init shop && cd shop && terapi validate")
@click.argument("folder", default=".", type=click.Path(path_type=Path))
@click.pass_context
def command(ctx: click.Context, folder: Path) -> None:
    """Begin a project: definitions, tests, editor settings.

    FOLDER is made where it does not exist; nothing that is there is overwritten.
    """
    start = app_of(ctx).start
    root = start / folder
    if (root / "providers.yaml").exists():
        raise UsageError(f"{root} has a providers.yaml already", hint="name another folder")
    try:
        made = _made(root)
    except OSError as exc:
        raise UsageError(f"{exc.filename or root} cannot be written: {exc.strerror}") from exc
    steps = (
        ["terapi validate", "terapi emulate"] if root.samefile(start) else [f"cd {folder}", "terapi validate"]
    )
    click.echo(f"made {root.resolve()} with {made} files\n\nnext:" + "".join(f"\n  {step}" for step in steps))


def _made(root: Path) -> int:
    """Makes the files that are not there yet; gives how many."""
    (root / "tests").mkdir(parents=True, exist_ok=True)
    return sum(_write(root / name, content) for name, content in _files()) + _ignored(root / ".gitignore")


def _files() -> Iterator[tuple[str, bytes]]:
    sample = sample_folder()
    yield "providers.yaml", (sample / "providers.yaml").read_bytes()
    for folder in ("syncs", "workflows", "schemas"):
        for path in sorted((sample / folder).iterdir()):
            yield f"{folder}/{path.name}", path.read_bytes()
    schemas = {f"./schemas/{kind}.schema.json": pattern for kind, pattern in _SCHEMAS.items()}
    yield ".vscode/settings.json", json.dumps({"yaml.schemas": schemas}, indent=2).encode() + b"\n"


def _write(path: Path, content: bytes) -> bool:
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True


def _ignored(path: Path) -> bool:
    """Keeps the state out of git, also where there is a list of ignored files already."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if _STATE.strip() in before.split():
        return False
    path.write_text(before + ("" if before.endswith("\n") or not before else "\n") + _STATE, encoding="utf-8")
    return True
