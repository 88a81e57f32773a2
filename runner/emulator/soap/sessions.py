"""Login, logout, and what can be asked about the session."""

from __future__ import annotations

from runner.emulator.errors import ApiError
from runner.emulator.soap.call import Call
from runner.emulator.xml import leaf

#: what a session that began with a login may do
SCOPE = "full api web"


def login(call: Call) -> list[str]:
    """By username, and the password with the security token behind it or without."""
    org = call.org
    user_id = org.clients.user_by_password(call.body.value("username"), call.body.value("password"))
    if user_id is None or not org.clients.is_active(user_id) or not call.address.for_its_users:
        message = "Invalid username, password, security token; or user locked out."
        raise ApiError("INVALID_LOGIN", message)
    token = org.tokens.issue_access(org.tokens.new_grant(org.client.id, user_id, SCOPE))
    place = f"{call.version}/{org.id[:15]}"
    told = {
        "metadataServerUrl": f"{call.address.instance_url}/services/Soap/m/{place}",
        "passwordExpired": False,
        "sandbox": org.options.is_sandbox,
        "serverUrl": f"{call.address.instance_url}/services/Soap/u/{place}",
        "sessionId": token,
        "userId": user_id,
    }
    user = _user_info(call, user_id)
    return ["".join(leaf(name, value) for name, value in told.items()) + f"<userInfo>{user}</userInfo>"]


def logout(call: Call) -> list[str]:
    call.org.tokens.spend(call.token)
    return []


def user_info(call: Call) -> list[str]:
    return [_user_info(call, call.user_id)]


def server_timestamp(call: Call) -> list[str]:
    return [leaf("timestamp", call.org.clock.stamp().replace("+0000", "Z"))]


def _user_info(call: Call, user_id: str) -> str:
    org = call.org
    user = (
        org.database.row(
            'SELECT Name, Email, Username, TimeZoneSidKey, LocaleSidKey FROM "User" WHERE Id = ?', (user_id,)
        )
        or ("",) * 5
    )
    name = org.database.row('SELECT Name FROM "Organization"') or ("",)
    told = {
        "accessibilityMode": False,
        "orgAttachmentFileSizeLimit": 26_214_400,
        "orgDefaultCurrencyIsoCode": "USD",
        "orgDisallowHtmlAttachments": False,
        "orgHasPersonAccounts": False,
        "organizationId": org.id,
        "organizationMultiCurrency": False,
        "organizationName": name[0],
        "sessionSecondsValid": int(org.options.session_lifetime),
        "userEmail": user[1],
        "userFullName": user[0],
        "userId": user_id,
        "userLanguage": "en_US",
        "userLocale": user[4],
        "userName": user[2],
        "userTimeZone": user[3],
        "userType": "Standard",
    }
    return "".join(leaf(key, value) for key, value in told.items())
