"""OAuth: the pages that people see, the grants, and what can be asked about a token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from runner.emulator.clients import Client
from runner.emulator.testing import Org, start_org

CALLBACK = "http://localhost:8976/callback"
VERIFIER = "v" * 60
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    with start_org(records=0) as running:
        yield running


def app(org: Org) -> dict[str, str]:
    return {"client_id": org.client_id, "client_secret": org.client_secret}


def post(org: Org, path: str, form: dict[str, str], **kwargs: object) -> httpx.Response:
    return httpx.post(f"{org.url}/services/oauth2/{path}", data=form, **kwargs)  # type: ignore[arg-type]


def token(org: Org, **form: str) -> httpx.Response:
    return post(org, "token", app(org) | form)


def error(answer: httpx.Response) -> tuple[int, str, str]:
    said = answer.json()
    return answer.status_code, said["error"], said["error_description"]


def ask(org: Org, **changed: str) -> dict[str, str]:
    """What an app sends to /authorize."""
    asked = {
        "response_type": "code",
        "client_id": org.client_id,
        "redirect_uri": CALLBACK,
        "state": "s&1",
        "scope": "api refresh_token",
        "code_challenge": CHALLENGE,
    } | changed
    return {key: value for key, value in asked.items() if value}


def browser(org: Org) -> httpx.Client:
    return httpx.Client(base_url=f"{org.url}/services/oauth2")


def field(page: httpx.Response, name: str) -> str:
    return page.text.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]


def answered(response: httpx.Response) -> dict[str, str]:
    """What the redirect back to the app says."""
    location = response.headers["Location"]
    assert location.startswith(CALLBACK + "?")
    return {key: values[0] for key, values in parse_qs(urlsplit(location).query).items()}


def code(org: Org, **changed: str) -> str:
    with browser(org) as pages:
        return answered(pages.get("/authorize", params=ask(org, **changed) | {"auto_approve": "1"}))["code"]


def exchange(org: Org, **changed: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    } | changed
    return token(org, **form)


def test_a_person_logs_in_and_allows(org: Org) -> None:
    with browser(org) as pages:
        page = pages.get("/authorize", params=ask(org))
        assert "form-action 'self'" in page.headers["Content-Security-Policy"]
        form = {"request": field(page, "request"), "username": org.username}
        again = pages.post("/login", data=form | {"password": "wrong"})
        assert "Please check your username and password." in again.text
        page = pages.post("/login", data=form | {"password": org.password})
        assert "Access and manage your data" in page.text
        back = pages.post("/consent", data={"request": field(page, "request"), "decision": "allow"})
    said = answered(back)
    assert (back.status_code, said["state"]) == (302, "s&1")
    answer = exchange(org, code=said["code"])
    assert answer.status_code == 200
    assert answer.json()["scope"] == "api refresh_token"


def test_a_person_who_has_logged_in_is_not_asked_again(org: Org) -> None:
    with browser(org) as pages:
        page = pages.get("/authorize", params=ask(org))
        login = {"request": field(page, "request"), "username": org.username, "password": org.password}
        pages.post("/login", data=login)
        assert "Allow" in pages.get("/authorize", params=ask(org)).text
        assert "Password" in pages.get("/authorize", params=ask(org, prompt="login")).text


def test_a_person_refuses(org: Org) -> None:
    with browser(org) as pages:
        page = pages.get("/authorize", params=ask(org))
        login = {"request": field(page, "request"), "username": org.username, "password": org.password}
        page = pages.post("/login", data=login)
        back = pages.post("/consent", data={"request": field(page, "request"), "decision": "deny"})
    assert answered(back) == {
        "error": "access_denied",
        "error_description": "end-user denied authorization",
        "state": "s&1",
    }


def test_another_browser_cannot_answer(org: Org) -> None:
    with browser(org) as pages, browser(org) as other:
        request_id = field(pages.get("/authorize", params=ask(org)), "request")
        form = {"request": request_id, "username": org.username, "password": org.password}
        answers = [other.post("/login", data=form), other.post("/consent", data={"request": request_id})]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert "Go back to the app and begin again." in answers[0].text


#: what is asked → the error that the browser shows, as nobody may be sent it
SHOWN = {
    "invalid_client_id": {"client_id": "nobody"},
    "redirect_uri_missing": {"redirect_uri": ""},
    "redirect_uri_mismatch": {"redirect_uri": "https://elsewhere.example.com/callback"},
}


@pytest.mark.parametrize(("code_", "changed"), SHOWN.items(), ids=list(SHOWN))
def test_what_must_not_be_sent_to_the_app_is_shown(org: Org, code_: str, changed: dict[str, str]) -> None:
    with browser(org) as pages:
        page = pages.get("/authorize", params=ask(org, **changed))
    assert (page.status_code, "Location" in page.headers) == (400, False)
    assert f"error={code_}" in page.text


TOLD = {
    "unsupported_response_type": {"response_type": "magic"},
    "invalid_scope": {"scope": "everything"},
    "invalid_request": {"code_challenge_method": "plain"},
}


@pytest.mark.parametrize(("code_", "changed"), TOLD.items(), ids=list(TOLD))
def test_what_the_app_is_told(org: Org, code_: str, changed: dict[str, str]) -> None:
    with browser(org) as pages:
        said = answered(pages.get("/authorize", params=ask(org, **changed)))
    assert (said["error"], said["state"]) == (code_, "s&1")


REDIRECTS = {
    "http://127.0.0.1:51234/callback": 302,
    "http://[::1]:51234/callback": 302,
    "http://localhost/x": 302,
    "https://app.example.com/callback": 302,
    "https://app.example.com/callback/": 400,
    "http://localhost.example.com/callback": 400,
    "http://127.0.0.1@example.com/callback": 400,
    "http://127.0.0.1/callback#fragment": 400,
    "https://127.0.0.1/callback": 400,
    "javascript:alert(1)": 400,
    "http://[::1": 400,
}


@pytest.mark.parametrize(("uri", "status"), REDIRECTS.items(), ids=list(REDIRECTS))
def test_where_a_browser_may_be_sent(org: Org, uri: str, status: int) -> None:
    org.add_client(
        Client(
            id="strict",
            secret="s",
            label="Strict",
            redirect_uris=("https://app.example.com/callback",),
            scopes=("api",),
            public_key=None,
        )
    )
    asked = ask(org, client_id="strict", redirect_uri=uri, scope="api") | {"auto_approve": "1"}
    with browser(org) as pages:
        assert pages.get("/authorize", params=asked).status_code == status


def test_the_token_answer(org: Org) -> None:
    answer = exchange(org, code=code(org))
    said = answer.json()
    assert set(said) == {
        "access_token", "refresh_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at",
    }  # fmt: skip
    assert said["access_token"].startswith(f"{org.org_id[:15]}!")
    assert (said["instance_url"], said["token_type"]) == (org.url, "Bearer")
    assert said["id"] == f"{org.url}/id/{org.org_id}/{org.user_id}"
    assert abs(int(said["issued_at"]) / 1000 - time.time()) < 60
    proof = hmac.digest(org.client_secret.encode(), (said["id"] + said["issued_at"]).encode(), "sha256")
    assert base64.b64decode(said["signature"]) == proof
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_refresh_token_needs_the_scope_for_it(org: Org) -> None:
    assert "refresh_token" not in exchange(org, code=code(org, scope="api")).json()
    for scope in ("api refresh_token", "api offline_access"):
        assert "refresh_token" in exchange(org, code=code(org, scope=scope)).json()


def test_a_code_works_once(org: Org) -> None:
    once = code(org)
    assert exchange(org, code=once).status_code == 200
    assert error(exchange(org, code=once)) == (400, "invalid_grant", "expired authorization code")


def test_a_code_works_for_a_quarter_of_an_hour(org: Org) -> None:
    old = code(org)
    org.advance(15 * 60)
    assert error(exchange(org, code=old))[1] == "invalid_grant"


EXCHANGES = {
    "the client id": ({"client_id": "nobody"}, "invalid_client_id", "client identifier invalid"),
    "the secret": ({"client_secret": "wrong"}, "invalid_client", "invalid client credentials"),
    "no secret": ({"client_secret": ""}, "invalid_client", "invalid client credentials"),
    "the redirect": (
        {"redirect_uri": "http://localhost/other"},
        "redirect_uri_mismatch",
        "redirect_uri must match configuration",
    ),
    "the verifier": ({"code_verifier": "x" * 60}, "invalid_grant", "invalid code verifier"),
    "no verifier": ({"code_verifier": ""}, "invalid_grant", "invalid code verifier"),
    "the code": ({"code": "aPrx"}, "invalid_grant", "expired authorization code"),
    "the grant": ({"grant_type": "magic"}, "unsupported_grant_type", "grant type not supported"),
}


@pytest.mark.parametrize(("changed", "name", "said"), EXCHANGES.values(), ids=list(EXCHANGES))
def test_a_wrong_part_of_the_exchange(org: Org, changed: dict[str, str], name: str, said: str) -> None:
    assert error(exchange(org, **{"code": code(org)} | changed)) == (400, name, said)


def test_the_app_may_show_its_secret_in_a_header(org: Org) -> None:
    form = {"grant_type": "client_credentials"}
    assert post(org, "token", form, auth=(org.client_id, org.client_secret)).status_code == 200
    assert error(post(org, "token", form, auth=(org.client_id, "wrong")))[1] == "invalid_client"
    broken = post(org, "token", form, headers={"Authorization": "Basic %%%"})
    assert error(broken)[1] == "invalid_client"


def test_refresh(org: Org) -> None:
    first = exchange(org, code=code(org)).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    answers = [token(org, **form).json() for _ in range(2)]
    assert len({first["access_token"], *(answer["access_token"] for answer in answers)}) == 3
    assert all("refresh_token" not in answer for answer in answers)
    assert error(token(org, **form | {"refresh_token": "wrong"})) == (
        400,
        "invalid_grant",
        "expired access/refresh token",
    )


def test_rotation_ends_the_old_refresh_token() -> None:
    with start_org(records=0, rotate_refresh_tokens=True) as org:
        form = {"grant_type": "refresh_token", "refresh_token": org.refresh_token()}
        fresh = token(org, **form).json()["refresh_token"]
        assert token(org, **form | {"refresh_token": fresh}).status_code == 200


def test_who_uses_a_refresh_token_again_loses_all_that_came_of_it() -> None:
    with start_org(records=0, rotate_refresh_tokens=True) as org:
        old = {"grant_type": "refresh_token", "refresh_token": org.refresh_token()}
        fresh = token(org, **old).json()
        assert error(token(org, **old)) == (400, "invalid_grant", "expired access/refresh token")
        assert introspect(org, fresh["access_token"]).json() == {"active": False}
        again = token(org, **old | {"refresh_token": fresh["refresh_token"]})
        assert error(again)[1] == "invalid_grant"


def test_client_credentials(org: Org) -> None:
    said = token(org, grant_type="client_credentials").json()
    assert "refresh_token" not in said
    assert said["scope"] == "api"


def test_a_password(org: Org) -> None:
    form = {"grant_type": "password", "username": org.username, "password": org.password}
    assert token(org, **form).status_code == 200
    assert error(token(org, **form | {"password": "wrong"})) == (
        400,
        "invalid_grant",
        "authentication failure",
    )


def assertion(org: Org, **changed: object) -> str:
    claims = {"iss": org.client_id, "sub": org.username, "aud": org.url, "exp": time.time() + 60} | changed
    return jwt.encode(claims, org.jwt_private_key, "RS256")


def bearer(org: Org, text: str) -> httpx.Response:
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": text}
    return post(org, "token", form)


def test_a_signed_assertion(org: Org) -> None:
    said = bearer(org, assertion(org)).json()
    assert said["id"].endswith(org.user_id)
    assert "refresh_token" not in said


ASSERTIONS: dict[str, tuple[dict[str, object], str, str]] = {
    "the app": ({"iss": "nobody"}, "invalid_client_id", "client identifier invalid"),
    "the user": ({"sub": "nobody"}, "invalid_grant", "user hasn't approved this consumer"),
    "the audience": ({"aud": "https://elsewhere"}, "invalid_grant", "audience is invalid"),
    "the time": ({"exp": 1}, "invalid_grant", "expired authorization code"),
}


@pytest.mark.parametrize(("changed", "name", "said"), ASSERTIONS.values(), ids=list(ASSERTIONS))
def test_a_wrong_assertion(org: Org, changed: dict[str, object], name: str, said: str) -> None:
    assert error(bearer(org, assertion(org, **changed))) == (400, name, said)


@pytest.mark.parametrize("text", ["", "a.b.c", "x"])
def test_what_is_no_assertion(org: Org, text: str) -> None:
    assert error(bearer(org, text)) == (400, "invalid_grant", "invalid assertion")


def test_an_assertion_signed_by_somebody_else(org: Org) -> None:
    head, claims, proof = assertion(org).split(".")
    forged = f"{head}.{claims}.{proof[::-1]}"
    unsigned = jwt.encode({"iss": org.client_id, "sub": org.username, "aud": org.url}, None, "none")
    assert [error(bearer(org, text))[1] for text in (forged, unsigned)] == ["invalid_grant"] * 2


def test_a_user_who_may_no_longer_log_in() -> None:
    with start_org(records=0) as org:
        refresh_token = org.refresh_token()
        org.deactivate_user()
        answer = token(org, grant_type="refresh_token", refresh_token=refresh_token)
    assert error(answer) == (400, "inactive_user", "user is inactive")


def introspect(org: Org, text: str) -> httpx.Response:
    return post(org, "introspect", app(org) | {"token": text, "token_type_hint": "access_token"})


def test_introspection_tells_when_a_token_ends(org: Org) -> None:
    said = introspect(org, org.token()).json()
    assert said["active"] is True
    assert said["exp"] - said["iat"] == 7200
    assert (said["client_id"], said["username"], said["token_type"]) == (
        org.client_id,
        org.username,
        "access_token",
    )
    refresh = introspect(org, org.refresh_token()).json()
    assert (refresh["active"], refresh["token_type"], "exp" in refresh) == (True, "refresh_token", False)
    assert introspect(org, "nothing").json() == {"active": False}


def test_an_org_may_refuse_introspection() -> None:
    with start_org(records=0, introspection="refused") as org:
        assert introspect(org, org.token()).status_code == 403
        org.configure(introspection="inactive")
        assert introspect(org, org.token()).json() == {"active": False}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_revoking_the_refresh_token_ends_what_came_of_it(org: Org, method: str) -> None:
    said = exchange(org, code=code(org)).json()
    answer = httpx.request(
        method, f"{org.url}/services/oauth2/revoke", params={"token": said["refresh_token"]}
    )
    assert answer.status_code == 200
    assert introspect(org, said["access_token"]).json() == {"active": False}
    form = {"grant_type": "refresh_token", "refresh_token": said["refresh_token"]}
    assert error(token(org, **form))[1] == "invalid_grant"


def test_revoking_an_access_token_leaves_the_refresh_token(org: Org) -> None:
    said = exchange(org, code=code(org)).json()
    assert post(org, "revoke", {"token": said["access_token"]}).status_code == 200
    assert introspect(org, said["access_token"]).json() == {"active": False}
    assert token(org, grant_type="refresh_token", refresh_token=said["refresh_token"]).status_code == 200
    assert error(post(org, "revoke", {"token": said["access_token"]}))[1] == "invalid_token"


def about(org: Org, path: str, text: str | None = None) -> httpx.Response:
    return httpx.get(
        org.url + path, headers={"Authorization": f"Bearer {text or org.token('api id openid')}"}
    )


def test_who_the_user_is(org: Org) -> None:
    info = about(org, "/services/oauth2/userinfo").json()
    assert (info["user_id"], info["organization_id"]) == (org.user_id, org.org_id)
    identity = about(org, f"/id/{org.org_id}/{org.user_id}").json()
    assert identity["username"] == info["preferred_username"] == org.username
    assert identity["urls"]["rest"].startswith(org.url)


def test_who_the_user_is_is_not_told_to_everybody(org: Org) -> None:
    path = f"/id/{org.org_id}/{org.user_id}"
    assert httpx.get(org.url + path).text == "Missing_OAuth_Token"
    assert about(org, path, "wrong").text == "Bad_OAuth_Token"
    answer = about(org, f"/id/{org.org_id}/nobody")
    assert (answer.status_code, answer.text) == (404, "Bad_Id")
