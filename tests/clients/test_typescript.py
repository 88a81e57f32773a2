"""The TypeScript of `terapi types`, read by its compiler."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.definitions.resources import sample_folder
from runner.definitions.shapes import typescript
from tests.clients.environments import npm
from tests.definitions.test_shapes import SHAPES, models

SCRIPT = Path(__file__).parent / "scripts/with_typescript.mjs"
USES = """
import type { Customer, Leftover, OddName, Order } from "./odd";
import type { Contact, SoqlRecord } from "./shipped";

export function use(contact: Contact, order: Order, customer: Customer, odd: OddName, row: SoqlRecord): string {
  const name: string | null | undefined = contact.name;
  const city: string | null | undefined = contact.mailing_address?.city;
  const source: "shop" = order.source;
  const sizes = (order.lines ?? []).map((line) => line.sku?.length);
  const other: Leftover = { id: 1, anything: [1] };
  const which: string | number = "number" in customer ? customer.number : customer.id;
  // @ts-expect-error what has no type is any JSON
  const amount: number = order.whatever;
  // @ts-expect-error there is no such field
  order.colour;
  return [name, city, source, sizes, other, which, amount, odd["the id"], row.Id, row.Name].join();
}

export const made: Contact = { id: "003" };
// @ts-expect-error a record has its primary key
export const wrong: Contact = { name: "nobody" };
"""


@pytest.mark.slow
def test_the_compiler_reads_the_types(tmp_path: Path) -> None:
    environment = npm("typescript@5.9.3")
    (tmp_path / "odd.ts").write_text(typescript(models(SHAPES / "project")))
    (tmp_path / "shipped.ts").write_text(typescript(models(sample_folder())))
    (tmp_path / "uses.ts").write_text(USES)
    assert environment.run(SCRIPT, str(tmp_path / "uses.ts")) == ""
