"""A real org for tests: HTTP on a free port of 127.0.0.1, in a thread beside the test.

    with start_org(records=50) as org:
        headers = {"Authorization": f"Bearer {org.token()}"}
        requests.get(f"{org.url}/services/data/v62.0/limits", headers=headers)

What `create`, `update` and `delete` write lies a second in the past when they return: the org's clock is
put forward by one, so that the next request's `Date` is later than the record's SystemModstamp, which
counts whole seconds.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import orjson

from runner.emulator import certificates
from runner.emulator.clients import Client
from runner.emulator.errors import not_found
from runner.emulator.options import Options
from runner.emulator.org import Org as _Org
from runner.emulator.org import Seen
from runner.emulator.orgs import opened
from runner.emulator.schema import ObjectType
from runner.emulator.server import Secure, Site, in_background, listen, port_of, url_of
from runner.emulator.soql.compile import Asked

#: an org for tests is small unless they ask for more
RECORDS = 20


class Org:
    """A running org, seen from a test."""

    def __init__(self, org: _Org, secure: Secure | None = None) -> None:
        self._org = org
        #: PEM of the authority to trust, and the proxy that stands for the real hosts; only with TLS
        self.authority = secure.certificates.authority if secure else None
        self.proxy = f"http://127.0.0.1:{port_of(secure.proxy)}" if secure else None
        #: such as http://127.0.0.1:40123; both the login and the instance URL
        self.url = org.url
        self.client_id = org.client.id
        self.client_secret = org.client.secret
        self.username = org.options.username
        self.password = org.password
        self.security_token = org.security_token
        self.control_token = org.control_token
        #: the ids of the org and of its first user
        self.org_id = org.id
        self.user_id = org.user_id

    @property
    def jwt_private_key(self) -> str:
        """PEM of the key for the JWT bearer grant; the org makes the pair when first asked."""
        return self._org.jwt_private_key()

    def token(self, scope: str = "api refresh_token") -> str:
        """A new access token of the first user."""
        return self._org.access_token(scope)

    def refresh_token(self, scope: str = "api refresh_token") -> str:
        """A new refresh token of the first user."""
        grant = self._org.tokens.new_grant(self.client_id, self.user_id, scope)
        return self._org.tokens.issue_refresh(grant)

    def add_client(self, client: Client) -> None:
        """Registers another connected app, or changes one."""
        self._org.clients.add(client)

    def create(self, name: str, values: Mapping[str, object] | None = None, /, **fields: object) -> str:
        """Creates a record; gives its id. `org.create("Contact", LastName="Byron")`."""
        record_id = self._org.records.create(self._object(name), {**(values or {}), **fields}, self.user_id)
        self.advance(1)
        return record_id

    def update(self, name: str, record_id: str, /, **fields: object) -> None:
        self._org.records.update(self._object(name), record_id, fields, self.user_id)
        self.advance(1)

    def delete(self, name: str, record_id: str, /) -> None:
        self._org.records.delete(self._object(name), record_id, self.user_id)
        self.advance(1)

    def erase(self, name: str, record_id: str, /) -> None:
        """Deletes a record for good: no query tells of it any more."""
        self._org.records.erase(self._object(name), record_id, self.user_id)
        self.advance(1)

    def undelete(self, name: str, record_id: str, /) -> None:
        self._org.records.undelete(self._object(name), record_id, self.user_id)
        self.advance(1)

    def query(self, soql: str, *, all_rows: bool = False) -> list[dict[str, object]]:
        """The records of a query's first page, without the detour over HTTP."""
        asked = Asked(
            text=soql, now=self._org.clock.now(), base_url="/services/data/v62.0", all_rows=all_rows
        )
        records: list[dict[str, object]] = orjson.loads(self._org.queries.first(asked))["records"]
        return records

    def fault(self, spec: str) -> None:
        """Turns a fault on, written as `--fault` takes it: `org.fault("status:code=503,count=1")`."""
        self._org.faults.add(spec)

    def clear_faults(self) -> None:
        self._org.faults.clear()

    def expire_tokens(self, *, refresh: bool = False) -> None:
        """Ends every access token; with ``refresh`` every refresh token too."""
        if refresh:
            self._org.tokens.expire_all()
        else:
            self._org.tokens.expire_access()

    def expire_locators(self) -> None:
        """Lets every open query lose its place."""
        self._org.queries.forget()

    def deactivate_user(self) -> None:
        """The first user may no longer log in, nor refresh."""
        self._org.database.run('UPDATE "User" SET IsActive = 0 WHERE Id = ?', (self.user_id,))

    def hold(self, record_id: str, seconds: float = 3_600) -> None:
        """Keeps a record locked: writers to it meet UNABLE_TO_LOCK_ROW."""
        self._org.locks.hold(record_id, seconds)

    def release(self) -> None:
        """Lets go of every record that is held."""
        self._org.locks.release()

    def late(self, seconds: float) -> contextlib.AbstractContextManager[None]:
        """What is written in this block is seen so much later, with the stamp of when it was written:
        `with org.late(120): org.create("Contact", LastName="Byron")`.
        """
        return self._org.records.late.transaction(seconds)

    def commit(self) -> int:
        """Lets everything be seen that was to commit late; gives how many records these are."""
        return self._org.records.late.commit()

    def advance(self, seconds: float) -> None:
        """Puts the org's clock forward."""
        self._org.clock.advance(seconds)
        self._org.records.late.settle()

    def now(self) -> str:
        """The org's time as a record has it."""
        return self._org.clock.stamp()

    def configure(self, **changed: object) -> None:
        """Changes options while the org runs: `org.configure(introspection="refused")`."""
        self._org.options = msgspec.structs.replace(self._org.options, **changed)

    def log(self, path: str = "") -> list[Seen]:
        """The requests so far, the oldest first; those only whose path has this in it."""
        return [seen for seen in list(self._org.log) if path in seen.path]

    def clear_log(self) -> None:
        self._org.log.clear()

    @property
    def calls(self) -> int:
        """How many calls of the API were counted."""
        return self._org.usage.used

    def _object(self, name: str) -> ObjectType:
        item = self._org.schema.get(name)
        if item is None:
            raise not_found(f"There is no object {name}")
        return item


@contextlib.contextmanager
def start_org(
    *, records: int = RECORDS, options: Options | None = None, tls: bool = False, **changed: object
) -> Iterator[Org]:
    """Serves an org until the block ends; other options by their names:
    `start_org(rotate_refresh_tokens=True)`. With ``tls`` its `url` is an https one, which those reach who
    trust its `authority`, and those who use its `proxy` by the hosts of the real service too.
    """
    given = msgspec.structs.replace(options or Options(), records=records, **changed)
    with _started([given], tls=tls) as (org,):
        yield org


@contextlib.contextmanager
def start_orgs(
    *names: str, records: int = RECORDS, tls: bool = False, **changed: object
) -> Iterator[list[Org]]:
    """Serves several orgs, each by its name, from one server: `start_orgs("acme", "acme--uat")`. They have
    one app.
    """
    given = msgspec.structs.replace(Options(), records=records, **changed)
    with _started([given.called(name) for name in names], tls=tls) as orgs:
        yield orgs


@contextlib.contextmanager
def _started(all_options: list[Options], *, tls: bool) -> Iterator[list[Org]]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        secure = Secure(certificates.make(folder), listen(0)) if tls else None
        orgs = stack.enter_context(opened(all_options))
        sites = [Site(org, listen(0)) for org in orgs]
        for site in sites:
            site.org.url = url_of(site.listener, secure)
        stack.enter_context(in_background(sites, secure))
        yield [Org(org, secure) for org in orgs]
