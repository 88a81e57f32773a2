"""Unpackers: gzip as a stream (RFC 1952), and the one file of a zip archive."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from typing import Final

from runner.definitions.formats.encoding import BadBody, Unpacking

#: the most bytes that one archive may unpack to: what is larger is a fault, or somebody's malice
LARGEST: Final = 4 * 1024**3
#: bytes of an archive that are held in memory; what is beyond lies in a temporary file
_IN_MEMORY: Final = 8 * 1024**2


class Gzip:
    """Unpacks gzip, of several members one after the other."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._unpacking = Unpacking("gzip")
        self._left = largest

    def feed(self, data: bytes) -> bytes:
        parts = []
        try:
            for part in self._unpacking.feed(data):
                self._left -= len(part)
                if self._left < 0:
                    raise ValueError("its gzip unpacks to more than is allowed")
                parts.append(part)
        except BadBody as exc:
            raise ValueError("it is no gzip") from exc
        return b"".join(parts)

    def end(self) -> bytes:
        try:
            self._unpacking.finish()
        except BadBody as exc:
            raise ValueError("its gzip ends too early") from exc
        return b""


class Unzip:
    """Unpacks the only file of a zip archive; its list of files stands at its end, so that comes first."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed in `end`
        self._largest = largest

    def feed(self, data: bytes) -> bytes:
        self._file.write(data)
        return b""

    def end(self) -> bytes:
        with self._file as file:
            try:
                with zipfile.ZipFile(file) as archive:
                    return self._only(archive)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError) as exc:
                raise ValueError(f"it is no zip archive that can be read: {exc}") from exc

    def _only(self, archive: zipfile.ZipFile) -> bytes:
        files = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(files) != 1:
            raise ValueError(f"its zip archive holds {len(files)} files, expected one")
        if files[0].file_size > self._largest:
            raise ValueError("its zip archive unpacks to more than is allowed")
        return archive.read(files[0])
