"""Records as the org keeps them, beside what its APIs show."""

from __future__ import annotations

from runner.emulator.objects import standard
from runner.emulator.options import Options
from runner.emulator.org import Org


def test_the_id_of_a_record_that_was_erased_is_never_given_again() -> None:
    org = Org(Options(records=0))
    account = standard().objects["Account"]
    first = org.records.create(account, {"Name": "Acme"}, org.user_id)
    org.records.erase(account, first, org.user_id)
    assert org.records.create(account, {"Name": "Umbra"}, org.user_id) > first
    assert org.database.rows('SELECT Id FROM "Account" WHERE Id = ?', (first,)) == []
    org.close()


def test_a_record_in_the_recycle_bin_can_be_erased() -> None:
    org = Org(Options(records=0))
    account = standard().objects["Account"]
    gone = org.records.create(account, {"Name": "Acme"}, org.user_id)
    org.records.delete(account, gone, org.user_id)
    org.records.erase(account, gone, org.user_id)
    assert org.database.rows('SELECT Id FROM "Account"') == []
    org.close()
