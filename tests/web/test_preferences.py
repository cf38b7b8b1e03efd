"""Language, colours, theme and privacy from cookies and headers."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.errors import BadInput
from app.web.preferences import check_choices, read_preferences, set_preferences


def request(cookie: str = "", language: str = "") -> Request:
    headers = [(b"cookie", cookie.encode()), (b"accept-language", language.encode())]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    ("language", "locale", "colors"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko", "kr"),
        ("en-US,en;q=0.9,ko;q=0.8", "en", "us"),
        ("fr,ko;q=0.2", "ko", "kr"),
        ("ko;q=0,en;q=0.1", "en", "us"),
        ("de", "en", "us"),
        ("", "en", "us"),
    ],
)
def test_a_new_reader_gets_the_language_and_colours_of_the_browser(language, locale, colors):
    found = read_preferences(request(language=language))
    assert (found.locale, found.colors, found.theme, found.privacy) == (
        locale,
        colors,
        "auto",
        "off",
    )


def test_a_cookie_comes_before_the_browser():
    cookie = "sise_locale=en; sise_colors=kr; sise_theme=dark; sise_privacy=on"
    found = read_preferences(request(cookie, "ko"))
    assert (found.locale, found.colors, found.theme, found.privacy) == ("en", "kr", "dark", "on")


def test_a_cookie_that_we_never_set_counts_as_none():
    found = read_preferences(request('sise_locale=fr; sise_theme="><script>', "ko"))
    assert (found.locale, found.theme) == ("ko", "auto")


def test_choices_are_taken_from_a_form_and_all_else_is_left_out():
    assert check_choices({"theme": "dark", "back": "/"}) == {"theme": "dark"}


def test_a_choice_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(BadInput, match="theme is 'pink'; it must be one of dark, light, auto"):
        check_choices({"theme": "pink"})


def test_cookies_last_a_year_and_are_hidden_from_scripts():
    response = Response()
    set_preferences(response, {"locale": "ko"}, secure=True)
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("sise_locale=ko; ")
    for part in ("HttpOnly", "Max-Age=31536000", "Path=/", "SameSite=lax", "Secure"):
        assert part in cookie
