"""Templates to answers."""

from __future__ import annotations

import re

import pytest
from jinja2 import UndefinedError
from starlette.requests import Request

from app.web.preferences import Preferences
from app.web.render import Shell, get_renderer, get_statics, here, wants_fragment
from tests.web.pages import text_of

ERROR = {
    "heading": "Heading <b>",
    "message": "What & why",
    "retry": False,
    "sign_in": None,
    "status": 404,
}


def request(path: str = "/x", query: str = "", **headers: str) -> Request:
    raw = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode()}
    return Request(scope | {"headers": [*raw, (b"host", b"localhost")], "scheme": "http"})


def error_page(asked: Request, shell: Shell | None = None) -> str:
    answer = get_renderer().page(asked, "error.html", shell or Shell(), ERROR)
    return bytes(answer.body).decode()


def test_a_reader_gets_a_whole_page_and_htmx_its_middle():
    whole = error_page(request())
    part = error_page(request(hx_request="true", hx_request_type="partial"))
    assert whole.startswith("<!DOCTYPE html>")
    assert "<html" not in part
    assert part.startswith("<title>")
    assert "Heading &lt;b&gt;" in part
    assert "Heading &lt;b&gt;" in whole


@pytest.mark.parametrize(
    ("headers", "fragment"),
    [
        ({}, False),
        ({"hx_request": "true"}, True),
        ({"hx_request": "true", "hx_request_type": "partial"}, True),
        ({"hx_request": "true", "hx_request_type": "full"}, False),
        ({"hx_request": "true", "hx_history_restore_request": "true"}, False),
    ],
)
def test_back_and_selections_get_the_whole_page(headers, fragment):
    assert wants_fragment(request(**headers)) is fragment


def test_a_fragment_renews_navigation_and_notice_beside_the_middle():
    part = error_page(request(hx_request="true"), Shell("x", historic=True))
    targets = re.findall(r'<hx-partial hx-target="([^"]+)"', part)
    assert targets == ["#nav", "#who", "#tabs", "#notice"]


def test_every_page_varies_with_what_it_is_made_from():
    answer = get_renderer().page(request(), "error.html", Shell(), ERROR)
    vary = answer.headers["vary"]
    for name in ("HX-Request", "HX-Request-Type", "HX-History-Restore-Request", "Cookie"):
        assert name in vary.split(", ")
    assert answer.headers["cache-control"] == "private, no-cache"


def test_the_choices_of_the_reader_stand_on_the_first_tag():
    cookie = "sise_locale=ko; sise_theme=dark; sise_colors=us; sise_privacy=on"
    page = error_page(request(cookie=cookie))
    tag = re.search(r"<html[^>]*>", page)
    assert tag is not None
    for attribute in ('lang="ko"', 'data-theme="dark"', 'data-colors="us"', 'data-privacy="on"'):
        assert attribute in tag[0]
    for name, file in (
        ("live", "live.js"),
        ("chart", "chart.js"),
        ("lwc", "vendor/lightweight-charts.mjs"),
        ("graphqlws", "vendor/graphql-ws.min.js"),
    ):
        assert f'data-{name}="{get_statics().url(file)}"' in tag[0]


def test_the_historic_notice_names_the_day_and_offers_one_way_out():
    shell = Shell("x", historic=True, replay_day="2012-03-05")
    korean = error_page(request(accept_language="ko"), shell)
    english = error_page(request(), shell)
    assert "재생 중: 2012년 3월 5일" in text_of(korean)
    assert "HISTORIC" in english
    assert "Replaying March 5, 2012" in text_of(english)
    assert english.count('action="/source"') == 1
    assert "HISTORIC" not in error_page(request(), Shell("x"))


def test_what_a_template_is_not_given_is_an_error_and_not_an_empty_place():
    preferences = Preferences("en", "us", "auto", "off", "USD")
    with pytest.raises(UndefinedError):
        get_renderer().text("error.html", preferences, "/", "/", {"layout": "base.html"})


def test_the_address_of_a_page_is_its_path_and_query():
    assert here(request("/jobs")) == "/jobs"
    assert here(request("/", "symbol=AAPL&range=5Y")) == "/?symbol=AAPL&range=5Y"
