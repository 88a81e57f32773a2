"""A pipeline of dlt's rest_api source: contacts and accounts, read page by page, and again only what changed."""

import dlt
import requests
from dlt.sources.rest_api import rest_api_source
from running import ORG, run

loaded: dict[str, list[dict[str, object]]] = {}


@dlt.destination(batch_size=500)
def sink(rows, table):
    loaded.setdefault(table["name"], []).extend(rows)


def source():
    def resource(name, fields):
        return {
            "name": name,
            "primary_key": "Id",
            "write_disposition": "merge",
            "endpoint": {
                "path": "query",
                "params": {
                    "q": f"SELECT {fields} FROM {name} WHERE SystemModstamp >= {{incremental.start_value}} ORDER BY SystemModstamp"
                },
                "data_selector": "records",
                "paginator": {"type": "json_link", "next_url_path": "nextRecordsUrl"},
                "incremental": {
                    "cursor_path": "SystemModstamp",
                    "initial_value": "2000-01-01T00:00:00.000+0000",
                },
            },
        }

    return rest_api_source(
        {
            "client": {
                "base_url": f"{ORG['url']}/services/data/v62.0/",
                "auth": {
                    "type": "oauth2_client_credentials",
                    "access_token_url": "https://acme.my.salesforce.com/services/oauth2/token",
                    "client_id": ORG["client_id"],
                    "client_secret": ORG["client_secret"],
                },
            },
            "resources": [
                resource("Contact", "Id, LastName, SystemModstamp, Account.Name"),
                resource("Account", "Id, Name, SystemModstamp"),
            ],
        }
    )


pipeline = dlt.pipeline("org", destination=sink, dataset_name="org")


def check_a_full_load():
    pipeline.run(source())
    assert len({row["Id"] for row in loaded["Contact"]}) == 2500
    assert len({row["Id"] for row in loaded["Account"]}) == 250
    assert any(row["Account"]["Name"] for row in loaded["Contact"] if row["Account"])


def check_an_incremental_load():
    loaded.clear()
    headers = {"Authorization": f"Bearer {ORG['token']}"}
    made = {"LastName": "Late", "Email": "late@example.com"}
    url = f"{ORG['url']}/services/data/v62.0/sobjects/Contact"
    assert requests.post(url, json=made, headers=headers).status_code == 201
    pipeline.run(source())
    assert "Late" in {row["LastName"] for row in loaded["Contact"]}
    assert len(loaded["Contact"]) < 20


run(globals())
