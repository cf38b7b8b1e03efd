"""Probes and metrics: the process, what it stands on, and what it counts."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from app.services import readiness
from tests.serving import asgi_client


async def test_a_process_that_runs_is_healthy_whatever_is_broken(env, settings):
    away = replace(settings, database_url="postgresql://nobody@127.0.0.1:9/none")
    async with asgi_client(away) as client:
        answer = await client.http.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_a_process_with_all_it_needs_is_ready(env, settings, monkeypatch):
    monkeypatch.setattr(readiness, "TIME_LIMIT", 60.0)
    async with asgi_client(settings) as client:
        answer = await client.http.get("/readyz")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"database", "broker", "migrations"}
    assert all(check["ok"] for check in body.values())
    assert answer.headers["cache-control"] == "no-store"


async def test_a_process_without_its_database_or_broker_is_not_ready_and_says_why(env, settings):
    away = replace(
        settings,
        database_url="postgresql://nobody@127.0.0.1:9/none",
        redis_url="redis://127.0.0.1:9/0",
    )
    async with asgi_client(away) as client:
        answer = await client.http.get("/readyz")
    assert answer.status_code == 503
    body = answer.json()
    assert not body["database"]["ok"]
    assert not body["broker"]["ok"]
    assert body["broker"]["detail"]


async def test_the_metrics_are_prometheus_text(env, settings):
    async with asgi_client(settings) as client:
        await client.http.get("/healthz")
        answer = await client.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"sise_http_request_seconds", "sise_ticks", "sise_subscribers"} <= names
