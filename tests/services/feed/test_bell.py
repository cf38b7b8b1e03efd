"""The bell: who listens is woken, others are not."""

from __future__ import annotations

import asyncio

import orjson

from app.services.feed.bell import Bell
from app.services.feed.live import EVENTS, QuoteHub


async def test_who_listens_is_woken_also_when_it_rang_before_the_waiting():
    bell = Bell(patience=60)
    with bell.listening(1) as mine, bell.listening(2) as other:
        bell.ring([1, 3])
        await asyncio.wait_for(mine.wait(), 60)
        waiting = asyncio.ensure_future(other.wait())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        waiting.cancel()
    assert bell._rings == {}


async def test_without_a_ring_one_looks_after_a_while():
    with Bell(patience=0.01).listening(1) as mine:
        await asyncio.wait_for(mine.wait(), 60)


async def test_the_hub_rings_for_those_whose_alerts_were_stored(env):
    hub = QuoteHub(env)
    with hub.bell.listening(7) as mine:
        hub._receive(EVENTS, orjson.dumps({"kind": "alert", "users": [7]}))
        hub._receive(EVENTS, orjson.dumps({"kind": "alert", "users": 7}))
        await asyncio.wait_for(mine.wait(), 60)
