"""`terapi init`"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from runner.cli.completing import shipped_syncs
from runner.cli.main import app_of
from runner.definitions.resources import sample_folder, shipped
from runner.definitions.words import nearest
from runner.errors import UsageError

#: the syncs that a project begins with
_FIRST_SYNCS = ("accounts", "contacts", "opportunities")
_SCHEMAS = {
    "providers": "providers.yaml", "sync": "syncs/*.yaml", "workflow": "workflows/*.yaml",
    "test": "tests/**/*.test.yaml",
}  # fmt: skip
_STATE = ".terapi/\n"


@click.command(epilog="Example: terapi init shop && cd shop && terapi validate")
@click.argument("folder", default=".", type=click.Path(path_type=Path))
@click.option(
    "--sync", "syncs", metavar="NAME", multiple=True, shell_complete=shipped_syncs,
    help="Take this one of the syncs that ship with terapi; `all` for every one. May be repeated.",
)  # fmt: skip
@click.pass_context
def command(ctx: click.Context, folder: Path, syncs: tuple[str, ...]) -> None:
    """Begin a project: definitions, tests, editor settings.

    FOLDER is made where it does not exist; nothing that is there is overwritten. With --sync, a project that
    is there already takes in syncs.
    """
    start = app_of(ctx).start
    root = start / folder
    there = (root / "providers.yaml").exists()
    if there and not syncs:
        raise UsageError(
            f"{root} has a providers.yaml already", hint="name another folder, or syncs with --sync"
        )
    chosen = _chosen(syncs or _FIRST_SYNCS)
    try:
        made = (
            sum(_write(root / name, text) for name, text in _syncs(chosen)) if there else _made(root, chosen)
        )
    except OSError as exc:
        raise UsageError(f"{exc.filename or root} cannot be written: {exc.strerror}") from exc
    steps = ["terapi validate"] if root.samefile(start) else [f"cd {folder}", "terapi validate"]
    if root.samefile(start) and not there:
        steps.append("terapi emulate")
    done = (
        f"added {made} {'sync' if made == 1 else 'syncs'} to {root.resolve()}"
        if there
        else f"made {root.resolve()} with {made} files"
    )
    click.echo(f"{done}\n\nnext:" + "".join(f"\n  {step}" for step in steps))


def _chosen(names: Sequence[str]) -> list[str]:
    """The syncs of those names.

    Raises:
        UsageError: none that ships is called so.
    """
    known = shipped()
    for name in names:
        if name not in (*known, "all"):
            guess = nearest(name, known)
            hint = f"did you mean `{guess}`?" if guess else f"there are: {', '.join(known)}"
            raise UsageError(f"no sync `{name}` ships with terapi", hint=hint)
    return known if "all" in names else list(dict.fromkeys(names))


def _made(root: Path, syncs: Sequence[str]) -> int:
    """Makes the files that are not there yet; gives how many."""
    (root / "tests").mkdir(parents=True, exist_ok=True)
    made = sum(_write(root / name, content) for name, content in (*_files(), *_syncs(syncs)))
    return made + _ignored(root / ".gitignore")


def _files() -> Iterator[tuple[str, bytes]]:
    sample = sample_folder()
    yield "providers.yaml", (sample / "providers.yaml").read_bytes()
    for folder in ("workflows", "schemas"):
        for path in sorted((sample / folder).iterdir()):
            yield f"{folder}/{path.name}", path.read_bytes()
    schemas = {f"./schemas/{kind}.schema.json": pattern for kind, pattern in _SCHEMAS.items()}
    yield ".vscode/settings.json", json.dumps({"yaml.schemas": schemas}, indent=2).encode() + b"\n"


def _syncs(names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for name in names:
        path = f"syncs/{name}.yaml"
        yield path, (sample_folder() / path).read_bytes()


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
