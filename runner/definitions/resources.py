"""Where the definitions that ship with terapi stand: in a wheel beside the code, in a checkout at its top."""

from __future__ import annotations

from pathlib import Path


def sample_folder() -> Path:
    """The folder that holds `providers.yaml`, `syncs/`, `workflows/`, `tests/samples/` and `schemas/`."""
    package = Path(__file__).resolve().parent.parent
    packed = package / "_sample"
    return packed if packed.is_dir() else package.parent


def shipped(kind: str) -> list[str]:
    """The names of the `syncs` or `workflows` that ship with terapi, sorted."""
    return sorted(path.stem for path in (sample_folder() / kind).glob("*.yaml"))


def schemas_folder() -> Path:
    return sample_folder() / "schemas"
