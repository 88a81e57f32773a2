"""What `terapi types` says of a project's models, held against what stands in shapes/."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest

from runner.definitions.project import Project
from runner.definitions.resources import sample_folder
from runner.definitions.shapes import Model, json_schema, models_of, python, typescript

SHAPES = Path(__file__).parent / "shapes"


def models(folder: Path) -> list[Model]:
    project = Project.load(folder).checked()
    return list(models_of(project.sync(name) for name in project.syncs).values())


ODD = models(SHAPES / "project")
WRITTEN = {
    "typescript": typescript(ODD), "python": python(ODD),
    "json-schema": json.dumps(json_schema(ODD), indent=2, ensure_ascii=False) + "\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", WRITTEN)
def test_each_format_says_what_stands_there(kind: str) -> None:
    """Mend with: terapi -C tests/definitions/shapes/project types --format KIND > …/shapes/expected.KIND"""
    assert WRITTEN[kind] == (SHAPES / f"expected.{kind}").read_text()


STORED = {
    "id": "1", "source": "shop", "weights": [1.5, {"unit": "kg"}], "rank": 3, "gift": True, "nothing": None,
    "share": 0.5, "limits": {"most": 3}, "marked": {"by": "shop"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ({}, True),
        ({"total": None, "customer": {"address": {"city": "Bonn"}}, "lines": [{"parts": None}]}, True),
        ({"whatever": [1]}, True),
        ({"total": "much"}, False),
        ({"id": 1}, False),
        ({"source": "crm"}, False),
        ({"other": 1}, False),
        ({"lines": [{"sku": 7}]}, False),
    ],
)
def test_the_json_schema_holds_for_what_is_stored_and_for_nothing_else(
    more: dict[str, object], fits: bool
) -> None:
    order = next(model for model in ODD if model.name == "Order")
    assert jsonschema_rs.is_valid(json_schema([order]), {**STORED, **more}) is fits


USES = """
from odd import Customer, Kept, Leftover, OddName, Order
from shipped import Contact, SoqlRecord


def use(contact: Contact, order: Order, customer: Customer, odd: OddName, kept: Kept, row: SoqlRecord) -> str:
    name: str | None = contact.get("name")
    city: str | None = contact.get("mailing_address", {}).get("city")
    employees: int = order["rank"]
    sizes: list[str | None] = [line.get("sku") for line in order.get("lines") or []]
    amount: int = kept["total"]  # type: ignore[assignment]
    lost = order["colour"]  # type: ignore[typeddict-item]
    other: Leftover = {"id": 1, "anything": [1]}
    return f"{name}{city}{employees}{sizes}{amount}{lost}{other}{odd['the id']}{customer['name']}{row['Id']}"


made: Contact = {"id": "003"}
wrong: Contact = {"name": "nobody"}  # type: ignore[typeddict-item]
"""


@pytest.mark.slow
def test_a_type_checker_reads_the_python(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(WRITTEN["python"])
    (tmp_path / "shipped.py").write_text(python(models(sample_folder())))
    (tmp_path / "uses.py").write_text(USES)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=cache", "uses.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.returncode) == ("Success: no issues found in 1 source file\n", 0)


def test_python_itself_reads_the_python() -> None:
    exec(compile(WRITTEN["python"], "odd", "exec"), {})
    exec(compile(python(models(sample_folder())), "shipped", "exec"), {})
