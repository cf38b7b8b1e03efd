"""Headers of every answer."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.web.headers import SecurityHeaders

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types htmx sise"
)


async def plain(_request):
    return PlainTextResponse("ok")


async def own(_request):
    return PlainTextResponse("ok", headers={"Content-Security-Policy": "default-src 'self'"})


APP = Starlette(
    routes=[Route("/", plain), Route("/own", own)], middleware=[Middleware(SecurityHeaders)]
)


async def get(address: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(APP)) as client:
        return await client.get(address)


@pytest.mark.parametrize("path", ["/", "/missing"])
async def test_every_answer_has_the_policy_and_the_other_headers(path):
    headers = (await get(f"http://localhost{path}")).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers


async def test_strict_transport_is_asked_for_over_tls_alone():
    headers = (await get("https://localhost/")).headers
    assert headers["strict-transport-security"] == "max-age=31536000"


async def test_a_page_with_a_policy_of_its_own_keeps_it():
    headers = (await get("http://localhost/own")).headers
    assert headers["content-security-policy"] == "default-src 'self'"
