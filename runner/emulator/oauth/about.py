"""What can be asked about a token and the user behind it: introspection, revocation, userinfo, identity."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from runner.emulator.database import Value
from runner.emulator.errors import OAuthError
from runner.emulator.http import json
from runner.emulator.oauth.answer import identity_url
from runner.emulator.oauth.ask import Ask, asked
from runner.emulator.rest.formats import as_xml, wishes_xml
from runner.emulator.tokens import Token

#: a token with one of these may ask who its user is, and with one of the second all about them
IDENTITY_SCOPES = frozenset({"api", "full", "id", "openid", "profile", "email", "address", "phone", "web"})
ALL_SCOPES = frozenset({"api", "full", "id", "web"})
#: what else is told, by the scope that it takes (OpenID Connect Core 1.0 §5.4)
_PARTS = {
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "address": ("address",),
    "profile": (
        "name", "given_name", "family_name", "nickname", "preferred_username", "profile", "picture",
        "zoneinfo", "locale", "language", "photos", "updated_at",
    ),
}  # fmt: skip
_COLUMNS = (
    "Id", "Username", "Name", "FirstName", "LastName", "Email", "IsActive", "SystemModstamp", "Street",
    "City", "State", "PostalCode", "Country", "MobilePhone", "TimeZoneSidKey", "LocaleSidKey",
    "LanguageLocaleKey", "CommunityNickname",
)  # fmt: skip
_USER = f'SELECT {", ".join(_COLUMNS)} FROM "User" WHERE Id = ?'  # noqa: S608

User = dict[str, Value]
Json = dict[str, object]


async def introspect(request: Request) -> Response:
    """RFC 7662; an app that may not introspect is refused, or told that no token is active, as the org is
    set.
    """
    ask = await asked(request)
    ask.proved_client()
    org = ask.org
    if org.options.introspection == "refused":
        raise OAuthError("insufficient_scope", "the app may not introspect tokens", status=403)
    found = org.tokens.find(ask.field("token"))
    if found is None or org.options.introspection == "inactive":
        return json({"active": False})
    return json(_state(ask, found))


def _state(ask: Ask, found: Token) -> Json:
    grant = found.grant
    state: Json = {
        "active": True,
        "scope": grant.scope,
        "client_id": grant.client_id,
        "username": (_user(ask, grant.user_id) or {}).get("Username"),
        "sub": identity_url(ask, grant.user_id),
        "token_type": f"{found.kind}_token",
        "iat": int(found.issued_at),
        "nbf": int(found.issued_at),
    }
    if found.expires_at is not None:
        state["exp"] = int(found.expires_at)
    return state


async def revoke(request: Request) -> Response:
    """RFC 7009, but a token that is not known is an error."""
    ask = await asked(request)
    if not ask.org.tokens.revoke(ask.field("token")):
        raise OAuthError("invalid_token", "invalid token: token is expired or was revoked")
    return Response(status_code=200)


async def userinfo(request: Request) -> Response:
    """OpenID Connect Core 1.0 §5.3; an app that may know only part of it is told that part."""
    ask = await asked(request)
    found = _bearer(request, ask)
    if isinstance(found, Response):
        return found
    user = _user(ask, found.grant.user_id) or {}
    return _as_wished(request, ask, _only_granted(_info(ask, user), found.grant.scopes))


def _only_granted(info: Json, scopes: frozenset[str]) -> Json:
    if scopes & ALL_SCOPES:
        return info
    hidden = {key for scope, keys in _PARTS.items() if scope not in scopes for key in keys}
    return {key: value for key, value in info.items() if key not in hidden}


def _info(ask: Ask, user: User) -> Json:
    user_id = str(user["Id"])
    return {
        "sub": identity_url(ask, user_id),
        "user_id": user_id,
        "organization_id": ask.org.id,
        "preferred_username": user["Username"],
        "nickname": user["CommunityNickname"],
        "name": user["Name"],
        "email": user["Email"],
        "email_verified": True,
        "given_name": user["FirstName"],
        "family_name": user["LastName"],
        "zoneinfo": user["TimeZoneSidKey"],
        "photos": _photos(ask),
        "profile": f"{ask.address.instance_url}/{user_id}",
        "picture": _photos(ask)["picture"],
        "address": {
            "street_address": user["Street"],
            "locality": user["City"],
            "region": user["State"],
            "postal_code": user["PostalCode"],
            "country": user["Country"],
        },
        "phone_number": user["MobilePhone"],
        "phone_number_verified": False,
        "is_salesforce_integration_user": False,
        "urls": _urls(ask, user_id),
        "active": bool(user["IsActive"]),
        "user_type": "STANDARD",
        "language": user["LanguageLocaleKey"],
        "locale": user["LocaleSidKey"],
        "utcOffset": 0,
        "updated_at": user["SystemModstamp"],
    }


async def identity(request: Request) -> Response:
    """The user that an identity URL names, for a token of the same org."""
    ask = await asked(request)
    found = _bearer(request, ask)
    if isinstance(found, Response):
        return found
    if request.path_params["org_id"][:15] != ask.org.id[:15]:
        return PlainTextResponse("Wrong_Org", 403)
    user = _user(ask, request.path_params["user_id"])
    if user is None:
        return PlainTextResponse("Bad_Id", 404)
    return _as_wished(request, ask, _identity(ask, user))


def _identity(ask: Ask, user: User) -> Json:
    user_id = str(user["Id"])
    return {
        "id": identity_url(ask, user_id),
        "asserted_user": True,
        "user_id": user_id,
        "organization_id": ask.org.id,
        "username": user["Username"],
        "nick_name": user["CommunityNickname"],
        "display_name": user["Name"],
        "email": user["Email"],
        "email_verified": True,
        "first_name": user["FirstName"],
        "last_name": user["LastName"],
        "timezone": user["TimeZoneSidKey"],
        "photos": _photos(ask),
        "addr_street": user["Street"],
        "addr_city": user["City"],
        "addr_state": user["State"],
        "addr_country": user["Country"],
        "addr_zip": user["PostalCode"],
        "mobile_phone": user["MobilePhone"],
        "mobile_phone_verified": False,
        "is_lightning_login_user": False,
        "status": {"created_date": None, "body": None},
        "urls": _urls(ask, user_id),
        "active": bool(user["IsActive"]),
        "user_type": "STANDARD",
        "language": user["LanguageLocaleKey"],
        "locale": user["LocaleSidKey"],
        "utcOffset": 0,
        "last_modified_date": user["SystemModstamp"],
        "is_app_installed": True,
    }


def _as_wished(request: Request, ask: Ask, said: Json) -> Response:
    """As JSON; as XML where `format`, or what the client accepts, says so. `version` fills in the URLs."""
    version = ask.field("version")
    urls = said.get("urls")
    if version and isinstance(urls, dict):
        number = "62.0" if version == "latest" else version
        said["urls"] = {key: str(url).replace("{version}", number) for key, url in urls.items()}
    wished = ask.field("format") or ("xml" if wishes_xml(request.headers.get("accept", "")) else "json")
    if wished == "xml":
        return Response(as_xml(said, "user"), media_type="application/xml;charset=UTF-8")
    return json(said)


def _bearer(request: Request, ask: Ask) -> Token | Response:
    """The access token of a request to a page about its user, or the refusal in that page's own words."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "oauth"):
        token = ask.field("access_token") or ask.field("oauth_token")
    if not token:
        return PlainTextResponse("Missing_OAuth_Token", 403)
    found = ask.org.tokens.find(token, "access")
    if found is None or not found.grant.scopes & IDENTITY_SCOPES:
        return PlainTextResponse("Bad_OAuth_Token", 403)
    return found


def _user(ask: Ask, user_id: str) -> User | None:
    row = ask.org.database.row(_USER, (user_id,))
    return None if row is None else dict(zip(_COLUMNS, row, strict=True))


def _photos(ask: Ask) -> dict[str, str]:
    stem = f"{ask.address.instance_url}/profilephoto/005"
    return {"picture": f"{stem}/F", "thumbnail": f"{stem}/T"}


def _urls(ask: Ask, user_id: str) -> dict[str, str]:
    url = ask.address.instance_url
    rest, soap = f"{url}/services/data/v{{version}}", f"{url}/services/Soap"
    place = f"{{version}}/{ask.org.id[:15]}"
    return {
        "enterprise": f"{soap}/c/{place}",
        "metadata": f"{soap}/m/{place}",
        "partner": f"{soap}/u/{place}",
        "rest": f"{rest}/",
        "sobjects": f"{rest}/sobjects/",
        "search": f"{rest}/search/",
        "query": f"{rest}/query/",
        "recent": f"{rest}/recent/",
        "tooling_soap": f"{soap}/T/{place}",
        "tooling_rest": f"{rest}/tooling/",
        "profile": f"{url}/{user_id}",
        "feeds": f"{rest}/chatter/feeds",
        "groups": f"{rest}/chatter/groups",
        "users": f"{rest}/chatter/users",
        "feed_items": f"{rest}/chatter/feed-items",
        "feed_elements": f"{rest}/chatter/feed-elements",
        "custom_domain": url,
    }
