"""`GET /connections` and `GET /connections/{id}`: shapes, filters, and credentials that work now."""

from __future__ import annotations

import time

import pytest

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.store import Connection
from tests.api import Api, Reply
from tests.server.served import Served

ONE = {
    "provider_config_key": "shop",
    "force_refresh": "false",
    "refresh_token": "false",
    "refresh_github_app_jwt_token": "false",
}


def test_connections_are_listed_without_credentials(served: Served, connection: Connection) -> None:
    found = served("GET", "/connections", headers={"Content-Type": "application/json"})
    assert found.status_code == 200
    [listed] = found.json()["connections"]
    assert listed.pop("created").endswith("+00:00")
    assert listed == {
        "id": connection.number,
        "connection_id": "demo",
        "provider_config_key": "shop",
        "provider": "shop",
        "metadata": None,
        "tags": {},
        "errors": [],
        "end_user": None,
    }
    assert "access-token" not in found.text


def test_connections_are_found_by_query(served: Served, connection: Connection) -> None:
    for id, tags in (("acme", {"plan": "pro"}), ("globex", {"plan": "free"})):
        served.store.connections.save(
            Connection(
                id=id, integration="shop", provider="shop", auth="NONE", sealed=b"", key_id="", tags=tags,
                end_user={"id": f"user of {id}"},
            )
        )  # fmt: skip

    def ids(query: str) -> list[str]:
        return [one["connection_id"] for one in served("GET", f"/connections?{query}").json()["connections"]]

    assert ids("") == ["demo", "acme", "globex"]
    assert ids("limit=1&page=1") == ["acme"]
    assert ids("connectionId=acme") == ["acme"]
    assert ids("search=LOBE") == ["globex"]
    assert ids("endUserId=user+of+acme") == ["acme"]
    assert ids("endUserOrganizationId=x") == []
    assert ids("integrationId=other,shop&limit=2000") == ["demo", "acme", "globex"]
    assert ids("tags[PLAN]=pro") == ["acme"]
    assert ids("tags%5Bplan%5D=pro&tags[other]=x") == []


@pytest.mark.parametrize(
    ("query", "path", "message"),
    [
        ("nope=1", ["nope"], "it is not known here"),
        ("limit=0", ["limit"], "expected int >= 1"),
        ("limit=2001", ["limit"], "expected int <= 2000"),
        ("limit=many", ["limit"], "expected int | null, got str"),
        ("page=-1", ["page"], "expected int >= 0"),
        ("limit=1&limit=2", ["limit"], "it is given more than once"),
    ],
)
def test_a_query_is_read_strictly(served: Served, query: str, path: list[str], message: str) -> None:
    found = served("GET", f"/connections?{query}")
    assert (found.status_code, found.json()["error"]["code"]) == (400, "invalid_query_params")
    [flaw] = found.json()["error"]["errors"]
    assert (flaw["path"], flaw["message"]) == (path, message)


def test_a_connection_comes_with_credentials_that_work(served: Served, connection: Connection) -> None:
    found = served("GET", "/connections/demo", params=ONE).json()
    assert found["credentials"] == {"type": "OAUTH2", "access_token": "access-token-1", "raw": {}}
    assert found["connection_config"] == dict(connection.config)
    assert {"created_at", "updated_at", "last_fetched_at", "webhook_url_override"} <= set(found)
    again = served("GET", "/connections/demo", params=ONE | {"refresh_token": "true"}).json()
    assert again["credentials"]["refresh_token"] == "refresh-token-1"
    assert again["last_fetched_at"] is not None


def test_an_expired_token_is_refreshed_first(access: Access, api: Api, served: Served) -> None:
    api.on("/token", Reply({"access_token": "fresh", "refresh_token": "next", "expires_in": 3600}))
    stale = Credentials(
        type="OAUTH2", access_token="stale", refresh_token="refresh-token-1", expires_at=time.time() - 1
    )
    place = NewConnection(id="old", config={"url": api.url}, allow_local=True)
    access.connect.keep(access.project.provider("shop"), place, stale)
    credentials = served("GET", "/connections/old", params=ONE).json()["credentials"]
    assert credentials["access_token"] == "fresh"
    assert credentials["raw"] == {"access_token": "fresh", "expires_in": 3600}
    assert credentials["expires_at"].endswith("Z")
    assert [seen.form()["refresh_token"] for seen in api.seen] == ["refresh-token-1"]


def test_a_refresh_can_be_forced(served: Served, api: Api) -> None:
    api.on("/token", Reply({"access_token": "fresh"}))
    found = served("GET", "/connections/demo", params=ONE | {"force_refresh": "true"})
    assert found.json()["credentials"]["access_token"] == "fresh"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Reply({"error": "invalid_grant"}, 400), 424),
        (Reply({"error": "invalid_client"}, 401), 424),
        (Reply({"error": "nobody"}, 501), 501),
    ],
)
def test_credentials_that_cannot_be_refreshed_are_told(
    served: Served, api: Api, answer: Reply, status: int
) -> None:
    api.on("/token", answer)
    found = served("GET", "/connections/demo", params=ONE | {"force_refresh": "true"})
    error = found.json()["error"]
    assert (found.status_code, error["code"]) == (status, "invalid_credentials")
    assert error["payload"]["connection"]["connection_id"] == "demo"
    assert "credentials" not in error["payload"]["connection"]
    assert "refresh-token-1" not in found.text


def test_a_connection_that_needs_a_person_says_so_in_the_list(served: Served, api: Api) -> None:
    api.on("/token", Reply({"error": "invalid_grant"}, 400))
    served("GET", "/connections/demo", params=ONE | {"force_refresh": "true"})
    [listed] = served("GET", "/connections").json()["connections"]
    assert [error["type"] for error in listed["errors"]] == ["auth"]


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/connections/demo", {}, (400, "invalid_query_params")),
        ("/connections/demo", ONE | {"provider_config_key": "nope"}, (400, "unknown_provider_config")),
        ("/connections/nobody", ONE, (404, "not_found")),
        ("/connections/demo", ONE | {"force_refresh": "maybe"}, (400, "invalid_query_params")),
        ("/connections/demo", ONE | {"other": "1"}, (400, "invalid_query_params")),
    ],
)
def test_what_is_not_there_is_refused(
    served: Served, path: str, query: dict[str, str], expected: tuple[int, str]
) -> None:
    assert served.refusal("GET", path, params=query) == expected


@pytest.mark.parametrize("id", ["a b", "a/b", "it's", 'quo"te', "ünï", "100%", "a:b;c=d,e+f~[g]|@${h}\\_-."])
def test_an_id_may_hold_what_ids_hold(served: Served, access: Access, api: Api, id: str) -> None:
    place = NewConnection(id=id, config={"url": api.url}, allow_local=True)
    access.connect.keep(access.project.provider("shop"), place, Credentials(type="OAUTH2", access_token="t"))
    assert served("GET", f"/connections/{id.replace('%', '%25')}", params=ONE).json()["connection_id"] == id


SHAPES = [
    (
        Credentials(type="OAUTH2_CC", access_token="t", expires_at=4e9, raw={"x": 1}, values={"client_id": "i", "client_secret": "s"}),
        {"type": "OAUTH2_CC", "token": "t", "expires_at": "2096-10-02T07:06:40.000Z", "raw": {"x": 1}, "client_id": "i", "client_secret": "s"},
    ),
    (Credentials(type="JWT_BEARER", access_token="t", values={"username": "u"}), {"type": "JWT", "token": "t", "username": "u"}),
    (Credentials(type="BASIC", values={"username": "u", "password": "p"}), {"type": "BASIC", "username": "u", "password": "p"}),
    (Credentials(type="API_KEY", values={"apiKey": "k"}), {"type": "API_KEY", "apiKey": "k"}),
    (Credentials(type="NONE"), {}),
    (
        Credentials(type="OAUTH2", access_token="t", refresh_token="r", raw={"nested": [{"refresh_token": "r", "a": 1}]}, values={"client_id": "own"}),
        {"type": "OAUTH2", "access_token": "t", "raw": {"nested": [{"a": 1}]}, "config_override": {"client_id": "own"}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("held", "expected"), SHAPES)
def test_each_authorisation_has_its_shape(
    served: Served, access: Access, api: Api, held: Credentials, expected: dict[str, object]
) -> None:
    place = NewConnection(id="shape", config={"url": api.url}, allow_local=True)
    access.connect.keep(access.project.provider("shop"), place, held)
    assert served("GET", "/connections/shape", params=ONE).json()["credentials"] == expected
