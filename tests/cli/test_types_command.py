"""`terapi types`: which models, in what, and where to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.terapi import Terapi

SHAPES = Path(__file__).parents[1] / "definitions/shapes"


@pytest.fixture
def shapes() -> Terapi:
    return Terapi(SHAPES / "project")


def test_every_model_in_typescript_unless_told_otherwise(shapes: Terapi) -> None:
    assert shapes("types") == (SHAPES / "expected.typescript").read_text()
    assert shapes("types", "--format", "python") == (SHAPES / "expected.python").read_text()
    assert shapes("types", "--json") == (SHAPES / "expected.json-schema").read_text()


def test_some_models_into_a_file(shapes: Terapi, tmp_path: Path) -> None:
    assert shapes("types", "Order", "Kept", "--json", "-o", str(tmp_path / "made.json")) == ""
    assert list(json.loads((tmp_path / "made.json").read_text())["$defs"]) == ["Kept", "Order"]
    assert json.loads(shapes("types", "Kept", "--json"))["title"] == "Kept"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["Oder"], "error: no sync stores `Oder`\n  next: did you mean `Order`?"),
        (
            ["Xyz"],
            "error: no sync stores `Xyz`\n  next: there are: Customer, Kept, Leftover, Odd-name, Order",
        ),
        (
            ["--json", "--format", "python"],
            "error: --json and --format python say different things\n  next: leave one of them out",
        ),
        (["-o", "no/such/folder/made.ts"], "made.ts cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_told(shapes: Terapi, given: list[str], told: str) -> None:
    shapes("types", *given, code=2)
    assert told in shapes.err


def test_a_project_without_syncs_is_told_how_to_write_one(terapi: Terapi) -> None:
    for path in (terapi.folder / "syncs").iterdir():
        path.unlink()
    terapi("types", code=2)
    assert (
        "error: no sync stores anything yet\n  next: write one in syncs/: terapi explain sync" in terapi.err
    )


def test_models_that_are_known_at_run_time_alone_are_told_so(terapi: Terapi) -> None:
    path = terapi.folder / "syncs/orders.yaml"
    text = path.read_text().replace("model: Order", 'model: "{{ matrix.kind }}"')
    path.write_text(f"{text}matrix: {{kind: params.kinds}}\nparams: {{kinds: {{type: array}}}}\n")
    terapi("types", code=2)
    assert "error: no file says a model: those of orders are known when it runs\n" in terapi.err
    path.write_text(path.read_text().replace("params.kinds", "[Bill, Note]"))
    assert "export interface Bill {" in terapi("types", "Bill")
