"""Taking what is uploaded block by block, and sending files so: neither is held in memory whole."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from runner.emulator.bulk.files import BLOCK, blocks
from runner.emulator.errors import EmulatorError


class TooLarge(EmulatorError):
    """More was sent than may be."""


class BadEncoding(EmulatorError):
    """What was said to be gzip is not."""


async def receive(request: Request, file: BinaryIO, limit: int) -> None:
    """Raises TooLarge, BadEncoding; then the file is not whole."""
    async for block in _plain(request):
        if file.tell() + len(block) > limit:
            raise TooLarge(f"More than {limit} bytes were sent")
        file.write(block)


async def _plain(request: Request) -> AsyncIterator[bytes]:
    if request.headers.get("content-encoding", "").strip().lower() != "gzip":
        async for block in request.stream():
            yield block
        return
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        async for block in request.stream():
            while block:
                yield inflate.decompress(block, BLOCK)
                block = inflate.unconsumed_tail
        yield inflate.flush()
    except zlib.error as exc:
        raise BadEncoding("The body is not gzip, as Content-Encoding says") from exc


def send(path: Path, media_type: str) -> Response:
    """A whole file."""
    return send_blocks(blocks(path), path.stat().st_size, media_type)


def send_blocks(body: Iterator[bytes], size: int, media_type: str) -> Response:
    if size <= BLOCK:
        return Response(b"".join(body), media_type=media_type)
    return StreamingResponse(body, media_type=media_type, headers={"Content-Length": str(size)})
