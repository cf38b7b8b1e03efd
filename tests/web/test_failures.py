"""Failures as pages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.errors import AppError, BadInput, NotFound, RateLimited, Unavailable
from app.web.failures import show_app_error, show_http_error
from tests.serving import asgi_client
from tests.web.pages import browsing, make_market, read, text_of
from tests.web.test_render import request


@pytest.mark.parametrize(("locale", "heading"), [("ko", "찾을 수 없습니다"), ("en", "Not found")])
async def test_an_address_without_a_page_says_so_and_leads_on(env, settings, locale, heading):
    await make_market(env, "sample")
    async with browsing(settings, locale) as http:
        answer = await http.get("/nothing/here")
    assert answer.status_code == 404
    assert heading in text_of(answer.text)
    links = [attrs.get("href") for tag, attrs in read(answer.text).tags if tag == "a"]
    assert "/" in links
    assert 'action="/source"' in answer.text, "the source is marked historic here too"


async def test_an_unknown_instrument_is_named(env, settings):
    await make_market(env)
    async with browsing(settings, "ko") as http:
        answer = await http.get("/instruments/NOPE")
    assert answer.status_code == 404
    assert "종목이 없습니다." in text_of(answer.text)


async def test_a_source_that_is_away_leaves_the_prices_marked(env, settings):
    await make_market(env, "sample")
    away = replace(settings, yahoo_url="http://127.0.0.1:1")
    async with browsing(away) as http:
        answer = await http.post("/source", data={"source": "yahoo"})
    assert answer.status_code == 503
    assert "does not answer as it should" in text_of(answer.text)
    assert "Recorded prices of 2000" in text_of(answer.text)


async def test_before_a_source_is_chosen_the_pages_say_what_to_do(env, settings):
    async with browsing(settings) as http:
        answer = await http.get("/")
    assert answer.status_code == 503
    assert "sise up" in answer.text


async def test_a_defect_gets_a_number_and_tells_nothing_else(env, settings, monkeypatch, caplog):
    async def explode(*_args):
        message = "secret detail"
        raise RuntimeError(message)

    monkeypatch.setattr("app.web.pages.load_shell", explode)
    async with asgi_client(settings) as client:
        client.http._transport.raise_app_exceptions = False
        answer = await client.http.get("/about")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    number = caplog.records[-1].errorId
    assert number in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "Something broke" in answer.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInput("No.", field="x"), 400),
        (NotFound("No."), 404),
        (Unavailable("No."), 503),
        (AppError("No."), 500),
    ],
)
async def test_a_failure_has_its_status(env, settings, error, status):
    async with asgi_client(settings) as client:
        asked = request()
        asked.scope["app"] = client.app
        answer = await show_app_error(asked, error)
    assert answer.status_code == status
    assert ("Try again" in bytes(answer.body).decode()) is error.retryable


async def test_too_often_says_how_long_to_wait(env, settings):
    async with asgi_client(settings) as client:
        asked = request()
        asked.scope["app"] = client.app
        answer = await show_app_error(asked, RateLimited("No.", retry_after=2.2))
    assert answer.headers["retry-after"] == "3"


async def test_a_handler_passes_on_what_is_not_its_own():
    for handler in (show_app_error, show_http_error):
        with pytest.raises(KeyError):
            await handler(request(), KeyError("x"))
