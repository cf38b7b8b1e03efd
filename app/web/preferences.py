"""What a reader has chosen: language, market colours, theme and privacy, kept in cookies.

Without a cookie the language follows `Accept-Language` and the colours follow the language: Korea
marks rising prices red, the United States green.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.errors import BadInput
from app.translations import LOCALES, Locale, choose_locale

Colors = Literal["kr", "us"]
Theme = Literal["dark", "light", "auto"]
Privacy = Literal["off", "on"]

COOKIE_PREFIX: Final = "sise_"
_YEAR: Final = 365 * 24 * 3600
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "locale": LOCALES,
    "colors": get_args(Colors),
    "theme": get_args(Theme),
    "privacy": get_args(Privacy),
}


@dataclass(frozen=True)
class Preferences:
    """How pages are shown to one reader; each field stands on `<html>`."""

    locale: Locale
    colors: Colors
    theme: Theme
    privacy: Privacy


def read_preferences(connection: HTTPConnection) -> Preferences:
    """The reader's choices; a cookie with a value we never set counts as absent."""
    chosen = {
        name: value
        for name, values in CHOICES.items()
        if (value := connection.cookies.get(COOKIE_PREFIX + name)) in values
    }
    accepted = connection.headers.get("accept-language", "")
    locale = cast("Locale", chosen.get("locale") or choose_locale(accepted))
    return Preferences(
        locale=locale,
        colors=cast("Colors", chosen.get("colors") or ("kr" if locale == "ko" else "us")),
        theme=cast("Theme", chosen.get("theme") or "auto"),
        privacy=cast("Privacy", chosen.get("privacy") or "off"),
    )


def check_choices(form: Mapping[str, object]) -> dict[str, str]:
    """The preferences that a form sets.

    Raises:
        BadInput: a value that is no choice of that preference.
    """
    chosen: dict[str, str] = {}
    for name, values in CHOICES.items():
        value = form.get(name)
        if value is None:
            continue
        if value not in values:
            raise BadInput(
                "%(name)s is %(value)r; it must be one of %(choices)s",
                field=name,
                name=name,
                value=str(value)[:40],
                choices=", ".join(values),
            )
        chosen[name] = str(value)
    return chosen


def set_preferences(response: Response, chosen: Mapping[str, str], *, secure: bool) -> None:
    """Keeps the choices for a year; scripts cannot read the cookies and have no need to."""
    for name, value in chosen.items():
        response.set_cookie(
            COOKIE_PREFIX + name,
            value,
            max_age=_YEAR,
            httponly=True,
            samesite="lax",
            secure=secure,
        )
