"""YAML written by us is read as the same again, and looks as a person would write it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.definitions import yaml
from runner.definitions.yaml.writing import write

ODD = [
    "no", "true", "null", "~", "", "1e5", "0x1f", "0o7", "01", "+1", ".5", "- a", "-", "---", "...", "a: b",
    "a:", "a #b", "#", "{{ x }}", "[x", "%x", "@x", "?", "<<", "=", "é b, c", "a\nb\n", "a\n\n", "a\n  b",
    " a\nb", "a\r\nb", "a\u2028b", "a\u0085b", "\x07", "\ufeff", "😀", "a\tb\nc",
]  # fmt: skip
texts = st.text(max_size=30) | st.sampled_from(ODD)
scalars = (
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | texts
    | st.floats(allow_nan=False, allow_infinity=False)
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=500)
@given(st.dictionaries(texts, values, max_size=4))
def test_what_is_written_is_read_as_the_same(value: dict[str, object]) -> None:
    node, problems = yaml.read(write(value).encode(), "f.yaml")
    assert node is not None, problems
    assert node.data == value


def test_it_looks_as_a_person_would_write_it() -> None:
    records = [{"id": "1", "name": "Ada, née Byron", "note": "one\ntwo\n", "more": {"at": None}}]
    written = write({"query": {"q": "SELECT Id FROM Contact", "n": 5}, "records": records, "none": []})
    assert written == (
        "query: {q: SELECT Id FROM Contact, n: 5}\n"
        "records:\n"
        '  - id: "1"\n'
        "    name: Ada, née Byron\n"
        "    note: |\n"
        "      one\n"
        "      two\n"
        "    more: {at: null}\n"
        "none: []\n"
    )
