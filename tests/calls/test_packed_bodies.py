"""Bodies are unpacked the same, however the wire cuts them; what is cut short or broken is told."""

from __future__ import annotations

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.calls.retry_after import seconds_of
from runner.definitions.formats.encoding import BadBody, UnknownPacking, Unpacking

BODY = st.one_of(
    st.binary(max_size=3_000), st.builds(lambda b, n: b * n, st.binary(max_size=9), st.integers(0, 9_000))
)
CUTS = st.lists(st.integers(1, 500), max_size=50)


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


PACKED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "gzip, gzip": lambda content: gzip.compress(gzip.compress(content)),
    "deflate, gzip": lambda content: gzip.compress(zlib.compress(content)),
    "identity": bytes,
}


def unpacked(encoding: str, sent: bytes, cuts: list[int]) -> bytes:
    unpacking, found, start = Unpacking(encoding), b"", 0
    for cut in [*cuts, len(sent) + 1]:
        found += b"".join(unpacking.feed(sent[start : start + cut]))
        start += cut
    unpacking.finish()
    return found


@pytest.mark.parametrize("encoding", PACKED)
@given(body=BODY, cuts=CUTS)
def test_cuts_do_not_matter(encoding: str, body: bytes, cuts: list[int]) -> None:
    sent = PACKED[encoding](body)
    if (
        encoding == "Deflate"
        and sent[:1]
        and sent[0] & 0x0F == 8
        and int.from_bytes(sent[:2], "big") % 31 == 0
    ):
        return  # looks like the zlib format: nobody can tell
    assert unpacked(encoding, sent, cuts) == body


@given(body=BODY, missing=st.integers(1, 20))
def test_what_ends_too_early_is_told(body: bytes, missing: int) -> None:
    sent = gzip.compress(body)
    with pytest.raises(BadBody, match="ends too early"):
        unpacked("gzip", sent[: max(1, len(sent) - missing)], [])


@given(
    sent=st.binary(min_size=1, max_size=200), encoding=st.sampled_from(["gzip", "deflate", "gzip, deflate"])
)
def test_rubbish_is_told_and_never_anything_else(sent: bytes, encoding: str) -> None:
    with contextlib.suppress(BadBody):
        unpacked(encoding, sent, [])


def test_a_small_body_that_unpacks_to_a_huge_one_comes_in_pieces() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    sizes = [len(piece) for piece in Unpacking("gzip").feed(bomb)]
    assert (sum(sizes), max(sizes)) == (50_000_000, 256 * 1024)


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, br", "gzip;q=1"])
def test_other_packings_are_refused_by_name(encoding: str) -> None:
    with pytest.raises(UnknownPacking, match="which was not asked for"):
        Unpacking(encoding)


@given(st.text(max_size=40))
def test_no_wait_that_an_api_asks_for_can_break_a_call(value: str) -> None:
    found = seconds_of(value, value)
    assert found is None or found >= 0
