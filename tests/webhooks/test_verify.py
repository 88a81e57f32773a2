"""The proof of a webhook: what is let through, and what never is."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.definitions.exchange import Headers
from runner.definitions.model import HmacProof, TokenProof, WebhookRules
from runner.definitions.project import Project
from runner.errors import NotProved, UsageError
from runner.webhooks.incoming import Incoming
from runner.webhooks.verify import check, signed
from tests.webhooks.conftest import SECRET, SHOP, signature

NOW = 1_800_000_000.0
BODY = b'{"type": "x", "at": 1800000000}'


def rules(folder: Path, verify: str) -> WebhookRules:
    (folder / "providers.yaml").write_text(f"{SHOP}\n  webhook: {{event: body.type, verify: {verify}}}\n")
    found = Project.load(folder).checked().provider("shop").webhook
    assert found is not None
    return found


def refusal(
    rules: WebhookRules, headers: dict[str, str], body: bytes = BODY, query: dict[str, str] | None = None
) -> str | None:
    """Why a webhook is refused; None where it is let through."""
    try:
        check(rules, SECRET, Incoming(headers=Headers(headers), raw=body, query=query or {}), NOW)
    except NotProved as exc:
        return exc.message
    return None


HEX = signature(BODY).hex()
STAMPED = "1800000000." + BODY.decode()
PLAIN = "{hmac: {header: X-Sig}}"
SIGNED_TIME = (
    "{hmac: {signature: \"headers['x-sig'].split(' ')\", prefix: 'v1=', timestamp: \"headers['x-time']\","
    " of: \"headers['x-time'] ~ '.' ~ request.raw\", within: 2m}}"
)


def stamped(time: str, secret: str = SECRET) -> str:
    return f"v1={signature(f'{time}.'.encode() + BODY, secret).hex()}"


@pytest.mark.parametrize(
    ("verify", "headers", "expected"),
    [
        (PLAIN, {"X-Sig": HEX}, None),
        (PLAIN, {"x-sig": HEX.upper()}, None),
        (PLAIN, {}, "the webhook carries no signature"),
        (PLAIN, {"X-Sig": ""}, "the signature does not fit the body"),
        (PLAIN, {"X-Sig": HEX[:-2]}, "the signature does not fit the body"),
        (PLAIN, {"X-Sig": HEX[:-1] + ("0" if HEX[-1] != "0" else "1")}, "the signature does not fit the body"),
        (PLAIN, {"X-Sig": "no hex at all"}, "the signature does not fit the body"),
        (PLAIN, {"X-Sig": signature(BODY, "another").hex()}, "the signature does not fit the body"),
        ("{hmac: {header: X-Sig, prefix: sha256=}}", {"X-Sig": f"sha256={HEX}"}, None),
        ("{hmac: {header: X-Sig, prefix: sha256=}}", {"X-Sig": HEX}, "the webhook carries no signature"),
        ("{hmac: {header: X-Sig, algorithm: sha1}}", {"X-Sig": signature(BODY, algorithm="sha1").hex()}, None),
        ("{hmac: {header: X-Sig, algorithm: sha512}}", {"X-Sig": HEX}, "the signature does not fit the body"),
        ("{hmac: {header: X-Sig, encoding: base64}}", {"X-Sig": base64.b64encode(signature(BODY)).decode()}, None),
        ("{hmac: {header: X-Sig, encoding: base64}}", {"X-Sig": "%%%"}, "the signature does not fit the body"),
        (SIGNED_TIME, {"X-Time": "1800000000", "X-Sig": stamped("1800000000")}, None),
        (SIGNED_TIME, {"X-Time": "1799999880", "X-Sig": stamped("1799999880")}, None),
        (SIGNED_TIME, {"X-Time": "1800000000123", "X-Sig": stamped("1800000000123")}, None),
        (SIGNED_TIME, {"X-Time": "2027-01-15T08:00:00Z", "X-Sig": stamped("2027-01-15T08:00:00Z")}, None),
        (SIGNED_TIME, {"X-Time": "1800000000", "X-Sig": f"v0=00 {stamped('1800000000', 'old')} {stamped('1800000000')}"}, None),
        (SIGNED_TIME, {"X-Time": "1800000000", "X-Sig": stamped("1800000001")}, "the signature does not fit the body"),
        (SIGNED_TIME, {"X-Time": "1799999879", "X-Sig": stamped("1799999879")}, "the webhook was not signed within 120 s of now"),
        (SIGNED_TIME, {"X-Time": "1800000121", "X-Sig": stamped("1800000121")}, "the webhook was not signed within 120 s of now"),
        (SIGNED_TIME, {"X-Time": "soon", "X-Sig": stamped("soon")}, "the webhook does not say when it was signed: the text 'soon' is no time; expected one such as `2026-07-24T14:05:58Z`"),
        (SIGNED_TIME, {"X-Sig": stamped("1800000000")}, "the signature cannot be checked: "),
        ("{token: {header: X-Token}}", {"X-Token": SECRET}, None),
        ("{token: {header: X-Token}}", {"X-Token": SECRET + "x"}, "the webhook carries a wrong token"),
        ("{token: {header: X-Token}}", {"X-Token": ""}, "the webhook carries a wrong token"),
        ("{token: {header: X-Token}}", {}, "the webhook carries no token"),
    ],
)  # fmt: skip
def test_only_what_is_proved_is_let_through(
    tmp_path: Path, verify: str, headers: dict[str, str], expected: str | None
) -> None:
    found = refusal(rules(tmp_path, verify), headers)
    assert found == expected if expected is None else (found or "").startswith(expected)


def test_a_token_may_stand_in_the_query(tmp_path: Path) -> None:
    found = rules(tmp_path, "{token: {query: token}}")
    assert refusal(found, {}, query={"token": SECRET}) is None
    assert refusal(found, {"token": SECRET}) == "the webhook carries no token"


@pytest.mark.parametrize("body", [b"\xff\xfe\x00 no utf-8", "é€\n".encode(), b""])
def test_the_very_bytes_are_signed(tmp_path: Path, body: bytes) -> None:
    found = rules(tmp_path, "{hmac: {header: X-Sig, of: '\"1.\" ~ request.raw'}}")
    assert refusal(found, {"X-Sig": signature(b"1." + body).hex()}, body) is None


PROOF = HmacProof(header="X-Sig", prefix="v1=", encoding="base64", algorithm="sha512")


@given(st.binary(max_size=200), st.text(max_size=200))
def test_what_is_signed_here_is_proved_and_nothing_else(body: bytes, guess: str) -> None:
    told = WebhookRules(proof=PROOF, event=None)  # type: ignore[arg-type]
    proof = signed(PROOF, SECRET, Incoming(raw=body))
    assert refusal(told, proof, body) is None
    assert refusal(told, proof, body + b" ") is not None
    assert refusal(told, {"X-Sig": guess}, body) is not None


def test_a_token_is_sent_as_it_is() -> None:
    assert signed(TokenProof(header="X-Token"), SECRET, Incoming()) == {"X-Token": SECRET}


def test_what_is_not_simply_a_header_cannot_be_signed() -> None:
    with pytest.raises(UsageError, match="cannot be signed here"):
        signed(TokenProof(query="token"), SECRET, Incoming())
