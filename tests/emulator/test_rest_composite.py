"""Calls of many calls: composite, batch, graph."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from runner.emulator.errors import ApiError
from runner.emulator.rest.references import resolved
from runner.emulator.testing import Org
from tests.emulator.conftest import VERSION, client_of

Json = dict[str, object]
HALTED = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same transaction failed.",
    }
]


@pytest.fixture
def api(empty_org: Org) -> Iterator[httpx.Client]:
    with client_of(empty_org) as client:
        yield client


def part(method: str, path: str, name: str, body: object = None) -> Json:
    said: Json = {"method": method, "url": f"{VERSION}{path}", "referenceId": name}
    return said if body is None else said | {"body": body}


ACCOUNT = part("POST", "/sobjects/Account", "acme", {"Name": "Acme"})
CONTACT = part("POST", "/sobjects/Contact", "ada", {"LastName": "Byron", "AccountId": "@{acme.id}"})
READ = part("GET", "/sobjects/Contact/@{ada.id}?fields=Name,Account.Name", "read")
BAD = part("POST", "/sobjects/Contact", "bad", {"FirstName": "Nobody"})


def composite(api: httpx.Client, *parts: Json, **said: object) -> list[Json]:
    answer = api.post("/composite", json={"compositeRequest": list(parts), **said})
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["compositeResponse"]
    return found


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    (problem,) = answer.json()
    return answer.status_code, problem["errorCode"], problem["message"]


def test_later_calls_use_what_earlier_ones_answered(api: httpx.Client) -> None:
    made, person, read = composite(api, ACCOUNT, CONTACT, READ)
    body = made["body"]
    assert isinstance(body, dict)
    assert made == {
        "body": {"id": body["id"], "success": True, "errors": []},
        "httpHeaders": {"Location": f"{VERSION}/sobjects/Account/{body['id']}"},
        "httpStatusCode": 201,
        "referenceId": "acme",
    }
    assert person["httpStatusCode"] == 201
    assert isinstance(read["body"], dict)
    assert (read["body"]["Name"], read["body"]["Account"]["Name"]) == ("Byron", "Acme")


def test_a_reference_reaches_into_lists_and_texts(api: httpx.Client) -> None:
    query = part("GET", "/query?q=SELECT+Id,Name+FROM+Account+WHERE+Id='@{acme.id}'", "found")
    rename = part(
        "PATCH",
        "/sobjects/Account/@{found.records[0].Id}",
        "renamed",
        {"Name": "@{found.records[0].Name} Ltd"},
    )
    again = part("GET", "/sobjects/Account/@{acme.id}?fields=Name", "again")
    *_, changed, read = composite(api, ACCOUNT, query, rename, again)
    assert (changed["httpStatusCode"], changed["body"]) == (204, None)
    assert isinstance(read["body"], dict)
    assert read["body"]["Name"] == "Acme Ltd"


def test_a_call_that_fails_leaves_the_others(api: httpx.Client) -> None:
    leaning = part("POST", "/sobjects/Contact", "leaning", {"LastName": "X", "AccountId": "@{bad.id}"})
    made, bad, halted = composite(api, ACCOUNT, BAD, leaning)
    assert (made["httpStatusCode"], bad["httpStatusCode"], halted["httpStatusCode"]) == (201, 400, 400)
    assert bad["body"] == [
        {
            "message": "Required fields are missing: [LastName]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["LastName"],
        }
    ]
    assert halted["body"] == [
        {
            "errorCode": "PROCESSING_HALTED",
            "message": "Invalid reference specified. No value for bad.id found in bad",
        }
    ]


def test_all_or_none(empty_org: Org, api: httpx.Client) -> None:
    before = len(empty_org.query("SELECT Id FROM Account"))
    made, bad, after = composite(api, ACCOUNT, BAD, READ, allOrNone=True)
    assert (made["body"], after["body"], bad["httpStatusCode"]) == (HALTED, HALTED, 400)
    assert "REQUIRED_FIELD_MISSING" in str(bad["body"])
    assert len(empty_org.query("SELECT Id FROM Account")) == before
    assert [each["httpStatusCode"] for each in composite(api, ACCOUNT, CONTACT, allOrNone=True)] == [201, 201]


def test_collections_and_queries_are_calls_too(api: httpx.Client) -> None:
    many = part(
        "POST",
        "/composite/sobjects",
        "many",
        {
            "records": [
                {"attributes": {"type": "Account"}, "Name": "One"},
                {"attributes": {"type": "Account"}},
            ]
        },
    )
    describe = part("GET", "/sobjects/Account/describe", "described")
    created, described = composite(api, many, describe)
    assert [each["success"] for each in created["body"]] == [True, False]  # type: ignore[attr-defined]
    assert described["httpStatusCode"] == 200


WRONG: dict[str, tuple[list[Json], str]] = {
    "twice": ([ACCOUNT, ACCOUNT], "Duplicate reference id: acme"),
    "no name": ([{"method": "GET", "url": VERSION}], "A subrequest needs referenceId"),
    "nothing": ([{}], "A subrequest needs method, url, referenceId"),
    "a bad name": (
        [ACCOUNT | {"referenceId": "_a!"}],
        "Provided referenceId ('_a!') must start with a letter or a number, and it can contain only letters, "
        "numbers and underscores ('_').",
    ),
    "another host": (
        [ACCOUNT | {"url": "https://example.com/"}],
        "The url of acme must begin with /services/data/v",
    ),
    "in itself": (
        [ACCOUNT | {"url": f"{VERSION}/composite/batch"}],
        "The url of acme is not allowed in a composite request",
    ),
    "a method": (
        [ACCOUNT | {"method": "BREW"}],
        "HTTP Method 'BREW' is not supported in a subrequest",
    ),
}


@pytest.mark.parametrize(("parts", "said"), WRONG.values(), ids=list(WRONG))
def test_what_is_no_composite_call(api: httpx.Client, parts: list[Json], said: str) -> None:
    answer = api.post("/composite", json={"compositeRequest": parts})
    assert refused(answer) == (400, "INVALID_INPUT", said)


def test_there_is_room_for_25_calls_of_which_5_are_queries(api: httpx.Client) -> None:
    many = [part("GET", "/limits", f"r{number}") for number in range(26)]
    answer = api.post("/composite", json={"compositeRequest": many})
    assert refused(answer)[:2] == (400, "EXCEEDED_ID_LIMIT")
    assert len(composite(api, *many[:25])) == 25
    queries = [part("GET", "/query?q=SELECT+Id+FROM+User", f"r{number}") for number in range(6)]
    assert refused(api.post("/composite", json={"compositeRequest": queries}))[1] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("body", [{}, {"compositeRequest": 5}, {"compositeRequest": [5]}])
def test_a_body_of_another_shape(api: httpx.Client, body: Json) -> None:
    assert refused(api.post("/composite", json=body))[:2] == (400, "JSON_PARSER_ERROR")


def test_parts_that_lead_nowhere_say_so(api: httpx.Client) -> None:
    nowhere = [
        part("GET", "/nothing", "a"),
        {"method": "GET", "url": "/services/data/v1.0/limits", "referenceId": "b"},
        part("DELETE", "/limits", "c"),
    ]
    assert [each["httpStatusCode"] for each in composite(api, *nowhere)] == [404, 404, 405]


ANSWERS: dict[str, object] = {"a": {"id": "001", "list": [{"n": 5}], "yes": True, "none": None}, "b": [1, 2]}
REFERENCES: dict[str, object] = {
    "@{a.id}": "001",
    "x@{a.id}-@{a.yes}": "x001-true",
    "@{a.list[0].n}": 5,
    "@{b[1]}": 2,
    "@{}": None,
    "@{a.none}": None,
    "@{a.nothing}": None,
    "@{b[7]}": None,
    "@{c.id}": None,
    "@{a.id.id}": None,
    "no reference @{": "no reference @{",
}


@pytest.mark.parametrize(("text", "expected"), REFERENCES.items(), ids=list(REFERENCES))
def test_references(text: str, expected: object) -> None:
    if expected is None:
        with pytest.raises(ApiError, match="Invalid reference specified"):
            resolved(text, ANSWERS)
    else:
        assert resolved({"k": [text]}, ANSWERS) == {"k": [expected]}


def test_a_batch_is_done_one_by_one(api: httpx.Client) -> None:
    parts = [
        {"method": "POST", "url": "v62.0/sobjects/Account", "richInput": {"Name": "Acme"}},
        {"method": "GET", "url": "v62.0/sobjects/Account/nothing"},
        {"method": "GET", "url": f"{VERSION}/query?q=SELECT+count()+FROM+User"},
    ]
    said = api.post("/composite/batch", json={"batchRequests": parts}).json()
    assert said["hasErrors"] is True
    assert [each["statusCode"] for each in said["results"]] == [201, 404, 200]
    assert said["results"][0]["result"]["success"] is True
    assert said["results"][2]["result"]["totalSize"] > 0


def test_a_batch_may_halt(api: httpx.Client) -> None:
    parts = [{"method": "GET", "url": url} for url in ("v62.0/limits", "v62.0/nothing", "v62.0/limits")]
    said = api.post("/composite/batch", json={"batchRequests": parts, "haltOnError": True}).json()
    assert [each["statusCode"] for each in said["results"]] == [200, 404, 412]
    assert said["results"][2]["result"] == [
        {"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}
    ]


def test_nothing_has_no_result(empty_org: Org, api: httpx.Client) -> None:
    record_id = empty_org.create("Account", Name="Acme")
    parts = [{"method": "DELETE", "url": f"v62.0/sobjects/Account/{record_id}"}]
    said = api.post("/composite/batch", json={"batchRequests": parts}).json()
    assert said == {"hasErrors": False, "results": [{"statusCode": 204, "result": None}]}


@pytest.mark.parametrize("part", [{}, {"method": "GET"}, {"method": "GET", "url": "v62.0/composite/batch"}])
def test_what_is_no_part_of_a_batch(api: httpx.Client, part: Json) -> None:
    answer = api.post("/composite/batch", json={"batchRequests": [part]})
    assert refused(answer)[:2] == (400, "INVALID_INPUT")


def test_each_graph_is_done_as_a_whole_or_not_at_all(empty_org: Org, api: httpx.Client) -> None:
    before = len(empty_org.query("SELECT Id FROM Account"))
    graphs = [
        {"graphId": "good", "compositeRequest": [ACCOUNT, CONTACT]},
        {"graphId": "bad", "compositeRequest": [ACCOUNT, BAD]},
    ]
    good, bad = api.post("/composite/graph", json={"graphs": graphs}).json()["graphs"]
    assert (good["graphId"], good["isSuccessful"], bad["isSuccessful"]) == ("good", True, False)
    assert [each["httpStatusCode"] for each in good["graphResponse"]["compositeResponse"]] == [201, 201]
    assert bad["graphResponse"]["compositeResponse"][0]["body"] == HALTED
    assert len(empty_org.query("SELECT Id FROM Account")) == before + 1


GRAPHS: dict[str, list[Json]] = {
    "no name": [{"compositeRequest": []}],
    "the same name": [{"graphId": "a", "compositeRequest": []}] * 2,
    "a query": [{"graphId": "a", "compositeRequest": [part("GET", "/query?q=x", "q")]}],
}


@pytest.mark.parametrize("graphs", GRAPHS.values(), ids=list(GRAPHS))
def test_what_is_no_graph(api: httpx.Client, graphs: list[Json]) -> None:
    assert refused(api.post("/composite/graph", json={"graphs": graphs}))[:2] == (400, "INVALID_INPUT")


def test_graphs_have_room_for_500_nodes(api: httpx.Client) -> None:
    nodes = [part("POST", "/sobjects/Account", f"n{number}", {"Name": "x"}) for number in range(251)]
    graphs = [{"graphId": name, "compositeRequest": nodes} for name in ("a", "b")]
    assert refused(api.post("/composite/graph", json={"graphs": graphs}))[1] == "LIMIT_EXCEEDED"


def test_what_kinds_there_are(api: httpx.Client) -> None:
    assert api.get("/composite").json()["graph"] == f"{VERSION}/composite/graph"
