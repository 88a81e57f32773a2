"""A call of the partner API, as its handlers see it."""

from __future__ import annotations

import msgspec

from runner.emulator.addresses import Address
from runner.emulator.errors import ApiError
from runner.emulator.org import Org
from runner.emulator.schema import ObjectType
from runner.emulator.xml import Element


class Call(msgspec.Struct, frozen=True, kw_only=True):
    org: Org
    #: such as 62.0
    version: str
    header: Element
    #: the element of the call, with its arguments
    body: Element
    #: by which name the org was called
    address: Address
    #: "" before there is a session
    user_id: str = ""

    @property
    def token(self) -> str:
        session = self.header.find("SessionHeader", "sessionId")
        return session.text.strip() if session is not None else ""

    @property
    def base_url(self) -> str:
        return f"/services/data/v{self.version}"

    def texts(self, name: str) -> list[str]:
        return [child.text.strip() for child in self.body.children if child.name == name]

    def option(self, *path: str) -> str:
        """What a header says, such as `QueryOptions batchSize`."""
        found = self.header.find(*path)
        return found.text.strip() if found is not None else ""

    def item(self, name: str) -> ObjectType:
        """Raises ApiError INVALID_TYPE."""
        found = self.org.visible.get(name)
        if found is None:
            raise ApiError("INVALID_TYPE", f"sObject type '{name}' is not supported.")
        return found
