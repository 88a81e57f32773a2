"""The requests of the authorisation itself: to the token endpoint, to introspection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from runner.auth.masking import Mask, hide
from runner.calls.classify import TRANSIENT, Judge, kind_of
from runner.calls.decode import decoded
from runner.calls.guard import check_url
from runner.calls.retry import Tries
from runner.calls.transport import Transport
from runner.definitions.exchange import Answer, Outgoing, Target
from runner.errors import CallError

_CLIENT = "check the client's id and secret: terapi client set"
#: what the protocol's own errors are, and what to do about them
_STANDARD: dict[str, tuple[str, str | None]] = {
    "invalid_grant": ("needs_reconnect", "access was revoked or has expired"),
    "invalid_client": ("auth", _CLIENT),
    "unauthorized_client": ("auth", _CLIENT),
    "temporarily_unavailable": ("unavailable", None),
}


class Asking:
    """Sends such requests; see `runner.auth.tokens.Ask`.

    One whose answer was lost is sent again, although it is a POST: without another try, what it asked for is
    lost as well, and APIs that rotate refresh tokens take the old one once more for that reason.

    Args:
        transports: by whether private addresses may be called.
    """

    def __init__(
        self, transports: Mapping[bool, Transport], sleep: Callable[[float], Awaitable[object]]
    ) -> None:
        self._transports = transports
        self._sleep = sleep

    async def __call__(self, target: Target, request: Outgoing) -> Answer:
        check_url(request.url, target)
        tries = Tries(target.provider.retry, repeatable=True)
        while True:
            try:
                return await self._answered(target, request)
            except CallError as exc:
                hide(exc, Mask(request.secrets))
                following = tries.after(exc, by_token=False)
                if following is None:
                    raise
            await self._sleep(following.wait)

    async def _answered(self, target: Target, request: Outgoing) -> Answer:
        limit = target.provider.limits.answer
        answer = decoded(await self._transports[target.allow_local].send(request, limit))
        judge = Judge(target.provider, {"config": target.config}, Mask(request.secrets))
        error = judge.failure(answer)
        if error is None:
            return answer
        raise _meant(error)


def _meant(error: CallError) -> CallError:
    """The error as the protocol means it, where the provider's rules do not say (RFC 6749 §5.2)."""
    said = error.body.get("error") if isinstance(error.body, dict) else None
    if error.kind == kind_of(error.status or 0) and said in _STANDARD:
        error.kind, error.hint = _STANDARD[said]
        error.transient = error.kind in TRANSIENT
    if error.kind in ("token_expired", "unauthorized"):
        # These are about calls; at a token endpoint a 401 is about the client.
        error.kind, error.transient = "auth", False
    return error
