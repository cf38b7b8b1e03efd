"""GraphiQL: there with SISE_DEV alone, from our own files, under its own policy."""

from __future__ import annotations

import re
from dataclasses import replace

from app.web.graphiql import FILES
from tests.serving import asgi_client


async def test_without_the_development_setting_there_is_none(env, settings):
    async with asgi_client(settings) as client:
        for path in ("/graphiql", "/graphiql/graphiql.min.js"):
            assert (await client.http.get(path)).status_code == 404


async def test_with_it_the_page_names_files_of_ours_alone_and_all_are_there(env, settings):
    async with asgi_client(replace(settings, dev=True)) as client:
        page = await client.http.get("/graphiql")
        assert page.status_code == 200
        named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert named
        assert {name.rpartition("/")[2] for name in named} == set(FILES)
        for name in named:
            answer = await client.http.get(name)
            assert (answer.status_code, len(answer.content) > 100) == (200, True)
        assert (await client.http.get("/graphiql/../config.py")).status_code == 404
        assert (await client.http.get("/graphiql/vendor.lock.json")).status_code == 404


async def test_its_policy_is_its_own_and_names_no_other_host(env, settings):
    async with asgi_client(replace(settings, dev=True)) as client:
        policy = (await client.http.get("/graphiql")).headers["content-security-policy"]
        other = (await client.http.get("/healthz")).headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    assert "unsafe-inline" not in other
