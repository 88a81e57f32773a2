"""The loopback address to which a browser comes back with a code (RFC 8252 §7.3)."""

from __future__ import annotations

import html
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from runner.errors import NotConnected, UsageError

_PATH = "/callback"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>terapi</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;margin:20vh auto;max-width:28rem;text-align:center}}</style>
<h1>{title}</h1><p>{text}</p></html>"""


class Callback:
    """Waits for one answer on 127.0.0.1.

    Args:
        port: the port; 0 takes a free one.

    Raises:
        UsageError: the port is taken.
    """

    def __init__(self, port: int) -> None:
        self._came = threading.Event()
        self._params: dict[str, str] = {}
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        except OSError as exc:
            raise UsageError(
                f"port {port} of this machine is taken, and the browser has to come back to it",
                hint="end what uses it, or choose another with --callback-port (and at the API)",
            ) from exc
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def redirect_uri(self) -> str:
        # By name, since many APIs allow plain http for `localhost` alone.
        return f"http://localhost:{self._server.server_port}{_PATH}"

    def wait(self, seconds: float) -> dict[str, str]:
        """What the browser came back with; see `oauth.code_of`.

        Raises:
            NotConnected: nobody came.
        """
        try:
            if not self._came.wait(seconds):
                raise NotConnected(
                    f"nobody came back from the login within {_words(seconds)}",
                    hint="run the command again and finish the login in the browser",
                )
        finally:
            self._server.shutdown()
            self._server.server_close()
        return self._params

    def take(self, params: dict[str, str]) -> str:
        """Keeps the first answer; gives the page to show."""
        if self._came.is_set():
            return _PAGE.format(title="Nothing to do", text="This login was answered already.")
        self._params = params
        self._came.set()
        if "error" in params:
            said = html.escape(params.get("error_description", params["error"]))
            return _PAGE.format(title="Not connected", text=f"{said}. You can close this page.")
        return _PAGE.format(title="Thank you", text="You can close this page and go back to the terminal.")


def _words(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


def _handler(callback: Callback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Silent: the address holds the code."""

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            known = parts.path == _PATH
            page = (
                callback.take(dict(parse_qsl(parts.query)))
                if known
                else _PAGE.format(title="Not here", text="")
            )
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(page.encode())

    return Handler
