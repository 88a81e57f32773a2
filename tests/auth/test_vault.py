"""The vault: what is sealed opens with its key and in its place only, and no key or secret is ever shown."""

from __future__ import annotations

import base64
import secrets
import stat
from pathlib import Path

import pytest

from runner.auth.vault import Vault
from runner.errors import StoreError, UsageError
from tests.store.children import line, start

SECRETS = {"access_token": "token-éü", "raw": {"n": 1, "list": [True, None]}}
HERE = "connection:shop:demo"
A, B = "a" * 64, "b" * 64


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.load(tmp_path / "state", {})


def test_what_is_sealed_opens_again(vault: Vault) -> None:
    sealed, key_id = vault.seal(SECRETS, HERE)
    assert b"token" not in sealed
    assert vault.open(sealed, key_id, HERE) == SECRETS
    assert vault.seal(SECRETS, HERE)[0] != sealed


@pytest.mark.parametrize(
    "change",
    [
        lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
        lambda sealed: bytes([sealed[0] ^ 1]) + sealed[1:],
        lambda sealed: sealed[:20],
        lambda sealed: sealed[:5],
        lambda sealed: b"",
    ],
)
def test_what_was_changed_does_not_open(vault: Vault, change: object) -> None:
    sealed, key_id = vault.seal(SECRETS, HERE)
    with pytest.raises(StoreError) as caught:
        vault.open(change(sealed), key_id, HERE)  # type: ignore[operator]
    assert caught.value.message == (
        f"what is stored for {HERE} does not open with its key {key_id}: it was changed or moved"
    )
    assert "connect again" in str(caught.value.hint)


def test_a_row_cannot_take_anothers_place(vault: Vault) -> None:
    sealed, key_id = vault.seal(SECRETS, "connection:shop:other")
    with pytest.raises(StoreError, match="it was changed or moved"):
        vault.open(sealed, key_id, HERE)


def test_the_key_file_is_made_when_something_is_sealed_and_is_its_owners_alone(tmp_path: Path) -> None:
    vault = Vault.load(tmp_path / "state", {})
    assert not (tmp_path / "state").exists()
    vault.seal(SECRETS, HERE)
    assert stat.S_IMODE((tmp_path / "state/key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert [file.name for file in (tmp_path / "state").iterdir()] == ["key"]


def test_a_key_that_another_process_made_meanwhile_is_found(tmp_path: Path) -> None:
    early, late = Vault.load(tmp_path, {}), Vault.load(tmp_path, {})
    assert early.open(*late.seal(SECRETS, HERE), HERE) == SECRETS
    assert early.seal(SECRETS, HERE)[1] == late.seal(SECRETS, HERE)[1]


def test_wider_rights_of_the_key_file_are_taken_away(tmp_path: Path, vault: Vault) -> None:
    vault.seal(SECRETS, HERE)
    (tmp_path / "state/key").chmod(0o644)
    Vault.load(tmp_path / "state", {}).seal(SECRETS, HERE)
    assert stat.S_IMODE((tmp_path / "state/key").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"\xff\xfe\x00", A.encode() + b"\nhalf"])
def test_a_damaged_key_file_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(StoreError) as caught:
        Vault.load(tmp_path, {}).seal(SECRETS, HERE)
    assert caught.value.message == f"the key file {tmp_path}/key is damaged"
    assert "restore it from a backup" in str(caught.value.hint)
    assert (tmp_path / "key").read_bytes() == content


def test_a_key_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="key cannot be used: Not a directory"):
        Vault.load(tmp_path / "file", {}).seal(SECRETS, HERE)


@pytest.mark.parametrize(
    "written",
    [A, A.upper(), f"  {A}\n", base64.b64encode(b"\xaa" * 32).decode(), "q" * 42 + "o",
     base64.urlsafe_b64encode(b"\xfb" * 32).decode(), f"{A},{B}", f"{A} , {B}"],
)  # fmt: skip
def test_the_variable_takes_hex_and_base64(tmp_path: Path, written: str) -> None:
    vault = Vault.load(tmp_path, {"TERAPI_ENCRYPTION_KEY": written})
    assert vault.open(*vault.seal(SECRETS, HERE), HERE) == SECRETS
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize(
    "written", ["topsecret", A[:-1], A + "aa", "é" * 43, f"{A},", "!" * 44, f"{A},topsecret"]
)
def test_a_malformed_key_is_told_and_not_shown(tmp_path: Path, written: str) -> None:
    with pytest.raises(UsageError) as caught:
        Vault.load(tmp_path, {"TERAPI_ENCRYPTION_KEY": written})
    assert caught.value.message == "TERAPI_ENCRYPTION_KEY is not a key: expected 32 bytes in base64 or hex"
    assert "secrets.token_hex(32)" in str(caught.value.hint)


def test_the_newest_key_seals_and_the_older_ones_open(tmp_path: Path) -> None:
    before = Vault.load(tmp_path, {"TERAPI_ENCRYPTION_KEY": A}).seal(SECRETS, HERE)
    rotated = Vault.load(tmp_path, {"TERAPI_ENCRYPTION_KEY": f"{B},{A}"})
    assert rotated.open(*before, HERE) == SECRETS
    assert rotated.seal(SECRETS, HERE)[1] != before[1]


def test_the_files_key_still_opens_when_the_variable_is_set(tmp_path: Path) -> None:
    before = Vault.load(tmp_path, {}).seal(SECRETS, HERE)
    vault = Vault.load(tmp_path, {"TERAPI_ENCRYPTION_KEY": A})
    assert vault.open(*before, HERE) == SECRETS
    assert vault.seal(SECRETS, HERE)[1] != before[1]


def test_a_key_that_is_not_here_is_named(tmp_path: Path) -> None:
    sealed, wanted = Vault.load(tmp_path, {"TERAPI_ENCRYPTION_KEY": A}).seal(SECRETS, HERE)
    other = Vault.load(tmp_path, {"TERAPI_ENCRYPTION_KEY": B})
    held = other.seal(SECRETS, HERE)[1]
    with pytest.raises(StoreError) as caught:
        other.open(sealed, wanted, HERE)
    assert caught.value.message == (
        f"what is stored for {HERE} is sealed with the key {wanted}, but here is {held}"
    )
    assert caught.value.hint == (
        f"add that key to TERAPI_ENCRYPTION_KEY (after a comma), put {tmp_path}/key back, or connect again"
    )


def test_no_key_is_shown(tmp_path: Path) -> None:
    key = secrets.token_hex(32)
    vault = Vault.load(tmp_path, {"TERAPI_ENCRYPTION_KEY": key})
    key_id = vault.seal(SECRETS, HERE)[1]
    assert repr(vault) == f"Vault(keys {key_id})"
    assert key_id not in key


MAKER = """
    import sys
    from pathlib import Path
    from runner.auth.vault import Vault
    vault = Vault.load(Path(sys.argv[1]), {})
    print("ready", flush=True)
    sys.stdin.readline()
    print(vault.seal({}, "race")[1])
"""


def test_processes_that_make_the_key_at_once_share_it(tmp_path: Path) -> None:
    children = [start(MAKER, str(tmp_path / "new")) for _ in range(6)]
    assert [line(child) for child in children] == ["ready"] * 6
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    assert len({child.communicate()[0].strip() for child in children}) == 1
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["key"]


def test_cryptography_is_not_loaded_before_it_is_needed(tmp_path: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from runner.auth.vault import Vault
        Vault.load(Path(sys.argv[1]), {})
        print("cryptography" in sys.modules)
    """
    child = start(script, str(tmp_path))
    assert child.communicate()[0] == "False\n"
