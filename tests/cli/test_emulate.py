"""`terapi emulate` as a script starts it."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest


def test_it_says_in_one_line_where_it_is_and_ends_when_told(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "runner.cli",
        "-C",
        str(tmp_path),
        "emulate",
        "--port",
        "0",
        "--records",
        "5",
        "--json",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert {"url", "client_id", "client_secret", "username", "password"} <= set(told)
    assert json.loads(urllib.request.urlopen(f"{told['url']}/services/data", timeout=10).read())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode in (0, 143)


WRONG = {
    "require_pkce": "'require_pkce' is no policy with its value; write it such as require_pkce=true",
    "pkce=true": "'pkce' is no policy; there are api_limit, bulk_polls",
    "require_pkce=maybe": "A policy has a value that it cannot have: Expected `bool`, got `str`",
    "hidden_fields=Contact.Nope": "There is no field 'Contact.Nope'; a field is written such as Contact.Birthdate",
}


@pytest.mark.parametrize(("policy", "said"), WRONG.items(), ids=list(WRONG))
def test_a_policy_that_is_none_is_told(tmp_path: Path, policy: str, said: str) -> None:
    command = [sys.executable, "-m", "runner.cli", "-C", str(tmp_path), "emulate", "--set", policy]
    found = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (found.returncode, "Traceback" in found.stderr) == (2, False)
    assert said in " ".join(found.stderr.split())


def test_a_fault_that_is_no_fault_is_told(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "runner.cli",
        "-C",
        str(tmp_path),
        "emulate",
        "--port",
        "0",
        "--fault",
        "sttus:code=503",
    ]
    found = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert found.returncode == 2
    assert "Traceback" not in found.stderr
    assert "status" in found.stderr


def test_over_tls_it_says_whom_to_trust(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "runner.cli", "-C", str(tmp_path), "emulate", "--port", "0", "--tls"]
    command += ["--data", str(tmp_path / "org"), "--records", "1", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    context = ssl.create_default_context(cafile=told["ca_file"])
    assert json.loads(urllib.request.urlopen(f"{told['url']}/services/data", context=context).read())
    assert told["https_proxy"].startswith("http://127.0.0.1:")
    assert (tmp_path / "org" / "tls" / "org.key").stat().st_mode & 0o077 == 0
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)


def test_several_orgs_are_told_together(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "runner.cli",
        "-C",
        str(tmp_path),
        "emulate",
        "--port",
        "0",
        "--records",
        "1",
    ]
    command += ["--org", "acme", "--org", "acme--uat", "--tls", "--my-domain", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    orgs = json.loads(process.stdout.readline())["orgs"]
    assert [org["name"] for org in orgs] == ["acme", "acme--uat"]
    assert [org["url"] for org in orgs] == [
        "https://acme.my.salesforce.com",
        "https://acme--uat.sandbox.my.salesforce.com",
    ]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--org", "No"], "'No' is no name of an org; one is acme, a sandbox of it acme--uat"),
        (["--org", "a", "--org", "a"], "Each `--org` needs a name of its own."),
        (["--my-domain"], "`--my-domain` needs `--tls`"),
    ],
)
def test_orgs_that_cannot_be(tmp_path: Path, options: list[str], said: str) -> None:
    command = [sys.executable, "-m", "runner.cli", "-C", str(tmp_path), "emulate", "--port", "0", *options]
    found = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (found.returncode, "Traceback" in found.stderr) == (2, False)
    assert said in found.stderr
