"""Where prices come from, and which days of them are stored."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from app.errors import Unavailable
from app.services.collect.source_status import StoredDays, find_stored_days, get_source_status
from tests.factories import make_bars, make_instrument


async def test_before_the_first_choice_there_is_none_to_speak_of(env):
    with pytest.raises(Unavailable):
        await get_source_status(env)


async def test_the_sample_is_historic_and_has_a_replayed_day(sample_env):
    await make_instrument(sample_env, "AAPL")
    await make_instrument(sample_env, "MSFT")
    await make_bars(sample_env, "AAPL", [1.0] * 10, start=date(2013, 2, 15))
    days = await make_bars(sample_env, "MSFT", [1.0] * 3, start=date(2013, 2, 11))
    status = await get_source_status(sample_env)
    assert (status.name, status.historic) == ("sample", True)
    stored = await find_stored_days(sample_env)
    assert (stored.first, stored.last) == (days[0], date(2013, 2, 28))
    assert stored.first <= status.replay_day <= stored.last


async def test_yahoo_is_not_historic_and_replays_nothing(env):
    async with env.db.write() as db:
        await db.execute(text("INSERT INTO setting VALUES ('source', '\"yahoo\"')"))
    status = await get_source_status(env)
    assert (status.name, status.historic, status.replay_day) == ("yahoo", False, None)
    assert await find_stored_days(env) == StoredDays(None, None)
