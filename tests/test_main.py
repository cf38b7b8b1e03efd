"""The web process as a whole: what it opens, what stands in front of its routes, what it imports."""

from __future__ import annotations

import subprocess
import sys

from app.services import readiness
from tests.processes import ROOT
from tests.serving import asgi_client

HEAVY = (
    "numba",
    "pandas",
    "exchange_calendars",
    "yfinance",
    "llvmlite",
    "scipy",
    "curl_cffi",
    "rich",
)


async def test_the_application_opens_its_servers_and_closes_them(env, settings, monkeypatch):
    monkeypatch.setattr(readiness, "TIME_LIMIT", 60.0)
    async with asgi_client(settings) as client:
        assert (await client.http.get("/readyz")).status_code == 200
        opened = client.app.state.env
        assert client.app.state.hub.latest(["AAPL"]) == {}
    assert opened.db.engine.pool.checkedout() == 0


async def test_every_answer_has_the_security_headers(env, settings):
    async with asgi_client(settings) as client:
        answers = [
            await client.http.get("/healthz"),
            await client.http.get("/nothing/here"),
            await client.post({"query": "{ markets { mic } }"}),
            await client.post([]),
            await client.http.get("/healthz", headers={"host": "evil.example"}),
            await client.http.get("/about", headers={"host": "evil.example"}),
            await client.http.post("/collect", headers={"origin": "https://evil.example"}),
        ]
    assert [answer.status_code for answer in answers] == [200, 404, 200, 400, 200, 400, 403]
    for answer in answers:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_long_answers_are_compressed(env, settings):
    async with asgi_client(settings) as client:
        answer = await client.http.get("/schema.graphql", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "type Query" in answer.text


def test_the_web_process_imports_nothing_that_only_workers_need():
    program = f"import sys, app.main; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
