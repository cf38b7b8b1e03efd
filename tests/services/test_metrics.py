"""Metrics of several processes in one valid answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from prometheus_client.parser import text_string_to_metric_families

from app.adapters.bus import Bus
from app.services.metrics import gather_metrics, share_metrics, show_freshness
from app.services.settings import choose_source
from app.telemetry import FRESHNESS, QUARANTINED, REVISIONS
from tests.clocks import at
from tests.factories import make_instrument
from tests.showcase import NOW, make_showcase
from tests.trust_rows import make_held, make_revision


async def samples(env, name):
    families = text_string_to_metric_families((await gather_metrics(env)).decode())
    return {
        tuple(sorted(s.labels.items())): s.value
        for f in families
        for s in f.samples
        if s.name == name
    }


def counted(state):
    return FRESHNESS.labels(state)._value.get()


async def test_instruments_are_counted_by_freshness(env):
    FRESHNESS.clear()
    await show_freshness(env)  # no source yet: nothing to say
    await choose_source(env, "sample")
    await make_instrument(env, "AAPL")
    await make_instrument(env, "IBM")
    await make_instrument(env, "OLD", tracked=False)
    await show_freshness(env)
    assert (counted("HISTORIC"), counted("LATE")) == (2, 0)
    await choose_source(env, "yahoo")
    await show_freshness(env)
    assert (counted("HISTORIC"), counted("UNKNOWN")) == (0, 2)


async def test_every_state_of_freshness_is_counted(env):
    FRESHNESS.clear()
    await make_showcase(env, more=0)
    await show_freshness(at(env, NOW))
    names = ("LATE", "HOLIDAY", "HALTED", "RATE_LIMITED", "PARTIAL", "QUARANTINED", "UNKNOWN")
    assert {name: counted(name) for name in names} == dict.fromkeys(names, 1)
    assert counted("ON_TIME") == 2


async def test_held_and_revised_rows_are_counted(env):
    await make_instrument(env, "AAPL")
    await make_held(env, "AAPL", NOW.date())
    await make_held(env, "AAPL", date(2025, 1, 6), state="DROPPED")
    await make_revision(env, "AAPL", date(2025, 1, 6), {"close": "1"}, {"close": "2"})
    await show_freshness(env)
    assert (QUARANTINED._value.get(), REVISIONS._value.get()) == (1, 1)
    assert await samples(env, "sise_quarantined")
    assert await samples(env, "sise_revisions_total")


async def test_what_another_process_shared_comes_with_its_name(env):
    FRESHNESS.labels("LATE").set(3)
    await share_metrics(env, "quick")
    FRESHNESS.labels("LATE").set(1)
    found = await samples(env, "sise_instruments")
    assert found[("process", "quick"), ("state", "LATE")] == 3
    assert found[("process", "web"), ("state", "LATE")] == 1


async def test_alone_the_web_process_answers_for_itself(env):
    assert {dict(labels)["process"] for labels in await samples(env, "sise_subscribers")} == {"web"}


async def test_without_a_broker_the_web_process_answers_for_itself(env):
    bus = Bus("redis://127.0.0.1:1")
    found = await samples(replace(env, bus=bus), "sise_subscribers")
    assert {dict(labels)["process"] for labels in found} == {"web"}
    await bus.close()
