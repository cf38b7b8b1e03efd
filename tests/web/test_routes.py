"""Addresses of the pages and of what a browser fetches beside them."""

from __future__ import annotations

import re

import pytest

from app.web.headers import CONTENT_SECURITY_POLICY
from app.web.render import get_statics
from app.web.routes import page_routes
from tests.web.pages import browsing, make_market

ADDRESSES = (
    "/",
    "/instruments/AAPL",
    "/search",
    "/jobs",
    "/about",
    "/settings",
    "/api/candles/AAPL",
    "/manifest.webmanifest",
    "/sw.js",
    "/static/app.css",
    "/nothing",
)


@pytest.mark.parametrize("address", ADDRESSES)
async def test_every_answer_has_the_policy(env, settings, address):
    await make_market(env)
    async with browsing(settings) as http:
        answer = await http.get(address)
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("locale", ["ko", "en"])
async def test_the_site_can_be_installed(env, settings, locale):
    async with browsing(settings, locale) as http:
        answer = await http.get("/manifest.webmanifest")
        manifest = answer.json()
        icons = [await http.get(icon["src"]) for icon in manifest["icons"]]
    assert answer.headers["content-type"] == "application/manifest+json"
    assert manifest["lang"] == locale
    assert manifest["short_name"] == {"ko": "시세", "en": "Sise"}[locale]
    assert manifest["display"] == "standalone"
    assert [icon.status_code for icon in icons] == [200] * 4
    assert {icon["sizes"] for icon in manifest["icons"]} == {"any", "192x192", "512x512"}
    assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])


async def test_every_file_that_a_page_names_is_there_to_be_kept(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        page = (await http.get("/")).text
        files = set(re.findall(r'"(/static/[^"]+)"', page))
        assert len(files) >= 8
        for file in files:
            answer = await http.get(file)
            assert answer.status_code == 200, file
            assert "immutable" in answer.headers["cache-control"], file


async def test_pages_are_packed_and_stay_light(env, settings):
    await make_market(env)
    async with browsing(settings) as http:
        answer = await http.get("/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 12_000
    assert len(get_statics()._files["app.css"].packed or b"") < 10_000


def test_no_address_is_given_twice():
    seen = [(r.path, tuple(sorted(r.methods or ()))) for r in page_routes()]
    assert len(seen) == len(set(seen))
