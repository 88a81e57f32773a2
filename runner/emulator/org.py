"""An org: its data, its clock, who may do what, and what it has been asked."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from runner.emulator import keys
from runner.emulator.bulk.files import Files
from runner.emulator.bulk.work import Work
from runner.emulator.clients import Client, Clients
from runner.emulator.clock import Clock
from runner.emulator.database import Database
from runner.emulator.errors import ApiError, OptionError
from runner.emulator.faults import Faults
from runner.emulator.founding import FIRST_USER, found
from runner.emulator.locks import Locks
from runner.emulator.oauth.devices import Devices
from runner.emulator.oauth.visits import Visits
from runner.emulator.objects import standard
from runner.emulator.objects.added import widened
from runner.emulator.options import SHOWN_LIMIT, Options
from runner.emulator.queries import PAGE, Queries
from runner.emulator.recents import Recents
from runner.emulator.records import Records
from runner.emulator.schema import Schema, seen
from runner.emulator.soql.context import Asked
from runner.emulator.tokens import Tokens

#: requests that the log remembers
LOGGED = 5_000


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One request of the log."""

    method: str
    path: str
    #: what stood behind the question mark; nothing for OAuth's pages, where it may be secret
    query: str
    #: 0 where the connection was cut before an answer
    status: int


class Usage:
    """Calls of the API, of how many that the org allows."""

    def __init__(self, limit: int | None) -> None:
        self.used = 0
        self.limit = limit

    def count(self) -> None:
        """Raises an ApiError REQUEST_LIMIT_EXCEEDED where none is left."""
        if self.limit is not None and self.used >= self.limit:
            raise ApiError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)
        self.used += 1

    @property
    def header(self) -> str:
        """The value of `Sforce-Limit-Info`."""
        return f"api-usage={self.used}/{self.limit or SHOWN_LIMIT}"


class Org:
    """Raises OptionError where it cannot be opened. ``url`` is set when a server has its port."""

    def __init__(self, options: Options, progress: Callable[[int], None] | None = None) -> None:
        self.schema = widened(standard(), options.custom_fields)
        self.clock = Clock()
        self.database = Database(self.schema, options.data)
        found(self.database, self.clock, options, progress)
        self.id = str((self.database.row('SELECT Id FROM "Organization"') or ("",))[0])
        self.url = "http://127.0.0.1"
        self._left = ""
        self.clients = Clients(self.database, self.clock)
        self.tokens = Tokens(self.database, self.clock, self.id)
        self.usage = Usage(options.api_limit)
        self.options = options
        self.devices = Devices(self.database, self.clock)
        self.locks = Locks(self.clock)
        self.faults = Faults(options.faults)
        self.records = Records(self.database, self.clock, self.locks, self.faults)
        self.recents = Recents(self.database, self.clock)
        self.queries = Queries(self.database, self.recents)
        self.bulk = Work(
            self.database, self.clock, self.records, Files(options.data and options.data / "bulk")
        )
        self.visits = Visits()
        self.log: deque[Seen] = deque(maxlen=LOGGED)
        self.control_token = secrets.token_urlsafe(24)

    @property
    def options(self) -> Options:
        return self._options

    @options.setter
    def options(self, options: Options) -> None:
        self.database.visible = seen(self.schema, options.hidden_fields, options.readonly_fields)
        self._options = options
        self.tokens.lifetime = options.session_lifetime
        self.tokens.refresh_lifetime = options.refresh_token_lifetime
        self.usage.limit = options.api_limit

    @property
    def founded(self) -> str:
        """When the org began, as records have their datetimes; its objects have not changed since."""
        return self.database.setting("founded") or self.clock.stamp()

    @property
    def visible(self) -> Schema:
        """The objects and fields that the users of the APIs see."""
        return self.database.visible

    def move(self) -> None:
        """Gives the org another instance URL, this machine's other name; at the one before it is gone."""
        self._left = urlsplit(self.url).netloc
        here, there = ("127.0.0.1", "localhost") if "127.0.0.1" in self.url else ("localhost", "127.0.0.1")
        self.url = self.url.replace(here, there, 1)

    def take_login(self, request_id: str, other: Org) -> None:
        """Goes on with a login that began at another org with the same app: the user is one of ours."""
        request = self.visits.take(request_id, other.visits)
        if request is not None and request.user_code:
            self.devices.take(request.user_code, other.devices)

    def has_left(self, host: str) -> bool:
        """Whether a `Host` is that of the URL which the org had before it moved."""
        return host != "" and host == self._left

    def stop(self) -> None:
        """Lets no work begin any more, and ends what is at work: the org is about to be closed."""
        self.bulk.stop()

    def close(self) -> None:
        self.bulk.close()
        self.database.close()

    @property
    def client(self) -> Client:
        """The app that the org was started with."""
        client = self.clients.get(self.database.setting("client_id") or "")
        if client is None:
            raise OptionError("The org's app was taken away")
        return client

    @property
    def user_id(self) -> str:
        """The first user, who may do everything."""
        return FIRST_USER

    @property
    def password(self) -> str:
        return self.database.setting("password") or ""

    @property
    def security_token(self) -> str:
        """What older clients put behind the password."""
        return self.database.setting("security_token") or ""

    def asked(
        self, text: str, user_id: str, base_url: str, *, all_rows: bool = False, page_size: int = PAGE
    ) -> Asked:
        """A query as a user asks it now, where the user is."""
        row = self.database.row('SELECT TimeZoneSidKey FROM "User" WHERE Id = ?', (user_id,))
        zone = str(row[0]) if row and row[0] and row[0] != "GMT" else "UTC"
        return Asked(
            text=text,
            now=self.clock.now(),
            base_url=base_url,
            all_rows=all_rows,
            user_id=user_id,
            zone=zone,
            page_size=page_size,
        )

    def access_token(self, scope: str = "api refresh_token") -> str:
        """A new access token of the first user and the org's own app."""
        return self.tokens.issue_access(self.tokens.new_grant(self.client.id, self.user_id, scope))

    def jwt_private_key(self) -> str:
        """PEM of the private half of the key that proves the app's JWT bearer assertions.

        The org makes the pair when first asked, unless it was started with a public key of somebody's own;
        then it knows no private one, and this is "".
        """
        if self.options.jwt_public_key is not None:
            return ""
        known = self.database.setting("jwt_private_key")
        if known is not None:
            return known
        private, public = keys.make()
        self.clients.add(msgspec.structs.replace(self.client, public_key=public))
        self.database.set_setting("jwt_private_key", private)
        return private
