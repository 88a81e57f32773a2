"""SQL over the models: what a view shows, and that nothing else can be read or written."""

from __future__ import annotations

import json
import signal

import pytest

from runner.errors import StoreDamaged, UsageError
from runner.store import Store


def put(store: Store, model: str, *records: dict[str, object], connection: str = "demo") -> None:
    rows = [(str(record["id"]), json.dumps(record).encode()) for record in records]
    store.records.stream("shop", connection, model).write(rows, 1.0)


@pytest.fixture
def orders(store: Store) -> Store:
    put(store, "Order", {"id": "1", "total": 5, "name": "it's"}, {"id": "2", "total": 7.5, "paid": True})
    put(store, "Order", {"id": "1", "total": None, "lines": [{"n": 1}]}, connection="other")
    store.records.stream("shop", "demo", "Order").delete(["2"], 3.0)
    return store


def test_a_model_is_a_table_with_a_column_for_each_key(orders: Store) -> None:
    table = orders.sql('SELECT * FROM "Order" ORDER BY cursor')
    own = ("integration", "connection", "id", "cursor", "_state", "deleted_at", "_variant")
    assert table.columns[:7] == own
    assert set(table.columns[7:]) == {"total", "name", "paid", "lines"}
    assert orders.sql('SELECT connection, id, _state, deleted_at, total, paid FROM "Order"').rows == [
        ("demo", "1", "added", None, 5, None),
        ("demo", "2", "deleted", 3.0, 7.5, 1),
        ("other", "1", "added", None, None, None),
    ]
    assert orders.sql('SELECT lines FROM "Order" WHERE lines IS NOT NULL').rows == [('[{"n":1}]',)]


def test_variants_are_told_apart(orders: Store) -> None:
    orders.records.stream("shop", "demo", "Order", "eu").write([("1", b'{"id":"1","variant":"gift"}')], 1.0)
    query = "SELECT _variant, variant FROM \"Order\" WHERE id = '1' AND connection = 'demo' ORDER BY 1"
    assert orders.sql(query).rows == [("base", None), ("eu", "gift")]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ('SELECT count(*) FROM "order"', [(3,)]),
        ('SELECT o.total, c.name FROM "Order" o JOIN Customer c ON c.name = o.name', [(5, "it's")]),
        ('WITH paid AS (SELECT * FROM "Order" WHERE paid) SELECT id FROM paid', [("2",)]),
        ("SELECT value ->> 'n' FROM \"Order\", json_each(lines)", [(1,)]),
        ("SELECT 1 + 1", [(2,)]),
    ],
)
def test_queries_of_every_kind_are_answered(
    orders: Store, query: str, rows: list[tuple[object, ...]]
) -> None:
    put(orders, "Customer", {"id": "c", "name": "it's"})
    assert orders.sql(query).rows == rows


def test_keys_that_are_columns_of_ours_or_differ_in_case_only_get_names_of_their_own(store: Store) -> None:
    put(
        store,
        "Odd",
        {"id": "1", "cursor": "c", "Name": "a", "name": "b", "a.b": 1, 'q"': 2, "Id": 3, "x'y": 4},
    )
    table = store.sql("SELECT * FROM Odd")
    assert table.columns[7:] == ("cursor_", "Name", "name_", "a.b", "x'y")
    assert table.rows[0][7:] == ("c", "a", "b", 1, 4)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ('DELETE FROM "Order"', "the query cannot be answered: cannot modify Order because it is a view"),
        ("DELETE FROM records", "a query reads, and reads the models alone"),
        ("SELECT * FROM connections", "a query reads, and reads the models alone"),
        ("SELECT sealed FROM connections", "a query reads, and reads the models alone"),
        ("SELECT * FROM sqlite_master", "a query reads, and reads the models alone"),
        ('SELECT (SELECT name FROM settings) FROM "Order"', "a query reads, and reads the models alone"),
        ("SELECT * FROM pragma_table_info('records')", "a query reads, and reads the models alone"),
        ("PRAGMA query_only = OFF", "a query reads, and reads the models alone"),
        ("ATTACH 'x.db' AS x", "a query reads, and reads the models alone"),
        ("VACUUM INTO 'x.db'", "a query reads, and reads the models alone"),
        ("CREATE TABLE x (y)", "a query reads, and reads the models alone"),
        ("BEGIN", "a query reads, and reads the models alone"),
        ("SELECT load_extension('x')", "a query reads, and reads the models alone"),
        ("SELECT * FROM Ordre", "the query cannot be answered: no such table: Ordre"),
        ("SELEC", 'the query cannot be answered: near "SELEC": syntax error'),
        ('SELECT nme FROM "Order"', "the query cannot be answered: no such column: nme"),
        ("SELECT 1; SELECT 2", "the query cannot be answered: You can only execute one statement at a time."),
        ("SELECT ?", "the query cannot be answered: Incorrect number of bindings supplied. The current "
                     "statement uses 1, and there are 0 supplied."),
        ("", "the query is empty"),
        ("-- nothing", "the query is empty"),
    ],
)  # fmt: skip
def test_what_is_no_question_to_the_models_is_refused(orders: Store, query: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        orders.sql(query)
    assert caught.value.message == said
    assert caught.value.hint == "the models are: Order"


def test_nothing_synced_is_told(store: Store) -> None:
    with pytest.raises(UsageError) as caught:
        store.sql("SELECT * FROM Order_")
    assert caught.value.hint == "nothing was synced yet"


def test_damage_is_told_as_everywhere(orders: Store) -> None:
    path = orders.database.path
    orders.close()
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreDamaged):
        orders.sql('SELECT * FROM "Order"')


def test_an_endless_query_can_be_interrupted(store: Store) -> None:
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            store.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
    finally:
        signal.signal(signal.SIGALRM, before)
