"""Events and jobs that go through the broker: its absence is no failure."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from app.adapters.bus import EVENTS, Bus
from app.adapters.queue import Queue
from app.env import Env
from app.services.collect.collections import request_collection
from app.services.work.events import announce, hand_over
from app.services.work.jobs import list_jobs
from tests.factories import make_instrument


@pytest.fixture
async def brokerless(env: Env) -> Env:
    """The same installation with a broker that is away."""
    nowhere = "unix:///nowhere/valkey.sock"
    return replace(env, bus=Bus(nowhere), queue=Queue(nowhere))


async def test_an_event_is_heard_with_its_facts(env):
    async with env.bus.listen(EVENTS) as messages:
        await announce(env, "collected", symbol="AAPL", bars=3)
        _, message = await anext(messages)
    assert orjson.loads(message) == {"kind": "collected", "symbol": "AAPL", "bars": 3}


async def test_without_a_broker_an_event_is_lost_and_no_failure(brokerless):
    await announce(brokerless, "collected", symbol="AAPL")


async def test_without_a_broker_a_job_waits_for_the_reconciler(brokerless):
    await make_instrument(brokerless, "AAPL")
    (row,) = await request_collection(brokerless)
    (job,) = await list_jobs(brokerless)
    assert (job.id, job.state, job.queued_at) == (row.id, "PENDING", None)


async def test_no_jobs_need_no_broker(brokerless):
    await hand_over(brokerless, [])
