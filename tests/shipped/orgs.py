"""A customer of a small org, whose connection says nothing but where the org is."""

from __future__ import annotations

from runner.auth.connect import NewConnection
from runner.auth.credentials import Credentials
from runner.emulator.testing import Org
from runner.store import Store
from tests.auth.orgs import Ours


def customer(org: Org, store: Store, metadata: dict[str, object] | None = None) -> Ours:
    ours = Ours(org, store)
    new = NewConnection(id="demo", config={"instance_url": org.url}, metadata=metadata, allow_local=True)
    given = Credentials(type="OAUTH2", access_token=org.token(), refresh_token=org.refresh_token())
    ours.access.connect.keep(ours.provider, new, given)
    return ours
