"""So many tries in so long, then the seconds to wait; without the broker too."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.adapters.bus import Bus
from app.adapters.limits import Tally
from app.errors import RateLimited
from app.services.people.tries import limit

MINUTE = timedelta(minutes=1)


async def test_beyond_the_limit_one_is_told_how_long_to_wait(env):
    assert [await limit(env, "a", 2, MINUTE) for _ in range(2)] == [1, 2]
    with pytest.raises(RateLimited) as limited:
        await limit(env, "a", 2, MINUTE)
    assert 50 < limited.value.retry_after <= 60
    assert await limit(env, "b", 2, MINUTE) == 1


async def test_without_the_broker_it_is_limited_still(env):
    gone = Bus("redis://127.0.0.1:1")
    alone = replace(env, tally=Tally(gone))
    assert [await limit(alone, "a", 2, MINUTE) for _ in range(2)] == [1, 2]
    with pytest.raises(RateLimited):
        await limit(alone, "a", 2, MINUTE)
    await gone.close()
