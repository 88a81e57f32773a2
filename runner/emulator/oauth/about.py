"""What can be asked about a token and the user behind it: introspection, revocation, userinfo, identity."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from runner.emulator.database import Value
from runner.emulator.errors import OAuthError
from runner.emulator.http import json, org_of, read_form
from runner.emulator.oauth.grants import identity_url, proved_client, with_client
from runner.emulator.org import Org
from runner.emulator.tokens import Token

_USER = 'SELECT Username, Name, FirstName, LastName, Email, IsActive, SystemModstamp FROM "User" WHERE Id = ?'


async def introspect(request: Request) -> Response:
    """RFC 7662; an app that may not introspect is refused, or told that no token is active, as the org is
    set.
    """
    org, form = org_of(request), with_client(request, await read_form(request))
    proved_client(org, form)
    if org.options.introspection == "refused":
        raise OAuthError("insufficient_scope", "the app may not introspect tokens", status=403)
    found = org.tokens.find(form.get("token", ""))
    if found is None or org.options.introspection == "inactive":
        return json({"active": False})
    return json(_state(org, found))


def _state(org: Org, found: Token) -> dict[str, object]:
    grant = found.grant
    state: dict[str, object] = {
        "active": True,
        "scope": grant.scope,
        "client_id": grant.client_id,
        "username": _user(org, grant.user_id)["username"],
        "sub": identity_url(org, grant.user_id),
        "token_type": f"{found.kind}_token",
        "iat": int(found.issued_at),
        "nbf": int(found.issued_at),
    }
    if found.expires_at is not None:
        state["exp"] = int(found.expires_at)
    return state


async def revoke(request: Request) -> Response:
    """RFC 7009, but a token that is not known is an error."""
    org, form = org_of(request), await read_form(request)
    if not org.tokens.revoke(form.get("token", "")):
        raise OAuthError("invalid_token", "invalid token: token is expired or was revoked")
    return Response(status_code=200)


async def userinfo(request: Request) -> Response:
    org = org_of(request)
    found = await _bearer(request)
    if isinstance(found, Response):
        return found
    user_id = found.grant.user_id
    user = _user(org, user_id)
    return json(
        {
            "sub": identity_url(org, user_id),
            "user_id": user_id,
            "organization_id": org.id,
            "preferred_username": user["username"],
            "nickname": str(user["username"]).partition("@")[0],
            "name": user["name"],
            "email": user["email"],
            "email_verified": True,
            "given_name": user["first_name"],
            "family_name": user["last_name"],
            "zoneinfo": "GMT",
            "user_type": "STANDARD",
            "active": bool(user["active"]),
            "urls": _urls(org, user_id),
        }
    )


async def identity(request: Request) -> Response:
    """The user that an identity URL names, for a token of the same org."""
    org, found = org_of(request), await _bearer(request)
    if isinstance(found, Response):
        return found
    user_id = request.path_params["user_id"]
    if request.path_params["org_id"] != org.id or org.database.row(_USER, (user_id,)) is None:
        return PlainTextResponse("Bad_Id", 404)
    user = _user(org, user_id)
    return json(
        {
            "id": identity_url(org, user_id),
            "asserted_user": True,
            "user_id": user_id,
            "organization_id": org.id,
            "username": user["username"],
            "nick_name": str(user["username"]).partition("@")[0],
            "display_name": user["name"],
            "email": user["email"],
            "email_verified": True,
            "first_name": user["first_name"],
            "last_name": user["last_name"],
            "timezone": "GMT",
            "active": bool(user["active"]),
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_GB",
            "utcOffset": 0,
            "last_modified_date": user["changed"],
            "urls": _urls(org, user_id),
        }
    )


async def _bearer(request: Request) -> Token | Response:
    """The access token of a request to a page about its user, or the refusal in that page's own words."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    form = await read_form(request)
    token = (
        token
        if scheme.lower() in ("bearer", "oauth")
        else form.get("access_token", form.get("oauth_token", ""))
    )
    if not token:
        return PlainTextResponse("Missing_OAuth_Token", 403)
    return org_of(request).tokens.find(token, "access") or PlainTextResponse("Bad_OAuth_Token", 403)


def _user(org: Org, user_id: str) -> dict[str, Value]:
    names = ("username", "name", "first_name", "last_name", "email", "active", "changed")
    return dict(zip(names, org.database.row(_USER, (user_id,)) or [None] * len(names), strict=True))


def _urls(org: Org, user_id: str) -> dict[str, str]:
    rest = f"{org.url}/services/data/v{{version}}"
    return {
        "rest": f"{rest}/",
        "sobjects": f"{rest}/sobjects/",
        "query": f"{rest}/query/",
        "recent": f"{rest}/recent/",
        "search": f"{rest}/search/",
        "profile": f"{org.url}/{user_id}",
        "custom_domain": org.url,
    }
