"""Records the tests of the shipped definitions anew, against the emulated org:

python -m tests.shipped.record [NAME…]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from runner.definitions.model import Given
from runner.emulator.testing import start_org
from runner.store import open_store
from runner.testing.record import Wanted, record
from tests.auth.orgs import ROOT
from tests.shipped.cases import CASES
from tests.shipped.orgs import customer

SAMPLES = Path(__file__).parents[1] / "samples"
HEAD = "# yaml-language-server: $schema=../../schemas/test.schema.json\n"
#: params of syncs that have no default
PARAMS: dict[str, dict[str, object]] = {
    "records-by-soql": {"soql": "SELECT Id, Name, Account.Name, Amount, IsClosed FROM Opportunity"},
    "objects": {"objects": ["Milestone__c"]},
}
SYNCS = sorted(path.stem for path in (ROOT / "syncs").glob("*.yaml"))


def recorded(name: str, folder: Path) -> str:
    """The test of a shipped definition."""
    with start_org(records=100) as org, open_store(f"sqlite:///{folder / name}/terapi.db") as store:
        params = PARAMS.get(name, {})
        ours = customer(org, store, {"params": params} if params else None)
        if name in CASES:
            case = CASES[name]
            given = Given(input=case.given(org), mock=case.mock, files=case.files)
            wanted = Wanted(kind="workflow", name=name, given=given, limit=case.limit)
        else:
            wanted = Wanted(kind="sync", name=name, given=Given(params=params), limit=2)
        return HEAD + ours.run(lambda: record(ours.access, ours.access.client(ours.connection), wanted))


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in names or [*CASES, *SYNCS]:
            (SAMPLES / f"{name}.test.yaml").write_text(recorded(name, Path(folder)))
            print(name)


if __name__ == "__main__":
    main(sys.argv[1:])
