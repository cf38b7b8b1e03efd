"""Forms: reading what was sent, and the state of one that is shown again with what was wrong."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import Response

from app.errors import AppError, BadInput, RateLimited
from app.translations import Locale, translate_error

MAX_FORM: Final = 16_384
TYPED_WRONG: Final = frozenset({"BAD_INPUT", "NOT_FOUND", "CONFLICT"})
"""Failures that stand beside what was typed, not on a page of their own."""

_ABOUT_PEOPLE: Final = TYPED_WRONG | {"UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED"}
_MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
_SECRET: Final = frozenset({"password", "current", "code"})
"""What is typed again rather than sent back."""


@dataclass(frozen=True)
class Form:
    """A form as a template shows it: what was typed, and what is wrong by field ("" for all)."""

    name: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    retry_after: float | None = None

    def complete(self, response: Response) -> Response:
        """The answer, with when to come again if it was too often."""
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(math.ceil(self.retry_after))
        return response

    def find_unshown(self, page: str) -> Form | None:
        """The form whose errors that a page lacks are said of it as a whole; None: all are there.

        An error may name a field that the page does not draw: an argument that it gives by itself.
        """
        if not self.errors:
            return None
        shown = html.unescape(page)
        if all(text in shown for text in self.errors.values()):
            return None
        rest = [text for name, text in self.errors.items() if not name or text not in shown]
        return replace(self, errors={**self.errors, "": " ".join(rest)})


def refuse(
    error: AppError, typed: Mapping[str, str], locale: Locale, *, name: str = "", field: str = ""
) -> Form:
    """The form again with what was wrong, at the field that the error names, else at `field`.

    Raises:
        AppError: the error itself, when it has nothing to do with what was typed.
    """
    if error.code not in _ABOUT_PEOPLE:
        raise error
    limited = isinstance(error, RateLimited)
    place = error.field if isinstance(error, BadInput) else "" if limited else field
    return Form(
        name,
        {key: value for key, value in typed.items() if key not in _SECRET},
        {place: translate_error(error, locale)},
        error.status if limited else 422,
        error.retry_after if isinstance(error, RateLimited) else None,
    )


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form; of a repeated one the last.

    Raises:
        BadInput: it is no form, or larger than 16,384 bytes.
    """
    return dict(await read_pairs(request))


async def read_pairs(request: Request) -> list[tuple[str, str]]:
    """The fields of a form in order, repeated ones too.

    Raises:
        BadInput: as `read_form`.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _MEDIA_TYPE:
        raise BadInput("A form must be sent as %(type)s.", field="form", type=_MEDIA_TYPE)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            raise BadInput("The form is larger than %(bound)d bytes.", field="form", bound=MAX_FORM)
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise BadInput("The form cannot be read.", field="form") from None


def local_address(text: str | None) -> str:
    """An address of this site; anything else becomes the dashboard's.

    Two slashes, of either kind, name another site, and browsers drop tabs and line ends.
    """
    if not text or not text.startswith("/") or not text.isprintable():
        return "/"
    return "/" if text[1:2] in {"/", "\\"} else text


def with_next(path: str, address: str) -> str:
    """A path that leads on to an address of this site; to the dashboard without a word."""
    onwards = local_address(address)
    return path if onwards == "/" else f"{path}?next={quote(onwards, safe='/')}"
