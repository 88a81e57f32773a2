"""OAuth beyond the first login: devices, My Domains, policies of tokens, OpenID."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from jwt.algorithms import RSAAlgorithm

from runner.emulator.addresses import Address, Kind
from runner.emulator.errors import OAuthError
from runner.emulator.oauth.answer import Answer
from runner.emulator.oauth.ask import Ask
from runner.emulator.oauth.grants import refresh_alone
from runner.emulator.testing import Org, start_org, start_orgs
from tests.emulator.test_oauth import (
    CALLBACK,
    about,
    app,
    ask,
    assertion,
    bearer,
    browser,
    code,
    error,
    exchange,
    field,
    introspect,
    post,
    token,
)

Json = dict[str, object]


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    with start_org(records=0) as running:
        yield running


def begin(org: Org, **form: str) -> Json:
    answer = post(org, "token", {"response_type": "device_code", "client_id": org.client_id, **form})
    assert answer.status_code == 200, answer.text
    said: Json = answer.json()
    return said


def poll(org: Org, device_code: object, **form: str) -> httpx.Response:
    asked = {"grant_type": "device", "client_id": org.client_id, "code": str(device_code)}
    return post(org, "token", asked | form)


def test_a_device_waits_until_somebody_allows_it(org: Org) -> None:
    said = begin(org, scope="api refresh_token")
    assert set(said) == {"device_code", "user_code", "verification_uri", "interval"}
    assert said["verification_uri"] == f"{org.url}/setup/connect"
    pending = (400, "authorization_pending", "device authorization is pending")
    assert error(poll(org, said["device_code"])) == pending
    assert error(poll(org, said["device_code"]))[1] == "slow_down"
    org.advance(5)
    assert error(poll(org, said["device_code"])) == pending
    with httpx.Client(base_url=org.url) as pages:
        typed = str(said["user_code"]).lower()
        typed = f"{typed[:4]}-{typed[4:]}"
        assert f'value="{typed}"' in pages.get("/setup/connect", params={"user_code": typed}).text
        page = pages.post("/setup/connect", data={"user_code": typed})
        login = {"request": field(page, "request"), "username": org.username, "password": org.password}
        page = pages.post("/services/oauth2/login", data=login)
        assert "Your device waits for it." in page.text
        form = {"request": field(page, "request"), "decision": "allow"}
        assert "Your device is connected" in pages.post("/services/oauth2/consent", data=form).text
    answer = poll(org, said["device_code"]).json()
    assert answer["scope"] == "api refresh_token"
    assert {"access_token", "refresh_token", "instance_url"} <= set(answer)
    assert error(poll(org, said["device_code"])) == (400, "invalid_grant", "invalid device code")


def test_a_device_that_is_refused(org: Org) -> None:
    said = begin(org)
    with httpx.Client(base_url=org.url) as pages:
        page = pages.post("/setup/connect", data={"user_code": str(said["user_code"])})
        login = {"request": field(page, "request"), "username": org.username, "password": org.password}
        page = pages.post("/services/oauth2/login", data=login)
        form = {"request": field(page, "request"), "decision": "deny"}
        assert "Your device was refused" in pages.post("/services/oauth2/consent", data=form).text
        again = pages.post("/setup/connect", data={"user_code": str(said["user_code"])})
        assert "That code is none that a device shows." in again.text
    assert error(poll(org, said["device_code"])) == (400, "access_denied", "end-user denied authorization")


def test_a_device_may_be_allowed_without_asking(org: Org) -> None:
    said = begin(org)
    params = {"user_code": str(said["user_code"]), "auto_approve": "1"}
    assert "connected" in httpx.get(f"{org.url}/setup/connect", params=params).text
    assert poll(org, said["device_code"]).status_code == 200


def test_the_codes_of_a_device_end_after_ten_minutes() -> None:
    with start_org(records=0) as org:
        said = begin(org)
        org.advance(600)
        assert error(poll(org, said["device_code"]))[2] == "invalid device code"
        page = httpx.post(f"{org.url}/setup/connect", data={"user_code": str(said["user_code"])})
        assert "That code is none that a device shows." in page.text


def test_a_device_of_an_app_that_is_none(org: Org) -> None:
    answer = post(org, "token", {"response_type": "device_code", "client_id": "nobody"})
    assert error(answer)[1] == "invalid_client_id"
    assert error(poll(org, "nothing"))[1:] == ("invalid_grant", "invalid device code")
    assert error(poll(org, begin(org)["device_code"], client_id="nobody"))[1] == "invalid_client_id"


def at(org: Org, host: str) -> dict[str, str]:
    return {"Host": host}


PASSWORD = {"grant_type": "password"}


def login(org: Org, headers: dict[str, str], path: str = "") -> httpx.Response:
    form = app(org) | PASSWORD | {"username": org.username, "password": org.password}
    return httpx.post(f"{org.url}{path}/services/oauth2/token", data=form, headers=headers)


INSTANCES = {
    "login.salesforce.com": "http://acme.my.salesforce.com",
    "acme.my.salesforce.com": "http://acme.my.salesforce.com",
    "ACME.my.salesforce.com": "http://acme.my.salesforce.com",
    "acme.develop.my.salesforce.com": "http://acme.develop.my.salesforce.com",
    "login.localhost:8870": "http://acme.my.localhost:8870",
    "acme.my.localhost:8870": "http://acme.my.localhost:8870",
}


@pytest.fixture(scope="module")
def acme() -> Iterator[Org]:
    with start_orgs("acme", records=0) as (running,):
        yield running


@pytest.mark.parametrize(("host", "instance"), INSTANCES.items(), ids=list(INSTANCES))
def test_the_instance_is_the_my_domain(acme: Org, host: str, instance: str) -> None:
    said = login(acme, {"Host": host}).json()
    assert said["instance_url"] == instance
    assert said["id"] == f"http://{host.lower()}/id/{acme.org_id}/{acme.user_id}"


def test_where_it_listens_is_an_instance_too(acme: Org) -> None:
    assert login(acme, {}).json()["instance_url"] == acme.url
    assert login(acme, {"Host": "anything.example.com"}).json()["instance_url"] == acme.url


def test_tls_may_end_before_the_org(acme: Org) -> None:
    headers = {"Host": "login.salesforce.com", "X-Forwarded-Proto": "https"}
    assert login(acme, headers).json()["instance_url"] == "https://acme.my.salesforce.com"


@pytest.mark.parametrize("host", ["globex.my.salesforce.com", "acme--uat.sandbox.my.salesforce.com"])
def test_another_my_domain_is_not_here(acme: Org, host: str) -> None:
    answer = login(acme, {"Host": host})
    assert answer.status_code == 404
    assert f"There is no org with the My Domain {host} here." in answer.text


def test_a_my_domain_may_stand_in_the_path(acme: Org) -> None:
    said = login(acme, {}, "/my/acme").json()
    assert said["instance_url"] == f"{acme.url}/my/acme"
    headers = {"Authorization": f"Bearer {said['access_token']}"}
    limits = f"{said['instance_url']}/services/data/v62.0/limits"
    assert httpx.get(limits, headers=headers).status_code == 200
    assert httpx.get(said["id"], headers=headers).json()["urls"]["custom_domain"] == said["instance_url"]
    assert login(acme, {}, "/my/globex").status_code == 404
    assert httpx.get(f"{acme.url}/my/acme").status_code == 404
    with httpx.Client(base_url=f"{acme.url}/my/acme/services/oauth2") as pages:
        page = pages.get("/authorize", params=ask(acme))
        assert 'action="/my/acme/services/oauth2/login"' in page.text
        form = {"request": field(page, "request"), "username": acme.username, "password": acme.password}
        assert 'action="/my/acme/services/oauth2/consent"' in pages.post("/login", data=form).text


def test_an_org_without_a_name_answers_to_any(org: Org) -> None:
    for host in ("globex.my.salesforce.com", "acme--uat.sandbox.my.salesforce.com"):
        assert login(org, {"Host": host}).json()["instance_url"] == f"http://{host}"
    assert (
        login(org, {"Host": "login.salesforce.com"}).json()["instance_url"]
        == "http://example.my.salesforce.com"
    )


def test_the_users_of_a_sandbox_log_in_elsewhere() -> None:
    with start_orgs("acme--uat", records=0) as (org,):
        said = login(org, {"Host": "test.salesforce.com"}).json()
        assert said["instance_url"] == "http://acme--uat.sandbox.my.salesforce.com"
        wrong = {"Host": "login.salesforce.com"}
        assert error(login(org, wrong)) == (400, "invalid_grant", "authentication failure")
        form = app(org) | {"grant_type": "refresh_token", "refresh_token": org.refresh_token()}
        answer = httpx.post(f"{org.url}/services/oauth2/token", data=form, headers=wrong)
        assert error(answer) == (400, "invalid_grant", "expired access/refresh token")
        signed = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion(org)}
        answer = httpx.post(f"{org.url}/services/oauth2/token", data=signed, headers=wrong)
        assert error(answer) == (400, "invalid_grant", "user hasn't approved this consumer")
        with httpx.Client(base_url=org.url, headers=wrong) as pages:
            page = pages.get("/services/oauth2/authorize", params=ask(org))
            typed = {"request": field(page, "request"), "username": org.username, "password": org.password}
            assert (
                "Please check your username and password."
                in pages.post("/services/oauth2/login", data=typed).text
            )
        assert org.query("SELECT IsSandbox FROM Organization")[0]["IsSandbox"] is True


def test_an_app_acts_for_itself_at_the_my_domain_only(org: Org) -> None:
    form = app(org) | {"grant_type": "client_credentials"}
    url = f"{org.url}/services/oauth2/token"
    answer = httpx.post(url, data=form, headers={"Host": "login.salesforce.com"})
    assert error(answer) == (400, "invalid_grant", "request not supported on this domain")
    assert httpx.post(url, data=form, headers={"Host": "acme.my.salesforce.com"}).status_code == 200
    org.configure(client_credentials=False)
    answer = httpx.post(url, data=form)
    org.configure(client_credentials=True)
    assert error(answer) == (400, "invalid_grant", "no client credentials user enabled")


def test_an_assertion_may_be_for_any_name_of_the_org(org: Org) -> None:
    for audience in ("https://login.salesforce.com", "https://test.salesforce.com", org.url):
        assert bearer(org, assertion(org, aud=audience)).status_code == 200
    assert bearer(org, assertion(org, sub="nobody", prn=org.username)).status_code == 200
    assert error(bearer(org, assertion(org, prn="nobody")))[1] == "invalid_grant"


def test_how_long_tokens_work_may_change() -> None:
    with start_org(records=0, session_lifetime=60, refresh_token_lifetime=3600) as org:
        said = introspect(org, org.token()).json()
        assert said["exp"] - said["iat"] == 60
        org.configure(session_lifetime=120)
        said = introspect(org, org.token()).json()
        assert said["exp"] - said["iat"] == 120
        form = {"grant_type": "refresh_token", "refresh_token": org.refresh_token()}
        org.advance(3_599)
        assert token(org, **form).status_code == 200
        org.advance(1)
        assert error(token(org, **form))[2] == "expired access/refresh token"


def test_one_refresh_at_a_time(org: Org) -> None:
    """By the hand of the event loop, so that they surely meet."""
    same, other = org.refresh_token(), org.refresh_token()
    address = Address(kind=Kind.PLAIN, url=org.url, instance_url=org.url)

    async def refreshed() -> list[Answer | BaseException]:
        asks = [
            Ask(org=org._org, address=address, form={**app(org), "refresh_token": sent})
            for sent in (same, same, other, same)
        ]
        return await asyncio.gather(*map(refresh_alone, asks), return_exceptions=True)

    first, second, third, fourth = asyncio.run(refreshed())
    assert isinstance(first, dict)
    assert isinstance(third, dict)
    for refused in (second, fourth):
        assert isinstance(refused, OAuthError)
        assert refused.body() == {
            "error": "invalid_grant",
            "error_description": "token request is already being processed",
        }
    assert token(org, grant_type="refresh_token", refresh_token=same).status_code == 200


def test_an_org_may_ask_for_a_code_challenge() -> None:
    with start_org(records=0, require_pkce=True) as org, browser(org) as pages:
        page = pages.get("/authorize", params=ask(org, code_challenge=""))
        assert (page.status_code, "missing required code challenge" in page.text) == (400, True)
        assert exchange(org, code=code(org)).status_code == 200


def test_a_verifier_without_a_challenge_is_wrong(org: Org) -> None:
    assert error(exchange(org, code=code(org, code_challenge="")))[2] == "invalid code verifier"
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK}
    assert token(org, **form, code=code(org, code_challenge="")).status_code == 200


def test_an_org_may_want_no_secret() -> None:
    with start_org(records=0, require_secret=False) as org:
        said = exchange(org, code=code(org), client_secret="").json()
        form = {"grant_type": "refresh_token", "refresh_token": said["refresh_token"]}
        assert token(org, **form, client_secret="").status_code == 200
        assert error(token(org, **form, client_secret="wrong"))[1] == "invalid_client"


def test_apps_without_a_page_of_their_own(org: Org) -> None:
    success = f"{org.url}/services/oauth2/success"
    with browser(org) as pages:
        back = pages.get("/authorize", params=ask(org, redirect_uri=success) | {"auto_approve": "1"})
    assert back.headers["Location"].startswith(f"{success}?code=")
    assert "Access was allowed" in httpx.get(back.headers["Location"]).text


def test_who_is_thought_to_log_in(org: Org) -> None:
    with browser(org) as pages:
        page = pages.get("/authorize", params=ask(org, login_hint='ada"@x.example'))
    assert 'value="ada&quot;@x.example"' in page.text


def test_an_id_token() -> None:
    with start_org(records=0) as org:
        with browser(org) as pages:
            asked = ask(org, scope="openid api", nonce="n-1") | {"auto_approve": "1"}
            location = pages.get("/authorize", params=asked).headers["Location"]
        said = exchange(org, code=parse_qs(urlsplit(location).query)["code"][0]).json()
        found = httpx.get(f"{org.url}/.well-known/openid-configuration").json()
        (key,) = httpx.get(found["jwks_uri"]).json()["keys"]
        claims = jwt.decode(
            said["id_token"],
            RSAAlgorithm.from_jwk(key),
            ["RS256"],
            audience=org.client_id,
            issuer=found["issuer"],
        )
        assert (claims["nonce"], claims["sub"]) == ("n-1", said["id"])
        half = hashlib.sha256(said["access_token"].encode()).digest()[:16]
        assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        assert found["token_endpoint"] == f"{org.url}/services/oauth2/token"
        assert set(key) >= {"kty", "n", "e", "kid"}
        assert "d" not in key
        assert "id_token" not in exchange(org, code=code(org)).json()


SCOPES = {
    "openid": (False, False),
    "openid email": (True, False),
    "openid profile": (False, True),
    "api": (True, True),
    "full": (True, True),
}


@pytest.mark.parametrize(("scope", "expected"), SCOPES.items(), ids=list(SCOPES))
def test_scopes_say_what_is_told_of_the_user(org: Org, scope: str, expected: tuple[bool, bool]) -> None:
    info = about(org, "/services/oauth2/userinfo", org.token(scope)).json()
    assert ("email" in info, "name" in info) == expected
    assert info["user_id"] == org.user_id


def test_scopes_say_what_a_token_opens(org: Org) -> None:
    path = f"/id/{org.org_id}/{org.user_id}"
    assert about(org, path, org.token("lightning")).text == "Bad_OAuth_Token"
    limits = "/services/data/v62.0/limits"
    assert [about(org, limits, org.token(scope)).status_code for scope in ("openid", "web", "full")] == [
        401,
        200,
        200,
    ]


def test_the_identity_in_other_forms(org: Org) -> None:
    path = f"/id/{org.org_id}/{org.user_id}"
    assert about(org, f"{path}?version=58.0").json()["urls"]["rest"].endswith("/services/data/v58.0/")
    assert about(org, f"{path}?version=latest").json()["urls"]["query"].endswith("/v62.0/query/")
    root = ET.fromstring(about(org, f"{path}?format=xml").content)
    assert (root.tag, root.findtext("username")) == ("user", org.username)
    assert about(org, f"/id/00D000000000000AAA/{org.user_id}").text == "Wrong_Org"
    sent = httpx.post(org.url + path, data={"oauth_token": org.token()})
    assert sent.json()["user_id"] == org.user_id
