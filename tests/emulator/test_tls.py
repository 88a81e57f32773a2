"""The org over TLS, and by the names of the real service."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import httpx
import pytest

from runner.emulator.testing import start_org

LIMITS = "/services/data/v62.0/limits"


def trusting(authority: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority))


def test_those_who_trust_its_authority_reach_it() -> None:
    with start_org(records=0, tls=True) as org:
        assert org.url.startswith("https://127.0.0.1:")
        headers = {"Authorization": f"Bearer {org.token()}"}
        with httpx.Client(verify=trusting(org.authority), headers=headers) as client:
            assert client.get(org.url + LIMITS).status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(org.url + LIMITS)


def test_by_the_proxy_it_has_the_names_of_the_real_service() -> None:
    with start_org(records=0, tls=True) as org:
        form = {
            "grant_type": "password",
            "username": org.username,
            "password": org.password,
            "client_id": org.client_id,
            "client_secret": org.client_secret,
        }
        with httpx.Client(verify=trusting(org.authority), proxy=org.proxy) as client:
            answer = client.post("https://login.salesforce.com/services/oauth2/token", data=form).json()
            headers = {"Authorization": f"Bearer {answer['access_token']}"}
            for host in (
                answer["instance_url"],
                "https://acme.my.salesforce.com",
                "https://acme--uat.sandbox.my.salesforce.com",
            ):
                assert client.get(host + LIMITS, headers=headers).status_code == 200
            for host in ("https://example.com", "https://127.0.0.1:1", "https://salesforce.com.example.com"):
                with pytest.raises(httpx.ProxyError, match="403"):
                    client.get(host)


def test_the_proxy_takes_nothing_but_connect() -> None:
    with start_org(records=0, tls=True) as org:
        assert org.proxy is not None
        assert httpx.get(org.proxy).status_code == 405
        for nonsense in (
            b"\r\n\r\n",
            b"\x16\x03\x01" * 20_000,
            b"CONNECT\r\n\r\n",
            b"CONNECT :x HTTP/1.1\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", int(org.proxy.rpartition(":")[2]))) as connection:
                connection.sendall(nonsense)
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(100) in (
                    b"",
                    b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                )


def test_a_fault_cuts_tls_connections_too() -> None:
    with start_org(records=5, tls=True) as org:
        headers = {"Authorization": f"Bearer {org.token()}"}
        with httpx.Client(verify=trusting(org.authority), headers=headers) as client:
            for fault in ("reset", "truncate"):
                org.fault(f"{fault}:count=1")
                with pytest.raises(httpx.TransportError):
                    client.get(org.url + LIMITS)
            assert client.get(org.url + LIMITS).status_code == 200
