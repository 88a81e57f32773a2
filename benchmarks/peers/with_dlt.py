"""A pipeline of dlt's rest_api source into DuckDB: the same query as the plain script's, read page by page.

python benchmarks/peers/with_dlt.py URL CLIENT_ID CLIENT_SECRET DATABASE
"""

from __future__ import annotations

import sys

import dlt
from contacts import QUERY
from dlt.sources.rest_api import rest_api_source


def main(url: str, client_id: str, client_secret: str, path: str) -> None:
    auth = {
        "type": "oauth2_client_credentials",
        "access_token_url": f"{url}/services/oauth2/token",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    endpoint = {
        "path": "query",
        "params": {"q": QUERY},
        "data_selector": "records",
        "paginator": {"type": "json_link", "next_url_path": "nextRecordsUrl"},
    }
    resource = {"name": "contacts", "primary_key": "Id", "write_disposition": "replace", "endpoint": endpoint}
    source = rest_api_source(
        {"client": {"base_url": f"{url}/services/data/v62.0/", "auth": auth}, "resources": [resource]}
    )
    pipeline = dlt.pipeline("contacts", destination=dlt.destinations.duckdb(path), dataset_name="org")
    pipeline.run(source)


if __name__ == "__main__":
    main(*sys.argv[1:])
