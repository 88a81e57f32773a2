"""How a provider says that a webhook is proved and to whom it belongs: what is accepted, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.definitions.model import HmacProof
from runner.definitions.project import Project

PROVIDERS = """
shop:
  auth_mode: NONE
  base_url: https://api.shop.test
  hosts: [api.shop.test]
  connection_config: {organization_id: {title: Organization}}
  webhook:
    verify:
      hmac:
        signature: headers['x-signature'].split(' ')
        prefix: v1=
        of: headers['x-timestamp'] ~ '.' ~ request.raw
        timestamp: headers['x-timestamp']
        within: 2m
    where: {config.organization_id: body.organization, metadata.region: event.region}
    event: event.type
  operations: {ping: {request: {path: /ping}}}
"""


def load(folder: Path, providers: str) -> Project:
    (folder / "providers.yaml").write_text(providers)
    return Project.load(folder)


def test_a_signed_time_and_several_signatures_can_be_said(tmp_path: Path) -> None:
    rules = load(tmp_path, PROVIDERS).checked().provider("shop").webhook
    assert rules is not None
    assert isinstance(rules.proof, HmacProof)
    assert (rules.proof.header, rules.proof.within, rules.proof.prefix) == (None, 120.0, "v1=")
    assert sorted(rules.where) == ["config.organization_id", "metadata.region"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("prefix: v1=", "header: X-Signature", "providers.yaml:10:9: this takes exactly one of `header`, `signature`; found `header` and `signature`"),
        ("        timestamp: headers['x-timestamp']\n", "", "providers.yaml:10:9: `timestamp` is missing: `within` needs it — add `timestamp: …`"),
        ("within: 2m", "within: soon", "providers.yaml:14:17: `within` cannot be the text 'soon' — expected a duration such as `30s`, `5m`, `2h`, `1d`"),
        ("request.raw", "request.row", "providers.yaml:12:52: `request` has no `row` — did you mean `raw`?"),
        ("config.organization_id:", "config.organisation_id:", "providers.yaml:15:13: there is no config `organisation_id` — did you mean `config.organization_id`?"),
        ("config.organization_id:", "organization_id:", "providers.yaml:15:13: `organization_id` cannot be a name here — expected `config.` or `metadata.` and a name"),
        ("event: event.type", "event: event.type\n    connection: body.id", "providers.yaml:15:5: this takes at most one of `connection`, `where`; found `connection` and `where`"),
    ],
)  # fmt: skip
def test_a_webhook_that_is_wrong(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in PROVIDERS
    found = load(tmp_path, PROVIDERS.replace(old, new, 1))
    told = [
        f"{p.place}: {p.message}" + (f" — {p.suggestion}" if p.suggestion else "") for p in found.problems
    ]
    assert [line.removesuffix(" — remove one") for line in told] == [expected]
