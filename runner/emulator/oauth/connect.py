"""The page where somebody enters the code that a device shows (RFC 8628 §3.3)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from runner.emulator.oauth import pages
from runner.emulator.oauth.ask import asked
from runner.emulator.oauth.authorize import first_page
from runner.emulator.oauth.visits import AuthorizeRequest


async def connect(request: Request) -> Response:
    """Asks for the code, then goes on to login and consent; `auto_approve=1` asks nobody."""
    ask = await asked(request)
    user_code = ask.field("user_code")
    if not user_code or (request.method == "GET" and ask.field("auto_approve") != "1"):
        return pages.device(ask.address.prefix, user_code=user_code)
    device = ask.org.devices.shown(user_code)
    if device is None:
        error = "That code is none that a device shows. Check it, or have the device show a new one."
        return pages.device(ask.address.prefix, user_code=user_code, error=error)
    if ask.field("auto_approve") == "1":
        ask.org.devices.decide(device.user_code, ask.org.user_id, allow=True)
        return pages.told("Your device is connected", "It goes on by itself now.")
    wanted = AuthorizeRequest(
        client_id=device.client_id,
        redirect_uri="",
        scope=device.scope,
        state=None,
        challenge=None,
        user_code=device.user_code,
    )
    return first_page(request, ask, wanted)
