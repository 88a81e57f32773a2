"""Where credentials may be sent."""

from __future__ import annotations

import asyncio

import pytest

from runner.calls.guard import PrivateAddress, check_url, guarded_resolver, is_local
from runner.definitions.exchange import Target
from runner.definitions.model import Provider
from runner.definitions.project import Project
from runner.errors import CallError

SHOP = """
shop:
  auth_mode: NONE
  base_url: https://api.shop.example
  hosts: [api.shop.example, "*.shop.test", localhost]
"""
OWN = {
    "url": "http://127.0.0.1:8870",
    "login": "http://org.internal",
    "outside": "http://evil.example",
    "n": 5,
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "providers.yaml").write_text(SHOP)
    return Project.load(folder).checked().provider("shop")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.shop.example",
        "https://api.shop.example:8443/x?y=https://evil.example",
        "https://API.Shop.Example./x",
        "https://eu.shop.test/x",
        "https://a.b.shop.test/x",
        "HTTPS://api.shop.example/x",
    ],
)
def test_the_providers_own_hosts_are_called(shop: Provider, url: str) -> None:
    check_url(url, Target(provider=shop, config=OWN))


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://api.shop.example", "forbidden_host"),
        ("ftp://api.shop.example", "forbidden_host"),
        ("https://shop.test", "forbidden_host"),
        ("https://evilshop.test", "forbidden_host"),
        ("https://api.shop.example.evil.example", "forbidden_host"),
        ("https://evil.example/api.shop.example", "forbidden_host"),
        ("https://evil.example#@api.shop.example", "forbidden_host"),
        ("https://evil.example\\@api.shop.example", "bad_url"),
        ("https://api.shop.example@evil.example", "bad_url"),
        ("https://me:secret@api.shop.example", "bad_url"),
        ("https://127.0.0.1", "forbidden_host"),
        ("http://127.0.0.1:8870/x", "forbidden_host"),
        ("https://2130706433/", "forbidden_host"),
        ("https://[::1]/", "forbidden_host"),
        ("https://[::ffff:127.0.0.1]/", "forbidden_host"),
        ("https://xn--pi-jia.shop.example/", "forbidden_host"),
        ("https://аpi.shop.example/", "forbidden_host"),
        ("https:///x", "forbidden_host"),
        ("https://api.shop.example:99999/", "bad_url"),
        ("https://[bad/", "bad_url"),
        ("/x", "forbidden_host"),
        ("", "forbidden_host"),
    ],
)
def test_no_other_is(shop: Provider, url: str, kind: str) -> None:
    with pytest.raises(CallError) as caught:
        check_url(url, Target(provider=shop, config=OWN))
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8870/x", True),
        ("http://org.internal/x", True),
        ("http://127.0.0.1:8871/x", False),
        ("http://127.0.0.1/x", False),
        ("http://localhost:8870/x", False),
        ("http://evil.example/x", False),
        ("https://api.shop.example/x", True),
        ("http://api.shop.example/x", False),
    ],
)
def test_what_allow_local_allows(shop: Provider, url: str, allowed: bool) -> None:
    """The connection's own addresses, as far as they are local, and nothing else of this machine."""
    target = Target(provider=shop, config=OWN, allow_local=True)
    if allowed:
        check_url(url, target)
    else:
        with pytest.raises(CallError, match=r"are not sent to|without TLS"):
            check_url(url, target)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True), ("a.localhost", True), ("org.internal", True), ("printer.local", True),
        ("nas.home.arpa", True), ("org", True), ("127.0.0.1", True), ("10.1.2.3", True), ("172.16.0.1", True),
        ("192.168.1.1", True), ("169.254.169.254", True), ("100.64.0.1", True), ("0.0.0.0", True),
        ("224.0.0.1", True), ("::1", True), ("fe80::1", True), ("fd00::1", True), ("::ffff:10.0.0.1", True),
        ("", False), ("example.com", False), ("internal.example", False), ("8.8.8.8", False),
        ("2606:4700::1111", False), ("::ffff:8.8.8.8", False),
    ],
)  # fmt: skip
def test_what_is_local(host: str, local: bool) -> None:
    assert is_local(host) is local


def resolve(host: str, **how: object) -> list[str]:
    async def inside() -> list[str]:
        resolver = guarded_resolver(bool(how.get("allow_local")), through=how.get("through", ()))  # type: ignore[arg-type]
        return [str(found["host"]) for found in await resolver.resolve(host, 443)]

    return asyncio.run(inside())


def test_a_name_that_leads_to_this_machine_is_given_to_those_who_may_go_there() -> None:
    assert "127.0.0.1" in resolve("localhost", allow_local=True)
    assert "127.0.0.1" in resolve("localhost", through=("localhost",))
    with pytest.raises(PrivateAddress, match=r"^localhost leads to a private address$"):
        resolve("localhost")
