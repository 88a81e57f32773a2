"""No expression hangs or exhausts the process, whatever stands in it and whatever it meets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.definitions import yaml
from runner.definitions.expressions import Language, Names, Own
from runner.definitions.expressions.offered import FILTERS, FUNCTIONS, KEPT_FILTERS, TESTS, TEXT_METHODS
from runner.definitions.values import is_absent
from runner.errors import ExpressionError

NAMES: Names = {"record": None, "xs": None, "text": None}
SCOPE = {
    "record": {"Id": 1, "Name": "Ada", "Empty": None, "List": [3, 1, 2], "Deep": {"a": [{"b": None}]}},
    "xs": [{"Id": number, "Name": f"n{number}"} for number in range(2000)],
    "text": "x" * 900_000,
}
STEPS = "it takes more than 5,000,000 steps"
LONG = "a text longer than 1,000,000 characters"
#: lists within lists, each the same one twice: small to keep, endless to go through
DOUBLED = "{% set a = [1, 1] %}" + "{% set a = [a, a] %}" * 60


def language() -> Language:
    found = Language()
    functions = {
        "twice": "[x, x]",
        "halves": "halves(x - 1) ~ halves(x - 1) if x > 0 else ''",
        "again": "again(x)",
    }
    for name in functions:
        found.add(name, Own(("x",), None))
    for name, returns in functions.items():
        compiled, findings = found.expression(yaml.blank(returns), {"x": None})
        assert findings == []
        found.add(name, Own(("x",), compiled))
    return found


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("'a' * 10**9", "`*` would build something larger than 1,000,000"),
        ("[1] * 10**9", "`*` would build something larger than 1,000,000"),
        ("10 ** 10 ** 300", "a number of more than 4,096 bits"),
        ("(-1) ** 1.5", "`**` gives no number here"),
        ("(2 ** 4000) * (2 ** 4000)", "a number of more than 4,096 bits"),
        ("'%9999999999d' % 1", "`%` works on numbers; put texts together with `~` or in a template"),
        ("range(10 ** 9)", "`range` gives at most 1,000,000 numbers"),
        ("[range(900000), range(900000), range(900000)]", STEPS),
        ("5 | round(-10 ** 9)", "`round` knows up to 300 places"),
        ("1.5 | round(10 ** 9)", "`round` knows up to 300 places"),
        ("text ~ text", LONG),
        ("join('', text, text)", LONG),
        ("xs | map('default', text) | join", STEPS),
        ("([text] * 500000) | join", LONG),
        ("text | urlencode | urlencode", None),
        ("text | replace('x', text)", LONG),
        ("text | replace('x', '<<<')", LONG),
        ("text | escape | replace('x', '&') | escape", LONG),
        ("text | base64", LONG),
        ("[text, text] | json", LONG),
        ("text.strip('y' * 100000 ~ 'x')", STEPS),
        ("text | trim('y' * 900000 ~ 'x')", STEPS),
        ("xs | sort(attribute='a.' * 20000)", STEPS),
        ("xs | pluck('a.' * 20000)", "a path has at most 50 names"),
        ("xs | sum('a.' * 20000)", "a path has at most 50 names"),
        ("range(300000) | map('string') | map('upper') | map('lower')", STEPS),
        ("range(300000) | select('in', range(300000))", STEPS),
        ("xs | map('merge', {'a': range(100000)}) | json", STEPS),
        ("'[' * 100000 | from_json", None),
        ("number('9' * 100000)", "is no number"),
        ("number('1e999')", "is no number"),
        ("twice(twice(twice(xs))) | length", None),
        ("twice(" * 20 + "xs" + ")" * 20, STEPS),
        ("halves(60)", STEPS),
        ("again(1)", "it calls itself too deeply"),
        ("{% for a in range(1000) %}{% for b in range(1000) %}{{ b }}{% endfor %}{% endfor %}", STEPS),
        ("{% for a in range(200000) %}" + "{% if a %}{% endif %}" * 50 + "{% endfor %}", STEPS),
        ("{% for a in xs %}{{ text }}{% endfor %}", LONG),
        ("{% set a = 'x' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}", LONG),
        (DOUBLED + "{{ a | json }}", STEPS),
        (DOUBLED + "{{ a }}!", STEPS),
        (DOUBLED + "{{ a | unique }}!", STEPS),
        (DOUBLED + "{% set b = [1, 1] %}" + "{% set b = [b, b] %}" * 60 + "{{ a == b }}!", STEPS),
        (DOUBLED + "{% set b = [1, 1] %}" + "{% set b = [b, b] %}" * 60 + "{{ a in [b] }}!", STEPS),
        (DOUBLED + "{% set b = [1, 1] %}" + "{% set b = [b, b] %}" * 60 + "{{ [a, b] | sort }}!", STEPS),
        (DOUBLED + "{% set b = [1, 1] %}" + "{% set b = [b, b] %}" * 60 + "{{ a is eq(b) }}!", STEPS),
    ],
)  # fmt: skip
def test_a_bomb_is_put_out(written: str, said: str | None) -> None:
    """Where nothing is said, the work is allowed, and small enough."""
    reads = language()
    read = reads.template if "{" in written[:2] else reads.expression
    found, findings = read(yaml.blank(written), NAMES)
    assert findings == []
    assert found is not None
    assert not isinstance(found, str)
    if said is None:
        found.evaluate(SCOPE)
        return
    with pytest.raises(ExpressionError) as refused:
        found.evaluate(SCOPE)
    assert refused.value.message.endswith(said)


@pytest.mark.parametrize(
    ("written", "message", "mend"),
    [
        ("(" * 2000 + "1" + ")" * 2000, "this is nested more than 50 levels deep", None),
        ("-" * 300 + "1", "this is nested more than 50 levels deep", None),
        ("not " * 300 + "1", "this is nested more than 50 levels deep", None),
        (" + ".join(["1"] * 300), "this is nested more than 50 levels deep", None),
        ("record" + ".a" * 300, "this is nested more than 50 levels deep", None),
        ("record" + " | upper" * 300, "this is nested more than 50 levels deep", None),
        ("1e999", "this is no number that JSON can say", None),
        ("9" * 5000, "the expression cannot be read: a number in it is too long", None),
        ("'" + "x" * 60_000 + "'", "this is longer than 50,000 characters", None),
        ("record | batch(2)", "there is no filter `batch`", "did you mean `chunk`?"),
        ("record | format(1)", "there is no filter `format`", "did you mean `string`?"),
        ("record | int", "there is no filter `int`", "did you mean `integer`?"),
        ("record | attr('__class__')", "there is no filter `attr`", None),
        ("record | map('attr', 'x')", "there is no filter `attr`", None),
        ("record | map('_part', 0)", "there is no filter `_part`", None),
        ("record | map(record.Name)", "`map` takes the name of a filter between quotes", None),
        ("record | select('callable')", "there is no test `callable`", None),
        ("record | selectattr('a', '==', 1)", "there is no test `==`", "did you mean `eq`?"),
        ("lipsum(9)", "there is no function `lipsum`", None),
        ("cycler(1)", "there is no function `cycler`", None),
        ("chunk(record)", "`chunk` needs `size`", None),
        ("record | chunk(1, 2)", "`chunk` takes 1 argument here", None),
        ("join(',', sep='x')", "`join` takes no `sep`", None),
        ("twice(1, 2)", "`twice` takes 1 argument here", None),
        ("twice()", "`twice` needs `x`", None),
    ],
)  # fmt: skip
def test_what_cannot_be_bounded_is_not_offered(written: str, message: str, mend: str | None) -> None:
    found, findings = language().expression(yaml.blank(written), NAMES)
    assert found is None
    assert (findings[0].message.partition("; there")[0], findings[0].suggestion) == (message, mend)


def test_loops_are_nested_ten_deep_at_the_most() -> None:
    nested = "".join(f"{{% for a{n} in xs %}}" for n in range(11)) + "{% endfor %}" * 11
    _, findings = language().template(yaml.blank(nested), NAMES)
    assert [finding.message for finding in findings] == ["loops are nested more than 10 deep"]


@pytest.mark.parametrize(
    "nested",
    [
        "(" * 49 + "1" + ")" * 49,
        "-" * 49 + "1",
        "not " * 48 + "1",
        " + ".join(["1"] * 49),
        " or ".join(["record.Id == 1"] * 45),
        "record" + ".a" * 49,
        "record.Name" + " | upper" * 47,
        "[" * 48 + "1" + "]" * 48,
        "integer(" * 47 + "1" + ")" * 47,
        "{% for a in xs %}" * 10 + "{% endfor %}" * 10,
        "{% if xs %}" * 24 + "{% endif %}" * 24,
    ],
)
def test_what_is_just_not_too_deep_can_be_compiled(nested: str) -> None:
    reads = language()
    found, findings = (reads.template if "%" in nested else reads.expression)(yaml.blank(nested), NAMES)
    assert findings == []
    assert found is not None
    assert not isinstance(found, str)
    found.evaluate({**SCOPE, "xs": [1]})


atoms = st.sampled_from(
    ["record", "xs", "text", "record.Empty", "record.Missing", "record.List", "record.Deep.a[0].b", "1", "-2.5", "10**9", "''", "'a b'", "none", "true", "[]", "{}", "1e308", "'Id'"]
)  # fmt: skip
names = st.sampled_from(sorted([*FILTERS, *KEPT_FILTERS]))
operators = st.sampled_from(
    ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", "in", "not in", "and", "or"]
)


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions of the whole language, right or wrong."""
    given = st.lists(inner, max_size=2).map(", ".join)
    return st.one_of(
        st.builds("({}) {} ({})".format, inner, operators, inner),
        st.builds("({}) | {}({})".format, inner, names, given),
        st.builds("({}) | map('{}')".format, inner, names),
        st.builds("({}) | select('{}', {})".format, inner, st.sampled_from(sorted(TESTS)), inner),
        st.builds("{}({})".format, st.sampled_from(sorted(FUNCTIONS)), given),
        st.builds("({}).{}({})".format, inner, st.sampled_from(sorted(TEXT_METHODS)), given),
        st.builds("({}) is {}".format, inner, st.sampled_from(sorted(TESTS))),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{'k': {}}}".format, inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
    )


@settings(max_examples=150)
@given(st.recursive(atoms, grown, max_leaves=6))
def test_any_expression_gives_a_value_or_a_sentence(written: str) -> None:
    found, findings = language().expression(yaml.blank(written), NAMES)
    assert (found is None) == bool(findings)
    if found is None:
        return
    try:
        value = found.evaluate(SCOPE)
    except ExpressionError:
        return
    assert is_absent(value) or value is None or isinstance(value, (str, int, float, list, dict))
