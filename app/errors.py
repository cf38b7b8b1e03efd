"""The error tree: what went wrong, in words for the reader, with a code and an HTTP status.

    AppError
    ├── BadInput         BAD_INPUT        400   names the field, the value and the bound
    ├── Unauthenticated  UNAUTHENTICATED  401
    ├── Forbidden        FORBIDDEN        403   nobody but the operator may do this
    ├── NotFound         NOT_FOUND        404   also for what belongs to somebody else
    ├── Conflict         CONFLICT         409
    ├── TooCostly        TOO_COSTLY       422
    ├── RateLimited      RATE_LIMITED     429   retry_after, seconds
    ├── Unavailable      UNAVAILABLE      503   retryable
    └── ConfigError      CONFIG           500   a wrong setting: the process ends with exit code 78

An `AppError` is written for the person who reads it; every other exception is masked as INTERNAL.
`message` is an English template and `values` fills it, so that the edge can translate it.
"""

from __future__ import annotations

from typing import Any, ClassVar


class AppError(Exception):
    """An expected failure: `message % values` in English; `extensions` go to the client."""

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, **values: Any) -> None:
        self.message = message
        self.values = values
        super().__init__(message % values if values else message)

    @property
    def extensions(self) -> dict[str, Any]:
        """What stands beside the message in `errors[].extensions` of GraphQL."""
        return {"code": self.code}


class BadInput(AppError):
    """The caller sent something that cannot be right; `field` says which argument."""

    code = "BAD_INPUT"
    status = 400

    def __init__(self, message: str, *, field: str, **values: Any) -> None:
        super().__init__(message, **values)
        self.field = field

    @property
    def extensions(self) -> dict[str, Any]:
        """Adds the field's name."""
        return {"code": self.code, "field": self.field}


class Unauthenticated(AppError):
    """Nobody is signed in, and this needs somebody."""

    code = "UNAUTHENTICATED"
    status = 401


class Forbidden(AppError):
    """The caller is known and may not do this."""

    code = "FORBIDDEN"
    status = 403


class NotFound(AppError):
    """There is no such thing, or it is not the caller's: the same answer for both."""

    code = "NOT_FOUND"
    status = 404


class Conflict(AppError):
    """It cannot be done in the present state."""

    code = "CONFLICT"
    status = 409


class TooCostly(AppError):
    """The document asks for more than one request may."""

    code = "TOO_COSTLY"
    status = 422


class RateLimited(AppError):
    """Too often; `retry_after` is in seconds."""

    code = "RATE_LIMITED"
    status = 429
    retryable = True

    def __init__(self, message: str, *, retry_after: float, **values: Any) -> None:
        super().__init__(message, **values)
        self.retry_after = retry_after

    @property
    def extensions(self) -> dict[str, Any]:
        """Adds the seconds to wait."""
        return {"code": self.code, "retryAfter": self.retry_after}


class Unavailable(AppError):
    """Something outside does not answer; nothing was lost."""

    code = "UNAVAILABLE"
    status = 503
    retryable = True

    @property
    def extensions(self) -> dict[str, Any]:
        """Adds that it is worth trying again."""
        return {"code": self.code, "retryable": self.retryable}


class ConfigError(AppError):
    """A setting is missing or wrong: named, with its value and what it should be."""

    code = "CONFIG"
    exit_code: ClassVar[int] = 78


def argument(name: str) -> str:
    """What the schema calls an attribute: `settles_on` is its `settlesOn`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
