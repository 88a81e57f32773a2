"""What the org refuses, in the two shapes in which it says so.

EmulatorError         the root
├── ApiError          REST: a list of {message, errorCode, fields}
├── OAuthError        OAuth: {error, error_description}
└── OptionError       the org was started, or its faults were described, in a way that cannot be
"""

from __future__ import annotations

from collections.abc import Sequence


class EmulatorError(Exception):
    """The org refuses."""


class OptionError(EmulatorError, ValueError):
    """An option or a fault is not one that the org knows."""


class ApiError(EmulatorError):
    """An answer of the REST API that is no success; ``fields`` is left out of the body where it is None."""

    def __init__(
        self, code: str, message: str, *, status: int = 400, fields: Sequence[str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields

    def body(self) -> list[dict[str, object]]:
        problem: dict[str, object] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            problem["fields"] = list(self.fields)
        return [problem]


class OAuthError(EmulatorError):
    """An answer of the OAuth endpoints that is no success."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status

    def body(self) -> dict[str, object]:
        return {"error": self.error, "error_description": self.description}


def session_invalid() -> ApiError:
    return ApiError("INVALID_SESSION_ID", "Session expired or invalid", status=401)


def not_found(message: str = "The requested resource does not exist") -> ApiError:
    return ApiError("NOT_FOUND", message, status=404)
