"""Packed answers, good and broken."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.definitions.formats import unpack
from runner.definitions.formats.unpack import Gzip, Unzip
from tests.definitions.formats.test_rows import read


def zipped(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


@given(parts=st.lists(st.binary(max_size=50), min_size=1, max_size=3), size=st.integers(1, 30))
def test_gzip_of_several_members_is_unpacked_wherever_it_is_cut(parts: list[bytes], size: int) -> None:
    packed = b"".join(gzip.compress(part) for part in parts)
    stream = Gzip()
    found = b"".join(stream.feed(packed[at : at + size]) for at in range(0, len(packed), size))
    assert found + stream.end() == b"".join(parts)


def test_a_packed_csv_is_read() -> None:
    assert read(("gzip", "csv"), gzip.compress(b"a\n1\n")) == [{"a": "1"}]
    assert read(("zip", "csv"), zipped(a=b"a\n1\n")) == [{"a": "1"}]
    assert unpack(("zip", "gzip", "json"), zipped(a=gzip.compress(b"[1]"))) == b"[1]"


@pytest.mark.parametrize(
    ("step", "content", "sentence"),
    [
        ("gzip", b"plain", "it is no gzip"),
        ("gzip", gzip.compress(b"some text")[:-3], "its gzip ends too early"),
        ("zip", b"plain", "it is no zip archive that can be read: "),
        ("zip", zipped(a=b"1", b=b"2"), "its zip archive holds 2 files, expected one"),
        ("zip", zipped(), "its zip archive holds 0 files, expected one"),
    ],
)
def test_what_is_not_packed_so_is_said(step: str, content: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"gzip|zip") as caught:
        unpack((step, "text"), content)
    assert str(caught.value).startswith(sentence)


def test_what_grows_without_end_is_refused() -> None:
    bomb = gzip.compress(bytes(100_000))
    with pytest.raises(ValueError, match="more than is allowed"):
        Gzip(largest=1_000).feed(bomb)
    archive = Unzip(largest=1_000)
    archive.feed(zipped(a=bytes(100_000)))
    with pytest.raises(ValueError, match="more than is allowed"):
        archive.end()
