"""What a developer writes without an integration platform: simple-salesforce, a loop, SQLite.

python benchmarks/peers/plain_script.py URL CLIENT_ID CLIENT_SECRET DATABASE
"""

from __future__ import annotations

import json
import sqlite3
import sys
from typing import Any

import requests
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

PAGE = 2_000
QUERY = (
    "SELECT Id, Name, FirstName, LastName, Salutation, Title, Department, Email, Phone, MobilePhone, "
    "AccountId, Account.Name, OwnerId, LeadSource, Birthdate, Description, MailingStreet, MailingCity, "
    "MailingState, MailingPostalCode, MailingCountry, CreatedDate, IsDeleted, SystemModstamp FROM Contact"
)


class Plain(HTTPAdapter):
    """The client always speaks TLS; the org on loopback does not."""

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)


def connect(url: str, client_id: str, client_secret: str) -> Salesforce:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    token = requests.post(f"{url}/services/oauth2/token", data=form, timeout=60).json()["access_token"]
    session = requests.Session()
    session.mount("https://127.0.0.1", Plain())
    return Salesforce(instance_url=url, session_id=token, session=session)


def main(url: str, client_id: str, client_secret: str, path: str) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE contacts (id TEXT PRIMARY KEY, data TEXT)")
    rows = []
    for record in connect(url, client_id, client_secret).query_all_iter(QUERY):
        record.pop("attributes")
        rows.append((record["Id"], json.dumps(record)))
        if len(rows) == PAGE:
            store(database, rows)
            rows = []
    store(database, rows)


def store(database: sqlite3.Connection, rows: list[tuple[str, str]]) -> None:
    with database:
        database.executemany("INSERT OR REPLACE INTO contacts VALUES (?, ?)", rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
