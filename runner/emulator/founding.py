"""What a new org begins with: its own record, users, a connected app, sample data."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from runner.emulator import ids, words
from runner.emulator.clients import SCOPES, Client, Clients
from runner.emulator.clock import Clock
from runner.emulator.database import Database, Value, quote
from runner.emulator.options import Options
from runner.emulator.schema import Kind, ObjectType
from runner.emulator.seed import Seeder

FIRST_USER = ids.make("005", 1)
ORG_ID = ids.make("00D", 1)


def found(database: Database, clock: Clock, options: Options, progress: Callable[[int], None] | None) -> None:
    """Fills an empty database, once; then sees to the app, which may have been given anew."""
    if database.setting("founded") is None:
        with database.atomic():
            _organization(database, clock)
            _users(database, clock, options)
            Seeder(database, clock, options.seed, progress).fill(options.records)
            for item in database.schema:
                database.index(item)
            database.set_setting("founded", clock.stamp())
    _app(database, clock, options)
    _login(database, clock, options)


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


def _organization(database: Database, clock: Clock) -> None:
    values: dict[str, Value] = {
        "Name": "Example Org",
        "InstanceName": "EMU1",
        "OrganizationType": "Developer Edition",
    }
    _insert(database, clock, database.schema.objects["Organization"], 1, values)


def _users(database: Database, clock: Clock, options: Options) -> None:
    size = min(20, 5 + options.records // 10_000)
    names = zip(words.FIRST_NAMES, words.LAST_NAMES, strict=False)
    for number, (first, last) in zip(range(1, size + 1), names, strict=False):
        first, last = ("Ada", "Lovelace") if number == 1 else (first, last)
        _insert(database, clock, database.schema.objects["User"], number, _user(number, first, last))


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
        "LocaleSidKey": "en_GB",
        "External_Id__c": f"US-{number:07}",
    }


def _insert(
    database: Database, clock: Clock, item: ObjectType, number: int, values: dict[str, Value]
) -> None:
    stamp = clock.stamp()
    system = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), stamp)
    authors = dict.fromkeys(("CreatedById", "LastModifiedById"), FIRST_USER)
    row = {"Id": ids.make(item.prefix, number), **system, **authors, **values}
    marks = ", ".join("?" * len(item.fields))
    kept = [row.get(field.name, 0 if field.kind is Kind.BOOLEAN else None) for field in item.fields]
    database.run(f"INSERT INTO {quote(item.name)} VALUES (?, {marks})", (number, *kept))  # noqa: S608
