"""An API that says the same to everybody, as fast as Python can, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SERVER = """
import asyncio, re
BODY = b'{"DailyApiRequests": {"Max": 15000, "Remaining": 14982}}'
HEAD = "HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nSforce-Limit-Info: api-usage=18/15000\\r\\n"
ANSWER = f"{HEAD}Content-Length: {len(BODY)}\\r\\n\\r\\n".encode() + BODY
LENGTH = re.compile(rb"\\r\\nContent-Length: *(\\d+)", re.I)

class Api(asyncio.Protocol):
    held = b""
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.held += data
        head = self.held.find(b"\\r\\n\\r\\n")
        told = LENGTH.search(self.held, 0, head) if head >= 0 else None
        if head >= 0 and len(self.held) >= head + 4 + (int(told[1]) if told else 0):
            self.held = b""
            self.transport.write(ANSWER)

async def main():
    server = await asyncio.get_running_loop().create_server(Api, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@contextmanager
def answering() -> Iterator[str]:
    """Where it listens."""
    process = subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()
