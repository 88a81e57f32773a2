"""What every answer below /services/data has in common: path, version, bodies packed and unpacked."""

from __future__ import annotations

import gzip
import zlib
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from runner.emulator.errors import ApiError, not_found
from runner.emulator.http import MAX_BODY
from runner.emulator.rest import about

#: compressing less than this saves nothing
MIN_COMPRESSED = 1_024
#: bytes of a URL, and of it and the headers together
MAX_URI = 16_384


def path_parts(request: Request) -> list[str]:
    """The path's parts as they were sent: an encoded slash belongs to a value."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return [unquote(part) for part in raw.partition(b"?")[0].decode("latin-1").split("/") if part]


def version_of(part: str) -> str:
    """62.0 for v62.0. Raises ApiError NOT_FOUND for a version that there is not."""
    known = {f"v{number}.0" for number in range(about.FIRST_VERSION, about.LAST_VERSION + 1)}
    if part not in known:
        raise not_found()
    return part[1:]


def check_size(request: Request) -> None:
    """Raises ApiError for a URL, or headers, that are longer than the real service takes."""
    path: bytes = request.scope.get("raw_path") or b""
    query: bytes = request.scope["query_string"]
    if len(path) + len(query) > MAX_URI:
        raise ApiError("URI_TOO_LONG", "URI Too Long", status=414)
    headers = sum(len(name) + len(value) for name, value in request.scope["headers"])
    if len(path) + len(query) + headers > MAX_URI:
        message = "Request Header Fields Too Large"
        raise ApiError("REQUEST_HEADER_FIELDS_TOO_LARGE", message, status=431)


async def body_of(request: Request) -> bytes:
    """The body, unpacked. Raises ApiError."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise _too_large()
        parts.append(part)
    body = b"".join(parts)
    match request.headers.get("content-encoding", "identity").strip().lower():
        case "gzip" | "x-gzip" | "deflate" if body:
            return _unpacked(body)
        case "gzip" | "x-gzip" | "deflate" | "identity" | "":
            return body
        case coding:
            message = f"Content-Encoding {coding[:40]} is not supported"
            raise ApiError("UNSUPPORTED_MEDIA_TYPE", message, status=415)


def _unpacked(body: bytes) -> bytes:
    """gzip or zlib, whichever it is, and never more than a body may have."""
    unpacking = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)
    try:
        plain = unpacking.decompress(body, MAX_BODY + 1)
    except zlib.error as exc:
        raise ApiError("MALFORMED_BODY", f"The body cannot be unpacked: {exc}") from exc
    if len(plain) > MAX_BODY:
        raise _too_large()
    if not unpacking.eof:
        raise ApiError("MALFORMED_BODY", "The body cannot be unpacked: it ends too early")
    return plain


def _too_large() -> ApiError:
    return ApiError("REQUEST_TOO_LARGE", "The request body is too large", status=413)


def compressed(answer: Response, request: Request, limit: int) -> Response:
    body = bytes(answer.body)
    wished = "gzip" in request.headers.get("accept-encoding", "")
    if wished and MIN_COMPRESSED <= len(body) <= limit:
        answer.body = gzip.compress(body, 1)
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Content-Length"] = str(len(answer.body))
        answer.headers["Vary"] = "Accept-Encoding"
    return answer
