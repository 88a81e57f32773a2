"""What a developer writes without an integration platform: simple-salesforce, a loop, SQLite.

python benchmarks/peers/plain_script.py URL CLIENT_ID CLIENT_SECRET DATABASE
"""

from __future__ import annotations

import json
import sqlite3
import sys

import requests
from contacts import QUERY
from simple_salesforce import Salesforce

PAGE = 2_000


def connect(url: str, client_id: str, client_secret: str) -> Salesforce:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    token = requests.post(f"{url}/services/oauth2/token", data=form, timeout=60).json()["access_token"]
    return Salesforce(instance_url=url, session_id=token)


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
