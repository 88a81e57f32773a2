"""`terapi init`"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from runner.cli.completing import shipped_names
from runner.cli.main import app_of
from runner.definitions.resources import sample_folder, shipped
from runner.definitions.words import nearest
from runner.errors import UsageError

#: what a project begins with
_FIRST = {
    "syncs": ("accounts", "contacts", "opportunities"),
    "workflows": ("account-with-contacts", "create-contact", "onboard-customer"),
}
#: a workflow that another one calls
_CALLED = re.compile(rb"^ +(?:- )?workflow: ([a-z][\w-]*)$", re.MULTILINE)
_SCHEMAS = {
    "providers": "providers.yaml", "sync": "syncs/*.yaml", "workflow": "workflows/*.yaml",
    "test": "tests/**/*.test.yaml",
}  # fmt: skip
_STATE = ".terapi/\n"


@click.command(epilog="Example: terapi init shop && cd shop && terapi validate")
@click.argument("folder", default=".", type=click.Path(path_type=Path))
@click.option(
    "--sync", "syncs", metavar="NAME", multiple=True, shell_complete=shipped_names("syncs"),
    help="Take this one of the syncs that ship with terapi; `all` for every one. May be repeated.",
)  # fmt: skip
@click.option(
    "--workflow", "workflows", metavar="NAME", multiple=True, shell_complete=shipped_names("workflows"),
    help="The same of a workflow, and of those that it calls.",
)  # fmt: skip
@click.pass_context
def command(ctx: click.Context, folder: Path, syncs: tuple[str, ...], workflows: tuple[str, ...]) -> None:
    """Begin a project: definitions, tests, editor settings.

    FOLDER is made where it does not exist; nothing that is there is overwritten. With --sync or --workflow, a
    project that is there already takes them in. Each comes with its test.
    """
    start = app_of(ctx).start
    root = start / folder
    there = (root / "providers.yaml").exists()
    asked = {kind: names for kind, names in {"syncs": syncs, "workflows": workflows}.items() if names}
    if there and not asked:
        hint = "name another folder, or what it shall take in with --sync and --workflow"
        raise UsageError(f"{root} has a providers.yaml already", hint=hint)
    chosen = {kind: _chosen(kind, names) for kind, names in (asked if there else {**_FIRST, **asked}).items()}
    try:
        made = sum(_write(root / name, text) for name, text in _definitions(chosen))
        made += 0 if there else _made(root)
    except OSError as exc:
        raise UsageError(f"{exc.filename or root} cannot be written: {exc.strerror}") from exc
    steps = ["terapi validate"] if root.samefile(start) else [f"cd {folder}", "terapi validate"]
    if root.samefile(start) and not there:
        steps.append("terapi emulate")
    done = f"added {made} files to" if there else "made"
    behind = "" if there else f" with {made} files"
    click.echo(f"{done} {root.resolve()}{behind}\n\nnext:" + "".join(f"\n  {step}" for step in steps))


def _chosen(kind: str, names: Sequence[str]) -> list[str]:
    """The syncs or workflows of those names.

    Raises:
        UsageError: none that ships is called so.
    """
    known = shipped(kind)
    for name in names:
        if name not in (*known, "all"):
            guess = nearest(name, known)
            hint = f"did you mean `{guess}`?" if guess else f"there are: {', '.join(known)}"
            raise UsageError(f"no {kind.removesuffix('s')} `{name}` ships with terapi", hint=hint)
    return known if "all" in names else list(dict.fromkeys(names))


def _made(root: Path) -> int:
    """Makes what every project has and is not there yet; gives how many files."""
    return sum(_write(root / name, content) for name, content in _files()) + _ignored(root / ".gitignore")


def _files() -> Iterator[tuple[str, bytes]]:
    sample = sample_folder()
    yield "providers.yaml", (sample / "providers.yaml").read_bytes()
    for path in sorted((sample / "schemas").iterdir()):
        yield f"schemas/{path.name}", path.read_bytes()
    schemas = {f"./schemas/{kind}.schema.json": pattern for kind, pattern in _SCHEMAS.items()}
    yield ".vscode/settings.json", json.dumps({"yaml.schemas": schemas}, indent=2).encode() + b"\n"


def _definitions(chosen: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, bytes]]:
    """The files of definitions and of their tests."""
    sample = sample_folder()
    for kind, names in chosen.items():
        wanted = list(names)
        for name in wanted:
            content = (sample / kind / f"{name}.yaml").read_bytes()
            yield f"{kind}/{name}.yaml", content
            called = [found.decode() for found in _CALLED.findall(content)]
            wanted += [one for one in called if one not in wanted]
            for test in sorted((sample / "tests" / "samples").glob(f"{name}.test.yaml")):
                yield f"tests/{test.name}", test.read_bytes().replace(b"=../../schemas/", b"=../schemas/", 1)


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
