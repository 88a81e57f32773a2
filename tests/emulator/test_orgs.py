"""Several orgs in one server: each with its own data, users, tokens and URL; kept from run to run; sandboxes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest

from runner.emulator.errors import OptionError
from runner.emulator.options import Options
from runner.emulator.org import Org as RealOrg
from runner.emulator.testing import Org, start_org, start_orgs
from tests.emulator.test_oauth import field
from tests.emulator.test_soap import Soap, login
from tests.emulator.test_tls import LIMITS, trusting

Orgs = list[Org]


@pytest.fixture(scope="module")
def orgs() -> Iterator[Orgs]:
    """Two, and a sandbox of the first."""
    with start_orgs("acme", "globex", "acme--uat", records=20, tls=True) as running:
        yield running


@pytest.fixture
def client(orgs: Orgs) -> Iterator[httpx.Client]:
    """One that knows the hosts of the real service only."""
    with httpx.Client(verify=trusting(orgs[0].authority), proxy=orgs[0].proxy) as found:
        yield found


def names(org: Org) -> list[object]:
    return [row["Name"] for row in org.query("SELECT Name FROM Contact ORDER BY Id")]


def test_each_has_its_own_url_id_users_and_data(orgs: Orgs) -> None:
    for told in ("url", "org_id", "username", "password"):
        assert len({getattr(org, told) for org in orgs}) == 3
    assert len({(org.client_id, org.client_secret) for org in orgs}) == 1
    assert names(orgs[0]) != names(orgs[1])
    orgs[0].create("Contact", LastName="Only here")
    assert [len(org.query("SELECT Id FROM Contact WHERE LastName = 'Only here'")) for org in orgs] == [
        1,
        0,
        0,
    ]


def test_a_token_of_one_is_none_of_another(orgs: Orgs, client: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {orgs[0].token()}"}
    statuses = [client.get(org.url + LIMITS, headers=headers).status_code for org in orgs]
    assert statuses == [200, 401, 401]


def test_a_sandbox_knows_that_it_is_one(orgs: Orgs) -> None:
    told = [org.query("SELECT Name, IsSandbox FROM Organization")[0] for org in orgs]
    assert [(row["Name"], row["IsSandbox"]) for row in told] == [
        ("Acme", False),
        ("Globex", False),
        ("Acme Uat", True),
    ]


def test_each_has_its_host_of_the_real_service(orgs: Orgs, client: httpx.Client) -> None:
    hosts = ("acme.my.salesforce.com", "globex.my.salesforce.com", "acme--uat.sandbox.my.salesforce.com")
    for org, host in zip(orgs, hosts, strict=True):
        headers = {"Authorization": f"Bearer {org.token()}"}
        assert client.get(f"https://{host}{LIMITS}", headers=headers).status_code == 200


def token(client: httpx.Client, host: str, **form: str) -> dict[str, str]:
    told: dict[str, str] = client.post(f"https://{host}/services/oauth2/token", data=form).json()
    return told


PRODUCTION, SANDBOX = "login.salesforce.com", "test.salesforce.com"


@pytest.mark.parametrize(("place", "host"), [(0, PRODUCTION), (1, PRODUCTION), (2, SANDBOX)])
def test_the_login_finds_the_org_that_is_meant(
    orgs: Orgs, client: httpx.Client, place: int, host: str
) -> None:
    org = orgs[place]
    instance = f"https://{org._org.options.host}"
    app = {"client_id": org.client_id, "client_secret": org.client_secret}
    claims = {"iss": org.client_id, "sub": org.username, "aud": f"https://{host}", "exp": 2**32}
    grants = (
        {"grant_type": "refresh_token", "refresh_token": org.refresh_token(), **app},
        {"grant_type": "password", "username": org.username, "password": org.password, **app},
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": jwt.encode(claims, org.jwt_private_key, "RS256"),
        },
    )
    for form in grants:
        assert token(client, host, **form).get("instance_url") == instance, form["grant_type"]
    body = login(org, org.password).replace("<login>", '<login xmlns="urn:partner.soap.sforce.com">')
    envelope = f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{body}</e:Body></e:Envelope>'
    answer = client.post(f"https://{host}/services/Soap/u/62.0", content=envelope)
    assert f"<serverUrl>{instance}/services/Soap/u/" in answer.text


def test_who_logs_in_on_the_page_tells_which_org_it_is(orgs: Orgs, client: httpx.Client) -> None:
    org = orgs[1]
    asked = {
        "response_type": "code",
        "client_id": org.client_id,
        "redirect_uri": "http://localhost:1/callback",
    }
    page = client.get(f"https://{PRODUCTION}/services/oauth2/authorize", params=asked)
    typed = {"request": field(page, "request"), "username": org.username, "password": org.password}
    page = client.post(f"https://{PRODUCTION}/services/oauth2/login", data=typed)
    allowed = {"request": field(page, "request"), "decision": "allow"}
    back = client.post(f"https://{PRODUCTION}/services/oauth2/consent", data=allowed)
    code = back.headers["Location"].partition("code=")[2]
    app = {"client_id": org.client_id, "client_secret": org.client_secret}
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked["redirect_uri"], **app}
    assert token(client, PRODUCTION, **form)["instance_url"] == "https://globex.my.salesforce.com"


def test_a_device_belongs_to_the_org_of_who_allows_it(orgs: Orgs, client: httpx.Client) -> None:
    org = orgs[1]
    said = token(client, PRODUCTION, response_type="device_code", client_id=org.client_id)
    page = client.post(said["verification_uri"], data={"user_code": said["user_code"]})
    typed = {"request": field(page, "request"), "username": org.username, "password": org.password}
    page = client.post(f"https://{PRODUCTION}/services/oauth2/login", data=typed)
    allowed = {"request": field(page, "request"), "decision": "allow"}
    client.post(f"https://{PRODUCTION}/services/oauth2/consent", data=allowed)
    asked = {"grant_type": "device", "client_id": org.client_id, "code": said["device_code"]}
    assert token(client, PRODUCTION, **asked)["instance_url"] == "https://globex.my.salesforce.com"


def test_a_sandbox_is_not_known_to_the_production_login(orgs: Orgs, client: httpx.Client) -> None:
    for org, host in ((orgs[2], PRODUCTION), (orgs[0], SANDBOX)):
        form = {"username": org.username, "password": org.password, "client_id": org.client_id}
        told = token(client, host, grant_type="password", client_secret=org.client_secret, **form)
        assert (told["error"], told["error_description"]) == ("invalid_grant", "authentication failure")


def test_a_login_that_nobody_knows(orgs: Orgs, client: httpx.Client) -> None:
    assert (
        token(client, PRODUCTION, grant_type="password", username="nobody@x.example")["error"]
        == "invalid_client_id"
    )
    long = client.post(f"https://{PRODUCTION}/services/oauth2/token", content=b"a=" + b"b" * 200_000)
    assert long.status_code == 400


def test_a_my_domain_leads_to_its_org_by_host_and_by_path() -> None:
    with start_orgs("acme", "globex", records=0) as (acme, globex):
        headers = {"Authorization": f"Bearer {globex.token()}", "Host": "globex.my.localhost:8870"}
        assert httpx.get(acme.url + LIMITS, headers=headers).status_code == 200
        del headers["Host"]
        assert httpx.get(f"{acme.url}/my/globex{LIMITS}", headers=headers).status_code == 200
        assert httpx.get(f"{acme.url}/my/umbra{LIMITS}", headers=headers).status_code == 404
        form = {
            "grant_type": "password",
            "username": globex.username,
            "password": globex.password,
            "client_id": globex.client_id,
            "client_secret": globex.client_secret,
        }
        url = f"{acme.url}/services/oauth2/token"
        said = httpx.post(url, data=form, headers={"Host": "login.localhost:8870"}).json()
        assert said["instance_url"] == "http://globex.my.localhost:8870"


def test_over_plain_http_each_port_is_an_org() -> None:
    with start_orgs("acme", "globex", records=0) as running:
        answers = [Soap(org, "").call(login(org, org.password))[0] for org in running]
        assert [
            answer.value("serverUrl").startswith(org.url)
            for answer, org in zip(answers, running, strict=True)
        ] == [True, True]
        assert Soap(running[0], "").fault(login(running[1], running[1].password)) == "INVALID_LOGIN"


@pytest.mark.parametrize("name", ["", "Acme", "-a", "a b", "acme--", "acme--uat--x", "../x", "a" * 3 + "/"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(OptionError, match="is no name of an org"):
        Options().called(name)


def test_the_same_seed_makes_the_same_data_everywhere() -> None:
    found = []
    for seed in (5, 5, 6):
        with start_org(records=30, seed=seed) as org:
            found.append(org.query("SELECT Id, Name, Email, Account.Name, Title FROM Contact ORDER BY Id"))
    assert found[0] == found[1] != found[2]


def test_an_org_outlives_its_process(tmp_path: Path) -> None:
    options = Options(records=3, data=tmp_path).called("acme")
    first = RealOrg(options)
    item = first.schema.objects["Contact"]
    record = first.records.create(item, {"LastName": "Kept"}, first.user_id)
    token, told = first.access_token(), (first.id, first.client.id, first.password, first.security_token)
    with first.records.late.transaction(60):
        late = first.records.create(item, {"LastName": "Late"}, first.user_id)
    first.close()
    second = RealOrg(options)
    assert (second.id, second.client.id, second.password, second.security_token) == told
    assert second.tokens.find(token) is not None
    rows = second.database.rows("SELECT Id FROM Contact WHERE LastName IN ('Kept', 'Late')")
    assert rows == [(record,)]
    assert second.records.late.commit() == 1
    assert second.database.rows("SELECT Id FROM Contact WHERE LastName = 'Late'") == [(late,)]
    assert (tmp_path / "acme" / "org.sqlite").exists()
    second.close()
