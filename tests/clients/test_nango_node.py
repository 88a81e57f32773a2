"""The published npm client, unmodified, against a running server and an emulated org."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.calls.access import Access
from runner.definitions.project import Project
from runner.definitions.resources import sample_folder
from runner.emulator.testing import start_org
from runner.store import open_store
from tests.clients.environments import npm
from tests.server.served import KEY, serving


@pytest.mark.slow
def test_the_published_client_works_unchanged(tmp_path: Path) -> None:
    node = npm("@nangohq/node@0.71.10")
    project = Project.load(sample_folder()).checked()
    state = f"sqlite:///{tmp_path}/terapi.db"
    with start_org(records=60) as org:
        environ = {
            "TERAPI_SALESFORCE_CLIENT_ID": org.client_id,
            "TERAPI_SALESFORCE_CLIENT_SECRET": org.client_secret,
        }
        with open_store(state) as store:
            access = Access(project, store, environ)
            config = {"login_url": org.url, "instance_url": org.url}
            place = NewConnection(id="demo", config=config, allow_local=True)
            raw = {"access_token": org.token(), "token_type": "Bearer"}
            held = Credentials(
                type="OAUTH2", access_token=raw["access_token"], refresh_token=org.refresh_token(), raw=raw
            )
            access.connect.keep(project.provider("salesforce"), place, held)
        with serving(project, state, environ) as served:
            told = json.loads(node.run(Path(__file__).parent / "nango_node.mjs", served.url, KEY))
    assert isinstance(told.pop("getToken"), str)
    assert told == {
        "listConnections": [["demo", "salesforce", "string"]],
        "byUser": 0,
        "getConnection": ["demo", "OAUTH2", org.url],
        "hidden": False,
        "shown": True,
        "raw": "Bearer",
        "proxyGet": [200, 2, True],
        "proxyPost": [201, True],
        "proxyPatch": [204, ""],
        "proxyDelete": 204,
        "proxyError": [400, "INVALID_FIELD"],
        "triggerAction": "string",
        "actionError": [424, "script_http_error", 400],
        "unknownAction": [404, "not_found"],
        "triggerSync": {"success": True},
        "listRecords": [61, 2, "ADDED"],
        "byIds": [True],
        "pruneRecords": [True, False, True, 61],
        "full": 200,
        "options": 200,
        "variant": "eu",
        "twice": [400, "sync_variant_already_exists"],
        "variantRemoved": True,
        "ofNone": 0,
        "wrongKey": [401, "unknown_account"],
        "unknownConnection": [404, "not_found"],
    }
