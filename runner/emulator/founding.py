"""What a new org begins with: its own record, users, a connected app, sample data."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Callable

from runner.emulator import ids, words
from runner.emulator.clients import SCOPES, Client, Clients
from runner.emulator.clock import Clock
from runner.emulator.database import Database, Value
from runner.emulator.options import Options
from runner.emulator.recents import Recents
from runner.emulator.samples import plan
from runner.emulator.schema import Kind
from runner.emulator.seed import Seeder

FIRST_USER = ids.make("005", 1)
PROFILES = ("System Administrator", "Standard User", "Read Only")
ROLES = ("CEO", "Sales", "Service")
QUEUES = ("Hotline", "New Leads")
#: records of each object that the first user has looked at
VIEWED = 5


def found(database: Database, clock: Clock, options: Options, progress: Callable[[int], None] | None) -> None:
    """Fills an empty database, once; then sees to the app, which may have been given anew."""
    if database.setting("founded") is None:
        with database.atomic():
            _organization(database, clock, options)
            _people(database, clock)
            _record_types(database, clock)
            _users(database, clock, options)
            Seeder(database, clock, options.seed, progress).fill(plan(options.records))
            for item in database.schema:
                database.index(item)
            _recents(database, clock)
            database.set_setting("founded", clock.stamp())
    _app(database, clock, options)
    _login(database, clock, options)


def _recents(database: Database, clock: Clock) -> None:
    """What the first user has looked at before."""
    recents = Recents(database, clock)
    for name in ("Account", "Contact", "Opportunity"):
        item = database.schema.objects[name]
        recents.mark(item, range(1, min(VIEWED, database.count(item)) + 1), FIRST_USER)


def _app(database: Database, clock: Clock, options: Options) -> None:
    clients = Clients(database, clock)
    known = clients.get(options.client_id or database.setting("client_id") or "")
    client_id = options.client_id or (known.id if known else "3MVG9" + secrets.token_urlsafe(60))
    secret = options.client_secret or (known.secret if known else secrets.token_hex(32).upper())
    clients.add(
        Client(
            id=client_id,
            secret=secret,
            label="terapi",
            redirect_uris=(),
            scopes=SCOPES,
            public_key=options.jwt_public_key or (known.public_key if known else None),
        )
    )
    database.set_setting("client_id", client_id)


def _login(database: Database, clock: Clock, options: Options) -> None:
    password = options.password or database.setting("password") or secrets.token_urlsafe(12)
    database.set_setting("password", password)
    if database.setting("security_token") is None:
        database.set_setting("security_token", secrets.token_hex(12))
    database.run(
        'UPDATE "User" SET Username = ?, Email = ? WHERE n = 1', (options.username, options.username)
    )
    Clients(database, clock).add_login(options.username, password, FIRST_USER)


def _organization(database: Database, clock: Clock, options: Options) -> None:
    """Orgs of different names have different ids."""
    number = zlib.crc32(options.name.encode()) + 1
    values: dict[str, Value] = {
        "Id": ids.make("00D", number),
        "Name": " ".join(options.name.replace("-", " ").split()).title() or "Example Org",
        "InstanceName": "EMU1",
        "IsSandbox": int(options.is_sandbox),
        "OrganizationType": "Developer Edition",
        "LanguageLocaleKey": "en_US",
        "DefaultLocaleSidKey": "en_US",
        "TimeZoneSidKey": "GMT",
        "FiscalYearStartMonth": 1,
    }
    _insert(database, clock, "Organization", 1, values)


def _people(database: Database, clock: Clock) -> None:
    """Profiles, roles, and the queues that may own a case or a lead."""
    for number, name in enumerate(PROFILES, 1):
        _insert(database, clock, "Profile", number, {"Name": name, "UserType": "Standard"})
    for number, name in enumerate(ROLES, 1):
        parent = None if number == 1 else ids.make("00E", 1)
        values: dict[str, Value] = {"Name": name, "DeveloperName": name.replace(" ", "_")}
        _insert(database, clock, "UserRole", number, values | {"ParentRoleId": parent})
    for number, name in enumerate(QUEUES, 1):
        values = {"Name": name, "DeveloperName": name.replace(" ", "_"), "Type": "Queue"}
        _insert(database, clock, "Group", number, values)


def _record_types(database: Database, clock: Clock) -> None:
    number = 0
    for item in database.schema:
        for kind in item.record_types:
            number += 1
            values: dict[str, Value] = {
                "Name": kind.label,
                "DeveloperName": kind.name,
                "SobjectType": item.name,
                "IsActive": 1,
            }
            _insert(database, clock, "RecordType", number, values)


def _users(database: Database, clock: Clock, options: Options) -> None:
    size = min(20, 5 + options.records // 10_000)
    names = zip(words.FIRST_NAMES, words.LAST_NAMES, strict=False)
    for number, (first, last) in zip(range(1, size + 1), names, strict=False):
        first, last = ("Ada", "Lovelace") if number == 1 else (first, last)
        _insert(database, clock, "User", number, _user(number, first, last))


def _user(number: int, first: str, last: str) -> dict[str, Value]:
    username = f"user{number}@org.example"
    return {
        "Username": username,
        "FirstName": first,
        "LastName": last,
        "Name": f"{first} {last}",
        "Email": username,
        "Alias": f"user{number}",
        "IsActive": 1,
        "UserType": "Standard",
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "CommunityNickname": f"user{number}",
        "ProfileId": ids.make("00e", 1 if number == 1 else 2),
        "UserRoleId": ids.make("00E", 1 + (number - 1) % len(ROLES)),
        "External_Id__c": f"US-{number:07}",
    }


def _insert(database: Database, clock: Clock, name: str, number: int, values: dict[str, Value]) -> None:
    item = database.schema.objects[name]
    stamp = clock.stamp()
    system = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), stamp)
    authors = dict.fromkeys(("CreatedById", "LastModifiedById"), FIRST_USER)
    row = {"Id": ids.make(item.prefix, number), **system, **authors, **values}
    kept = [row.get(field.name, 0 if field.kind is Kind.BOOLEAN else None) for field in item.stored]
    database.insert(item, [(number, *kept)])
