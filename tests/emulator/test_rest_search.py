"""SOSL, parameterised search, suggestions."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.emulator.errors import ApiError
from runner.emulator.sosl.terms import terms
from runner.emulator.testing import Org, start_org
from tests.emulator.conftest import VERSION, client_of

Json = dict[str, object]


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    with start_org(records=0) as running:
        acme = running.create("Account", Name="Acme Bank", Phone="555-1234", Description="Counts money.")
        running.create("Account", Name="Umbra", Website="https://acme.example")
        for last, first, email, title in (
            ("Byron", "Ada", "ada@acme.example", "Countess"),
            ("Byron-Smith", "Joe", "joe@x.example", "Chief Engineer"),
            ("O'Hara", "Joel", None, "chief of the engineers"),
            ("Dvořák", "Ántonín", None, None),
        ):
            running.create(
                "Contact", LastName=last, FirstName=first, Email=email, Title=title, AccountId=acme
            )
        gone = running.create("Contact", LastName="Byron", FirstName="Gone")
        running.delete("Contact", gone)
        yield running


@pytest.fixture
def api(org: Org) -> Iterator[httpx.Client]:
    with client_of(org) as client:
        yield client


def search(api: httpx.Client, sosl: str) -> list[Json]:
    answer = api.get("/search", params={"q": sosl})
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["searchRecords"]
    return found


def names(records: list[Json]) -> list[object]:
    return [record["Name"] for record in records]


FOUND = {
    "FIND {acme} RETURNING Account(Name)": ["Acme Bank", "Umbra"],
    "FIND {acme} IN NAME FIELDS RETURNING Account(Name)": ["Acme Bank"],
    "FIND {1234} IN PHONE FIELDS RETURNING Account(Name)": ["Acme Bank"],
    "FIND {acme} IN EMAIL FIELDS RETURNING Contact(Name)": ["Ada Byron"],
    "FIND {Joe} RETURNING Contact(Name)": ["Joe Byron-Smith"],
    "FIND {joe*} RETURNING Contact(Name)": ["Joe Byron-Smith", "Joel O'Hara"],
    "FIND {jo?l} RETURNING Contact(Name)": ["Joel O'Hara"],
    "FIND {byron} RETURNING Contact(Name ORDER BY Name DESC)": ["Joe Byron-Smith", "Ada Byron"],
    "FIND {byron AND NOT smith} RETURNING Contact(Name)": ["Ada Byron"],
    "FIND {ada OR joel} RETURNING Contact(Name)": ["Ada Byron", "Joel O'Hara"],
    "FIND {(ada OR joe) AND byron} RETURNING Contact(Name)": ["Ada Byron", "Joe Byron-Smith"],
    "FIND {chief engineer} RETURNING Contact(Name)": ["Joe Byron-Smith"],
    "FIND {chief engineer*} RETURNING Contact(Name)": ["Joe Byron-Smith", "Joel O'Hara"],
    'FIND {"chief engineer"} RETURNING Contact(Name)': ["Joe Byron-Smith"],
    "FIND {o'hara} RETURNING Contact(Name)": ["Joel O'Hara"],
    "FIND {DVOŘÁK} RETURNING Contact(Name)": ["Ántonín Dvořák"],
    "FIND {byron\\-smith} RETURNING Contact(Name)": ["Joe Byron-Smith"],
    "FIND {byron} RETURNING Contact(Name WHERE Title = 'Countess')": ["Ada Byron"],
    "FIND {byron} RETURNING Contact(Name LIMIT 1 OFFSET 1)": ["Joe Byron-Smith"],
    "FIND {acme} RETURNING Account(Name), Contact(Name) LIMIT 2": ["Acme Bank", "Umbra"],
    "FIND {money} RETURNING Account(Name)": ["Acme Bank"],
    "FIND {nobody} RETURNING Account(Name)": [],
    "find {umbra} in sidebar fields returning Account(Name) with spell_correction = false limit 5 update tracking": [
        "Umbra"
    ],
    "FIND {umbra} RETURNING Account(Name USING ListView = Recent) WITH METADATA='LABELS'": ["Umbra"],
}


@pytest.mark.parametrize(("sosl", "expected"), FOUND.items(), ids=list(FOUND))
def test_searches(api: httpx.Client, sosl: str, expected: list[str]) -> None:
    assert names(search(api, sosl)) == expected


def test_without_fields_there_are_the_ids_of_whatever_can_be_searched(api: httpx.Client) -> None:
    found = search(api, "FIND {acme}")
    assert [record["attributes"]["type"] for record in found] == ["Account", "Account", "Contact"]  # type: ignore[index]
    assert set(found[0]) == {"attributes", "Id"}


def test_before_version_37_there_is_a_bare_list(org: Org, api: httpx.Client) -> None:
    url = f"{org.url}/services/data/v36.0/search?q=FIND+%7Bumbra%7D+RETURNING+Account(Name)"
    assert names(api.get(url).json()) == ["Umbra"]


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    (problem,) = answer.json()
    return answer.status_code, problem["errorCode"], problem["message"]


WRONG = {
    "": ("MALFORMED_SEARCH", "A search string has to be specified"),
    "FIND": ("MALFORMED_SEARCH", "unexpected token: '<EOF>'"),
    "FIND {acme": ("MALFORMED_SEARCH", "unexpected token: '{'"),
    "FIND {acme} RETURNING": ("MALFORMED_SEARCH", "unexpected token: '<EOF>'"),
    "FIND {acme} IN ANY FIELDS": ("MALFORMED_SEARCH", "unexpected token: 'ANY'"),
    "FIND {acme} WITH MAGIC": ("MALFORMED_SEARCH", "unexpected token: 'MAGIC'"),
    "FIND {a} RETURNING Account": ("MALFORMED_SEARCH", "search term must be longer than one character: a"),
    "FIND {*} RETURNING Account": ("MALFORMED_SEARCH", "search term must be longer than one character: *"),
    "FIND {**} RETURNING Account": (
        "MALFORMED_SEARCH",
        "search term must have a character that is no wildcard: **",
    ),
    "FIND {(ada} RETURNING Account": ("MALFORMED_SEARCH", "unexpected token: '<EOF>'"),
    "FIND {ada)} RETURNING Account": ("MALFORMED_SEARCH", "unexpected token: ')'"),
    "FIND {ada OR} RETURNING Account": ("MALFORMED_SEARCH", "unexpected token: '<EOF>'"),
    "FIND { } RETURNING Account": ("MALFORMED_SEARCH", "unexpected token: '<EOF>'"),
    'FIND {"ada} RETURNING Account': ("MALFORMED_SEARCH", "unexpected token: '\"'"),
    "FIND {acme} RETURNING Nothing": ("INVALID_TYPE", None),
    "FIND {acme} RETURNING Profile": ("INVALID_TYPE", "entity type Profile does not support search"),
    "FIND {acme} RETURNING Account(Nope)": ("INVALID_FIELD", None),
    "FIND {acme} RETURNING Account(Name WHERE Name LIKE 5)": ("MALFORMED_SEARCH", "unexpected token: '5'"),
    "FIND {acme} RETURNING Account(Name WHERE COUNT(Id) = 5)": (
        "MALFORMED_SEARCH",
        "Aggregate functions are for HAVING, not for WHERE",
    ),
}


@pytest.mark.parametrize(("sosl", "expected"), WRONG.items(), ids=list(WRONG))
def test_what_is_no_search(api: httpx.Client, sosl: str, expected: tuple[str, str | None]) -> None:
    status, code, message = refused(api.get("/search", params={"q": sosl}))
    assert (status, code) == (400, expected[0])
    assert expected[1] is None or message.endswith(expected[1])


def test_parameterised_search(api: httpx.Client) -> None:
    query = {"q": "byron", "sobject": "Contact", "Contact.fields": "Name,Title", "Contact.limit": "1"}
    found = api.get("/parameterizedSearch", params=query).json()["searchRecords"]
    assert [(record["Name"], record["Title"]) for record in found] == [("Ada Byron", "Countess")]
    body: Json = {
        "q": "acme",
        "in": "NAME",
        "fields": ["Id"],
        "sobjects": [
            {"name": "Account", "fields": ["Name"], "where": "Phone != null", "orderBy": "Name"},
            {"name": "Contact"},
        ],
        "overallLimit": 5,
        "defaultLimit": 3,
    }
    assert names(api.post("/parameterizedSearch", json=body).json()["searchRecords"]) == ["Acme Bank"]
    everywhere = api.get("/parameterizedSearch?q=umbra").json()["searchRecords"]
    assert [record["attributes"]["type"] for record in everywhere] == ["Account"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "MISSING_ARGUMENT"),
        ({"q": 5}, "MISSING_ARGUMENT"),
        ({"q": "acme", "in": "ANY"}, "INVALID_ARGUMENT"),
        ({"q": "acme", "sobjects": [{"name": "Nothing"}]}, "INVALID_TYPE"),
        ({"q": "acme", "sobjects": [{"name": "x y"}]}, "MALFORMED_SEARCH"),
    ],
)
def test_what_is_no_parameterised_search(api: httpx.Client, body: Json, code: str) -> None:
    assert refused(api.post("/parameterizedSearch", json=body))[:2] == (400, code)


def test_names_that_begin_so(api: httpx.Client) -> None:
    said = api.get("/search/suggestions?q=by&sobject=Contact&limit=1").json()
    assert (names(said["autoSuggestResults"]), said["hasMoreResults"]) == (["Ada Byron"], True)
    assert names(api.get("/search/suggestions?q=ban&sobject=Account").json()["autoSuggestResults"]) == [
        "Acme Bank"
    ]
    assert refused(api.get("/search/suggestions?q=b&sobject=Contact"))[1] == "INVALID_SEARCH"
    assert refused(api.get("/search/suggestions?q=by&sobject=Nothing"))[1] == "NOT_FOUND"


def test_what_is_searched_first_and_how_it_is_shown(api: httpx.Client) -> None:
    order = api.get("/search/scopeOrder").json()
    assert order[0] == {"type": "Account", "url": f"{VERSION}/sobjects/Account/describe"}
    (layout,) = api.get("/search/layout?q=Account,Nothing").json()
    assert layout["objectType"] == "Account"
    assert layout["searchColumns"][0] == {
        "field": "Account.Name",
        "format": None,
        "label": "Account Name",
        "name": "Name",
    }


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.sampled_from("ab(){}\"\\*? ANDORT'-é&"), max_size=40))
def test_any_terms(text: str) -> None:
    try:
        terms(text).matches("ab and or")
    except ApiError as exc:
        code = exc.code
    else:
        code = ""
    assert code in ("", "MALFORMED_SEARCH")
