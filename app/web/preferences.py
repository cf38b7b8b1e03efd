"""What a reader has chosen: language, market colours, theme, privacy, currency.

It is kept in cookies, and for who has signed in with the account, which comes before the cookies.
Without either the language follows `Accept-Language` and the colours follow the language: Korea
marks rising prices red, the United States green.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.errors import BadInput
from app.translations import LOCALES, Locale, choose_locale

Colors = Literal["kr", "us"]
Theme = Literal["dark", "light", "auto"]
Privacy = Literal["off", "on"]
Currency = Literal["KRW", "USD"]

COOKIE_PREFIX: Final = "sise_"
_YEAR: Final = 365 * 24 * 3600
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "locale": LOCALES,
    "colors": get_args(Colors),
    "theme": get_args(Theme),
    "privacy": get_args(Privacy),
    "currency": get_args(Currency),
}
_KEY: Final = "sise.choices"
_WELCOME: Final = "welcome"


@dataclass(frozen=True)
class Preferences:
    """How pages are shown to one reader; `currency` is that of totals."""

    locale: Locale
    colors: Colors
    theme: Theme
    privacy: Privacy
    currency: Currency


def read_preferences(connection: HTTPConnection) -> Preferences:
    """The reader's choices; a cookie with a value we never set counts as absent."""
    chosen = read_cookies(connection) | connection.scope.get(_KEY, {})
    accepted = connection.headers.get("accept-language", "")
    locale = cast("Locale", chosen.get("locale") or choose_locale(accepted))
    return Preferences(
        locale=locale,
        colors=cast("Colors", chosen.get("colors") or ("kr" if locale == "ko" else "us")),
        theme=cast("Theme", chosen.get("theme") or "auto"),
        privacy=cast("Privacy", chosen.get("privacy") or "off"),
        currency=cast("Currency", chosen.get("currency") or ("KRW" if locale == "ko" else "USD")),
    )


def read_cookies(connection: HTTPConnection) -> dict[str, str]:
    """The choices that stand in cookies."""
    return {
        name: value
        for name, values in CHOICES.items()
        if (value := connection.cookies.get(COOKIE_PREFIX + name)) in values
    }


def prefer(scope: MutableMapping[str, Any], own: Mapping[str, str]) -> None:
    """Puts the choices of an account before the cookies of this request."""
    scope[_KEY] = own


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
        _keep(response, name, value, secure=secure)


def wants_welcome(connection: HTTPConnection) -> bool:
    """Whether the reader has not put the notice of the first run away."""
    return connection.cookies.get(COOKIE_PREFIX + _WELCOME) != "later"


def put_welcome_away(response: Response, *, secure: bool) -> None:
    """Shows the notice of the first run no more to this reader."""
    _keep(response, _WELCOME, "later", secure=secure)


def _keep(response: Response, name: str, value: str, *, secure: bool) -> None:
    response.set_cookie(
        COOKIE_PREFIX + name, value, max_age=_YEAR, httponly=True, samesite="lax", secure=secure
    )
