"""The command as a process, in a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ENVIRON = {"TERAPI_SHOP_CLIENT_ID": "our-client", "TERAPI_SHOP_CLIENT_SECRET": "our-client-secret"}


class Terapi:
    """The command, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {**os.environ, **ENVIRON, "NO_COLOR": "1"}

    def start(self, *args: str, stdin: str | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "runner.cli", "-C", str(self.folder), *args]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=self.environ)
        if stdin is not None and process.stdin is not None:
            process.stdin.write(stdin)
            process.stdin.close()
            process.stdin = None
        return process

    def __call__(self, *args: str, stdin: str | None = None, code: int = 0) -> str:
        process = self.start(*args, stdin=stdin or "")
        out, err = process.communicate(timeout=60)
        assert process.returncode == code, (out, err)
        assert "Traceback" not in err
        self.err = err
        return out

    def json(self, *args: str, stdin: str | None = None, code: int = 0) -> dict[str, object]:
        found = json.loads(self(*args, "--json", stdin=stdin, code=code))
        assert isinstance(found, dict)
        return found
