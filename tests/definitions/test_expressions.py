"""The expression language: what it gives, what it refuses at load time, what it refuses on a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.definitions import yaml
from runner.definitions.expressions import Expression, Language, Names, Text
from runner.definitions.values import is_absent
from runner.errors import ExpressionError

NAMES: Names = {"record": None, "xs": None, "config": {"login_url": None, "api_version": None}}
SCOPE = {
    "record": {"Id": 1, "items": 5, "Account": None, "Name": "x", "Empty": None, "Owner": {"Name": "Ada"}},
    "xs": [{"Id": "a"}, {"Id": "b"}, {"Id": "a"}],
    "config": {"api_version": "62.0"},
}


def expression(text: str) -> Expression:
    found, findings = Language().expression(yaml.blank(text), NAMES)
    assert found is not None, findings
    return found


def template(text: str) -> object:
    found, findings = Language().template(yaml.blank(text), NAMES)
    assert found is not None, findings
    return found if isinstance(found, str) else found.evaluate(SCOPE)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("record.Id", 1),
        ("record['Id']", 1),
        ("record.items", 5),
        ("record.Account.Name", None),
        ("record.Owner.Name", "Ada"),
        ("record.Name ~ '!'", "x!"),
        ("record.Name.upper()", "X"),
        ("join(' ', record.Name, record.Empty, record.Missing, 'y')", "x y"),
        ("xs | pluck('Id')", ["a", "b", "a"]),
        ("xs | pluck('Id') | unique", ["a", "b"]),
        ("xs | pluck('Id') | join(', ')", "a, b, a"),
        ("xs | chunk(2) | length", 2),
        ("xs | length > 2 and record.Id in [1, 2]", True),
        ("record.Missing is none", True),
        ("record.Missing is defined", False),
        ("record.Empty is defined", True),
        ("record.Empty is present", False),
        ("record.Missing | default('d')", "d"),
        ("record.Empty | default('d')", "d"),
        ("record.Empty == none", True),
        ("record.Missing == 1", False),
        ("number('1.5') + integer('2')", 3.5),
        ("boolean('true')", True),
        ("timestamp('2026-07-24T14:05:58.000+0200')", "2026-07-24T12:05:58.000Z"),
        ("duration('1h30m')", 5400.0),
        ("from_json('[1]')", [1]),
        ("{'a': record.Id} | json", '{"a":1}'),
        ("record | without('items', 'Account', 'Owner')", {"Id": 1, "Name": "x", "Empty": None}),
        ("{'FirstName': 1} | snake_case_keys", {"first_name": 1}),
        ("'a b' | urlencode", "a%20b"),
        ("'x' | base64", "eA=="),
        ("'x' | sha256", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"),
        ("xs[5].Id | default('none')", "none"),
        ("xs[0].Id", "a"),
    ],
)
def test_gives(text: str, value: object) -> None:
    assert expression(text).evaluate(SCOPE) == value


def test_a_missing_key_is_absent_and_not_null() -> None:
    assert is_absent(expression("record.Missing").evaluate(SCOPE))
    assert is_absent(expression("record.Missing.Deeper").evaluate(SCOPE))
    assert expression("record.Empty").evaluate(SCOPE) is None


@pytest.mark.parametrize(
    ("text", "message", "suggestion"),
    [
        ("recrod.Id", "`recrod` is not known here", "did you mean `record`?"),
        ("config.loginurl", "`config` has no `loginurl`", "did you mean `login_url`?"),
        ("lipsum()", "there is no function `lipsum`", None),
        ("xs | plucked('Id')", "there is no filter `plucked`", "did you mean `pluck`?"),
        ("xs is defned", "there is no test `defned`", "did you mean `defined`?"),
        ("record.Name.format(1)", "`.format()` cannot be called", None),
        ("record.__class__", "`.__class__`: a name that begins with `_` is written ['…']", None),
        ("now", "`now` is a function; call it with `(…)`", None),
        ("{{ record.Id }}", "this is always an expression; write it bare", "write: record.Id"),
        (
            "record.Id ==",
            "the expression cannot be read: it ends too early",
            None,
        ),
    ],
)
def test_refuses_at_load_time(text: str, message: str, suggestion: str | None) -> None:
    found, findings = Language().expression(yaml.blank(text), NAMES)
    assert found is None
    assert (findings[0].message, findings[0].suggestion) == (message, suggestion)


def test_a_finding_knows_where_the_name_stands() -> None:
    _, findings = Language().expression(yaml.blank("record.Id + recrod.Id"), NAMES)
    assert findings[0].offset == 12


@pytest.mark.parametrize(
    "text",
    [
        "{% include 'x' %}",
        "{% macro f() %}{% endmacro %}",
        "{% import 'x' as y %}",
        "{% block b %}{% endblock %}",
    ],
)
def test_only_if_for_and_set_are_statements(text: str) -> None:
    found, findings = Language().template(yaml.blank(text), NAMES)
    assert found is None
    assert "is not offered; there are if, for and set" in findings[0].message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("record.Name ~ record.Empty", "a part of `~` is null"),
        ("record.Missing + 1", "`Missing` is absent"),
        ("number('abc')", "the text 'abc' is no number"),
        ("boolean('yes')", "the text 'yes' is neither true nor false"),
        ("integer('1.5')", "the text '1.5' is no whole number"),
        ("timestamp('soon')", "the text 'soon' is no time"),
        ("1 / 0", "a division by zero"),
        ("'a' * 10**9", "`*` would build something larger"),
        ("[1] * 10**9", "`*` would build something larger"),
        ("10 ** 10 ** 300", "a number of more than"),
        ("'%9999999999d' % 1", "`%` works on numbers"),
        ("range(10**9) | list", "`range` gives at most"),
        ("('a' * 1000000).replace('a', 'b')", None),
    ],
)
def test_refuses_a_value_it_cannot_use(text: str, said: str | None) -> None:
    found, findings = Language().expression(yaml.blank(text), NAMES)
    if said is None:
        assert findings
        return
    assert found is not None
    with pytest.raises(ExpressionError) as caught:
        found.evaluate(SCOPE)
    assert said in caught.value.message
    assert caught.value.where is not None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("a {{ record.Id }} b", "a 1 b"),
        ("{{ record.Id }}", 1),
        ("{{ xs }}", SCOPE["xs"]),
        ("{{ '007' }}", "007"),
        ("{{ record.Empty }}", None),
        ("{% for x in xs %}{{ x.Id }}{% if not loop.last %},{% endif %}{% endfor %}", "a,b,a"),
        ("{% if record.Missing %}yes{% else %}no{% endif %}", "no"),
        ("{% set n = record.Name %}{{ n }}{{ n }}", "xx"),
    ],
)
def test_template_gives(text: str, value: object) -> None:
    assert template(text) == value


def test_a_part_that_is_null_or_absent_cannot_stand_in_text() -> None:
    found, _ = Language().template(yaml.blank("x = {{ record.Id }}, y = {{ record.Empty }}"), NAMES)
    assert isinstance(found, Text)
    with pytest.raises(ExpressionError) as caught:
        found.evaluate(SCOPE)
    assert caught.value.message == "`record.Empty` is null and stands inside a text"


def test_loops_cannot_run_for_ever() -> None:
    nested = "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}"
    found, _ = Language().template(yaml.blank(nested), NAMES)
    assert isinstance(found, Text)
    with pytest.raises(ExpressionError, match="it takes more than 5,000,000 steps"):
        found.evaluate(SCOPE)


def test_doubling_text_line_by_line_is_bounded() -> None:
    bomb = "{% set a = 'x' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}"
    found, _ = Language().template(yaml.blank(bomb), NAMES)
    assert isinstance(found, Text)
    with pytest.raises(ExpressionError, match="longer than 1,000,000 characters"):
        found.evaluate(SCOPE)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (Language().expression, Language().template):
        found, findings = read(yaml.blank(text), NAMES)
        assert (found is None) == bool(findings)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda s: st.lists(s) | st.dictionaries(st.text(), s),
    )
)
def test_exactly_one_expression_keeps_the_value(value: object) -> None:
    found, _ = Language().template(yaml.blank("{{ record }}"), NAMES)
    assert isinstance(found, Expression)
    assert found.evaluate({"record": value}) == value


@pytest.mark.parametrize(
    ("text", "scope", "value"),
    [
        ("{{ link | default('none') }}", {}, "none"),
        ("{{ link | default('none') }}", {"link": "/a"}, "/a"),
        ("{{ link('</b>; rel=next') }}", {"link": "/a"}, "/b"),
        ("{{ number(number) + 1 }}", {"number": "1"}, 2),
        ("{% if uuid %}{{ uuid }}{% else %}none{% endif %}", {}, "none"),
    ],
)
def test_a_value_may_be_called_as_a_function_is(text: str, scope: dict[str, object], value: object) -> None:
    names = dict.fromkeys(("link", "number", "uuid"))
    found, findings = Language().template(yaml.blank(text), names)
    assert found is not None, findings
    assert not isinstance(found, str)
    assert found.evaluate(scope) == value
