"""The proof that a webhook comes from where it says: made, and checked in constant time. No I/O."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping

from runner.definitions.conversions import instant, text
from runner.definitions.model import HmacProof, TokenProof, WebhookRules
from runner.definitions.values import is_nothing
from runner.errors import ExpressionError, NotProved, UsageError
from runner.webhooks.incoming import Incoming

#: how an expression names a header
_HEADER = re.compile(r"headers(?:\[['\"]([\w-]+)['\"]\]|\.(\w+))")
#: a number that is larger counts milliseconds
_MILLISECONDS = 10_000_000_000
_HINT = "let the sender sign with the secret that `terapi client set --webhook-secret-stdin` was given"


def check(rules: WebhookRules, secret: str, incoming: Incoming, now: float) -> None:
    """Lets a webhook pass that its secret proves.

    Args:
        now: seconds since 1970.

    Raises:
        NotProved: it does not; the message says why, and holds nothing of the secret.
    """
    proof = rules.proof
    if isinstance(proof, TokenProof):
        _check_token(proof, secret, incoming)
        return
    scope = incoming.scope
    try:
        given, expected = _given(proof, incoming, scope), _digest(proof, secret, incoming, scope)
        # Each is compared, so that the time tells nothing of which one fits.
        fitting = [hmac.compare_digest(_bytes(proof, one), expected) for one in given]
        if not any(fitting):
            raise NotProved("the signature does not fit the body", hint=_HINT)
        if proof.timestamp is not None:
            _check_time(proof, proof.timestamp.evaluate(scope), now)
    except ExpressionError as exc:
        raise NotProved(f"the signature cannot be checked: {exc.message}") from exc


def signed(proof: HmacProof | TokenProof, secret: str, incoming: Incoming) -> dict[str, str]:
    """The headers that prove a webhook, as its sender would set them.

    Raises:
        UsageError: the proof is not one that can be made from its rules alone.
    """
    if proof.header is None:
        raise UsageError(
            "this provider's webhooks cannot be signed here: their proof is not simply a header",
            hint="set the header yourself with -H, and sign as the API's documentation says",
        )
    if isinstance(proof, TokenProof):
        return {proof.header: secret}
    try:
        digest = _digest(proof, secret, incoming, incoming.scope)
    except ExpressionError as exc:
        raise UsageError(f"the webhook cannot be signed: {exc.message}", hint="set it with -H") from exc
    written = digest.hex() if proof.encoding == "hex" else base64.b64encode(digest).decode()
    return {proof.header: proof.prefix + written}


def timed(proof: HmacProof | TokenProof, now: float) -> dict[str, str]:
    """The header that tells when a webhook is signed, where the proof looks for one."""
    if isinstance(proof, TokenProof) or proof.timestamp is None:
        return {}
    name = _HEADER.search(proof.timestamp.source)
    return {name[1] or name[2]: str(int(now))} if name is not None else {}


def _check_token(proof: TokenProof, secret: str, incoming: Incoming) -> None:
    place: Mapping[str, str] = incoming.headers if proof.header is not None else incoming.query
    given = place.get(proof.header or proof.query or "")
    if given is None:
        raise NotProved("the webhook carries no token", hint=_HINT)
    if not hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode()):
        raise NotProved("the webhook carries a wrong token", hint=_HINT)


def _given(proof: HmacProof, incoming: Incoming, scope: Mapping[str, object]) -> list[str]:
    """The signatures that came with it, without what stands before them."""
    found = proof.signature.evaluate(scope) if proof.signature else incoming.headers.get(proof.header or "")
    each = found if isinstance(found, (list, tuple)) else [found]
    texts = [one.strip() for one in each if isinstance(one, str)]
    given = [one.removeprefix(proof.prefix) for one in texts if one.startswith(proof.prefix)]
    if not given:
        raise NotProved("the webhook carries no signature", hint=_HINT)
    return given


def _digest(proof: HmacProof, secret: str, incoming: Incoming, scope: Mapping[str, object]) -> bytes:
    raw = incoming.raw
    if proof.of is not None:
        raw = text(proof.of.evaluate(scope)).encode("utf-8", "surrogateescape")
    return hmac.digest(secret.encode(), raw, proof.algorithm)


def _bytes(proof: HmacProof, written: str) -> bytes:
    """The digest that a signature writes; none where it writes none."""
    try:
        if proof.encoding == "hex":
            return bytes.fromhex(written)
        return base64.b64decode(written, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _check_time(proof: HmacProof, found: object, now: float) -> None:
    if is_nothing(found):
        raise NotProved("the webhook does not say when it was signed")
    try:
        seconds = _seconds(found)
    except ValueError as exc:
        raise NotProved(f"the webhook does not say when it was signed: {exc}") from exc
    if abs(now - seconds) > proof.within:
        raise NotProved(
            f"the webhook was not signed within {proof.within:g} s of now",
            hint="it may be a replay; if it is not, set this machine's clock right, or `within` higher",
        )


def _seconds(found: object) -> float:
    number = float(found) if isinstance(found, str) and found.strip().isdigit() else found
    if isinstance(number, float | int) and number > _MILLISECONDS:
        number = number / 1000
    return instant(number).timestamp()
