"""A folder of definitions: what is accepted, and the sentence for each thing that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.definitions.project import Project, find_root
from runner.definitions.resources import sample_folder
from runner.errors import DefinitionsInvalid, UsageError

PROVIDERS = """
shop:
  auth_mode: API_KEY
  base_url: https://api.shop.test
  hosts: [api.shop.test]
  credentials: {apiKey: {title: API key, secret: true}}
  headers: {X-Key: "{{ credentials.apiKey }}"}
  operations:
    list_orders:
      params: {since: {type: string, required: false}, size: {type: integer, default: 50}}
      request: {path: /orders, query: {since: "{{ since }}", size: "{{ size }}"}}
      records: response.body.orders
    get_order:
      params: {id: {type: string}}
      request: {path: "/orders/{{ id }}"}
"""
SYNC = """
version: 1
sync: orders
integrations: [shop]
model: Order
primary_key: id
incremental: {cursor: record.updated_at}
fetch: {use: list_orders, with: {since: "{{ slice.from }}"}}
fields: {id: record.id, total: {from: record.total, type: number}}
"""
WORKFLOW = """
version: 1
workflow: look-up
integrations: [shop]
input: {id: {type: string}}
steps:
  - id: order
    use: get_order
    with: {id: "{{ input.id }}"}
output: {total: steps.order.total}
"""


def project(
    folder: Path, *, providers: str = PROVIDERS, sync: str = SYNC, workflow: str = WORKFLOW
) -> Project:
    for name, text in (
        ("providers.yaml", providers),
        ("syncs/orders.yaml", sync),
        ("workflows/look-up.yaml", workflow),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return Project.load(folder)


def told(found: Project) -> list[str]:
    return [
        f"{p.place}: {p.message}" + (f" — {p.suggestion}" if p.suggestion else "") for p in found.problems
    ]


def test_the_shipped_definitions_are_valid() -> None:
    found = Project.load(sample_folder())
    assert told(found) == []
    assert found.syncs == sorted(path.stem for path in (sample_folder() / "syncs").iterdir())
    assert found.workflows == sorted(path.stem for path in (sample_folder() / "workflows").iterdir())


def test_a_sandbox_is_the_production_org_with_another_login() -> None:
    found = Project.load(sample_folder())
    sandbox = found.provider("salesforce-sandbox")
    assert sandbox.connection_config["login_url"].default == "https://test.salesforce.com"
    assert set(sandbox.operations) == set(found.provider("salesforce").operations)


def test_soql_values_are_quoted() -> None:
    quote = Project.load(sample_folder()).provider("salesforce").language.functions["soql_value"]
    assert quote("O'Neil \\ Sons\n") == r"'O\'Neil \\ Sons\n'"
    assert quote(["a", 1, True, None]) == "('a', 1, true, null)"


def test_a_valid_project_has_no_problems(tmp_path: Path) -> None:
    assert told(project(tmp_path)) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("use: list_orders", "use: list_order", "syncs/orders.yaml:8:14: there is no operation `list_order` — did you mean `list_orders`?"),
        ("with: {since:", "with: {sincee:", "syncs/orders.yaml:8:34: `list_orders` takes no `sincee` — did you mean `since`?"),
        ("[shop]", "[shopp]", "syncs/orders.yaml:4:16: there is no integration `shopp` — did you mean `shop`?"),
        ("primary_key: id", "primary_key: key", "syncs/orders.yaml:6:14: there is no field `key` — there are: id, total"),
        ("record.updated_at", "recrod.updated_at", "syncs/orders.yaml:7:23: `recrod` is not known here — did you mean `record`?"),
        ("slice.from", "slice.form", "syncs/orders.yaml:8:51: `slice` has no `form` — did you mean `from`?"),
        ("type: number", "type: numbr", "syncs/orders.yaml:9:59: `type` cannot be the text 'numbr'; it can be `text`, `number`, `integer`, `boolean`, `timestamp` — did you mean `number`?"),
        ("version: 1", "version: 2", "syncs/orders.yaml:2:10: `version` cannot be 2; it can be `1`"),
        ("model: Order", "model: order", "syncs/orders.yaml:5:8: `model` cannot be the text 'order' — expected a capital letter first, then letters, digits, `_` and `-`"),
        ("fields:", "feilds:", "syncs/orders.yaml:9:1: unknown key `feilds` — did you mean `fields`?"),
        ("version: 1\n", "", "syncs/orders.yaml:2:1: `version` is missing — add `version: …`"),
        ("{id: record.id,", "{id: '{{ record.id }}',", "syncs/orders.yaml:9:15: this is always an expression; write it bare — write: record.id"),
        ("since: \"{{ slice.from }}\"", "size: many", "syncs/orders.yaml:8:40: `size` must be a whole number, found the text 'many'"),
        ("model: Order", "model: Order\ndeletes: {missing: true}", "syncs/orders.yaml:6:11: `missing` needs full reads, and this sync is incremental — remove `incremental`, or use `when` or `use`"),
        ("model: Order", "model: Order\ndeletes: {when: record.gone, missing: true}", "syncs/orders.yaml:6:30: `missing` needs full reads, and this sync is incremental — remove `incremental`, or use `when` or `use`"),
        ("model: Order", "model: Order\ndeletes: {when: record.gone, use: list_orders, id: record.id}", "syncs/orders.yaml:6:30: this takes at most one of `when`, `use`; found `when` and `use` — remove one"),
        ("cursor: record.updated_at}", "cursor: record.n, start: soon}", "syncs/orders.yaml:7:40: the text 'soon' is no time; expected one such as `2026-07-24T14:05:58Z`"),
    ],
)  # fmt: skip
def test_a_sync_that_is_wrong(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in SYNC
    assert expected in told(project(tmp_path, sync=SYNC.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("use: get_order", "use: got_order", "workflows/look-up.yaml:8:10: there is no operation `got_order` — did you mean `get_order`?"),
        ("    with: {id: \"{{ input.id }}\"}\n", "", "workflows/look-up.yaml:8:5: `get_order` needs `id` — add it below `with`"),
        ("input.id }}", "input.di }}", "workflows/look-up.yaml:9:26: `input` has no `di` — did you mean `id`?"),
        ("steps.order.total", "steps.odrer.total", "workflows/look-up.yaml:10:23: `steps` has no `odrer` — did you mean `order`?"),
        ("use: get_order", "use: get_order\n    fail: no", "workflows/look-up.yaml:9:5: this takes exactly one of `use`, `request`, `workflow`, `sync`, `records`, `steps`, `parallel`, `switch`, `wait`, `approve`, `set`, `return`, `fail`; found `use` and `fail` — remove one"),
        ("  - id: order", "  - id: order\n    set: {a: 1}\n  - id: order", "workflows/look-up.yaml:9:9: another step is called `order` already — give it another id"),
        ("  - id: order", "  - set: {a: \"{{ steps.order.id }}\"}\n  - id: order", "workflows/look-up.yaml:7:24: `steps` has no `order`; there are none"),
    ],
)  # fmt: skip
def test_a_workflow_that_is_wrong(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in WORKFLOW
    assert expected in told(project(tmp_path, workflow=WORKFLOW.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("shop:\n", "box: {alias: shpo}\nshop:\n", "providers.yaml:2:14: there is no provider `shpo` — did you mean `shop`?"),
        ("shop:\n", "box: {alias: box}\nshop:\n", "providers.yaml:2:14: `box` is an alias of itself — name another entry"),
        ("  hosts: [api.shop.test]\n", "", "providers.yaml:3:3: the provider `shop` has no `hosts` — add `hosts: …`"),
        ("auth_mode: API_KEY", "auth_mode: OAUTH2", "providers.yaml:3:14: OAUTH2 needs `token_url` — add `token_url: …`"),
        ("credentials.apiKey", "credentials.apikey", "providers.yaml:7:36: `credentials` has no `apikey` — did you mean `apiKey`?"),
        ("path: /orders,", "path: /orders, url: x,", "providers.yaml:11:32: this takes exactly one of `path`, `url`; found `path` and `url` — remove one"),
        ("params: {id:", "params: {page:", "providers.yaml:14:16: a parameter cannot be called `page` — the name has a meaning of its own"),
    ],
)  # fmt: skip
def test_a_provider_that_is_wrong(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in PROVIDERS
    assert expected in told(project(tmp_path, providers=PROVIDERS.replace(old, new, 1)))


MISSING = SYNC.replace("incremental: {cursor: record.updated_at}\n", "").replace(
    ', with: {since: "{{ slice.from }}"}', ""
)


def test_two_syncs_that_delete_what_they_miss_need_two_models(tmp_path: Path) -> None:
    """Each would delete the other's records; one beside an incremental sync of the same model is fine."""
    (tmp_path / "syncs").mkdir()
    for name, model in (("all-orders", "Order"), ("all-items", "Item")):
        text = MISSING.replace("sync: orders", f"sync: {name}").replace("model: Order", f"model: {model}")
        (tmp_path / f"syncs/{name}.yaml").write_text(text + "deletes: {missing: true}\n")
    assert told(project(tmp_path)) == []
    assert told(project(tmp_path, sync=MISSING + "deletes: {missing: true}\n")) == [
        "syncs/orders.yaml:9:11: `all-orders` deletes what it does not see of `Order` already"
        " — leave `missing` to one of them, or give them two models"
    ]


@pytest.mark.parametrize(
    ("model", "matrix", "expected"),
    [
        ("Order", "{region: [eu, us]}", ["Order"]),
        ('"{{ matrix.kind }}"', "{kind: [Sale, Gift], region: [eu, us]}", ["Sale", "Gift"]),
        ('"{{ matrix.kind }}"', "{kind: params.kinds}\nparams: {kinds: {type: array}}", []),
        ('"{{ variant | title }}"', "{variant: [eu, us]}", []),
    ],
)
def test_what_models_a_matrix_has_is_known_where_its_file_says_it(
    tmp_path: Path, model: str, matrix: str, expected: list[str]
) -> None:
    text = MISSING.replace("model: Order", f"model: {model}") + f"matrix: {matrix}\n"
    found = project(tmp_path, sync=text)
    assert (told(found), found.sync("orders").models) == ([], expected)


def test_a_matrix_shares_no_model_with_another_that_deletes_what_it_misses(tmp_path: Path) -> None:
    (tmp_path / "syncs").mkdir()
    text = MISSING.replace("sync: orders", "sync: gifts").replace("model: Order", "model: Gift")
    (tmp_path / "syncs/gifts.yaml").write_text(text + "deletes: {missing: true}\n")
    many = MISSING.replace("model: Order", 'model: "{{ matrix.kind }}"') + "matrix: {kind: [Sale, Gift]}\n"
    assert told(project(tmp_path, sync=many + "deletes: {missing: true}\n")) == [
        "syncs/orders.yaml:10:11: `gifts` deletes what it does not see of `Gift` already"
        " — leave `missing` to one of them, or give them two models"
    ]


def test_a_sync_knows_the_params_of_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "syncs").mkdir()
    other = SYNC.replace("sync: orders", "sync: other") + "params: {depth: {type: integer, default: 1}}\n"
    (tmp_path / "syncs/other.yaml").write_text(other)
    found = project(tmp_path, sync=SYNC + "params: {size: {type: integer, default: 1}}\n")
    assert found.sync("orders").known_params == {"depth", "size"}


def test_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    found = project(tmp_path, sync=SYNC.replace("model", "modle"), workflow="- a list\n")
    files = {problem.place.file for problem in found.problems}
    assert files == {"syncs/orders.yaml", "workflows/look-up.yaml"}
    with pytest.raises(DefinitionsInvalid):
        found.checked()


def test_a_name_that_is_not_there_is_told_with_what_is(tmp_path: Path) -> None:
    found = project(tmp_path)
    with pytest.raises(UsageError) as caught:
        found.sync("ordres")
    assert (caught.value.message, caught.value.hint) == (
        "there is no sync `ordres`",
        "did you mean `orders`?",
    )


def test_the_project_is_found_from_below(tmp_path: Path) -> None:
    project(tmp_path)
    assert find_root(tmp_path / "syncs") == tmp_path
    with pytest.raises(UsageError, match=r"no providers\.yaml in"):
        find_root(Path("/"))
