"""What is stored of an instrument, its events with their factors, what changed of late."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.errors import BadInput
from app.services.collect.stored_data import (
    count_events,
    get_stored,
    list_bars_before,
    list_events,
    list_recent_revisions,
)
from app.services.paging import make_cursor
from tests.factories import make_bars, make_dividend, make_instrument, make_split
from tests.trust_rows import make_revision


async def test_stored_bars_tell_their_days_source_and_version(env):
    await make_instrument(env, "AAPL")
    nothing = await get_stored(env, "AAPL")
    assert (nothing.rows, nothing.first_day, nothing.source, nothing.version) == (0, None, None, 0)
    days = await make_bars(env, "AAPL", [100.0, 101.0, 102.0], source="yahoo")
    async with env.db.write() as db:
        await db.execute(text("UPDATE bar SET revision = 7 WHERE day = :day"), {"day": days[1]})
    found = await get_stored(env, "AAPL")
    assert (found.rows, found.first_day, found.last_day) == (3, days[0], days[2])
    assert (found.source, found.version) == ("yahoo", 7)


async def test_the_rates_of_a_pair_are_its_stored_rows(env):
    await make_instrument(env, "USDKRW=X", kind="FX")
    async with env.db.write() as db:
        await db.execute(
            text(
                "INSERT INTO fx_rate (base, quote, day, rate, source, fetched_at)"
                " VALUES ('USD', 'KRW', '2025-01-06', 1460, 'yahoo', now())"
            )
        )
    assert (await get_stored(env, "USDKRW=X")).rows == 1


async def test_events_come_newest_first_with_their_factors(env):
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", [100.0, 100.0, 25.0, 25.0])
    await make_split(env, "AAPL", days[2], 4)
    await make_dividend(env, "AAPL", days[3], 0.5)
    await make_dividend(env, "AAPL", days[2], 0.25)  # on the shares of after the split
    rows = (await list_events(env, "AAPL")).rows
    assert [(row.day, row.kind) for row in rows] == [
        (days[3], "DIVIDEND"),
        (days[2], "SPLIT"),
        (days[2], "DIVIDEND"),
    ]
    assert [row.factor for row in rows] == pytest.approx([1 - 0.5 / 25, 0.25, 1 - 0.25 * 4 / 100])
    assert [row.previous_close for row in rows] == [Decimal(25), Decimal(100), Decimal(100)]
    assert (rows[1].numerator, rows[1].denominator) == (Decimal(4), Decimal(1))
    assert await count_events(env, "AAPL") == 3
    page = await list_events(env, "AAPL", 2)
    assert page.has_next
    rest = await list_events(env, "AAPL", 2, page.cursors[-1])
    assert [(row.day, row.kind) for row in rest.rows] == [(days[2], "DIVIDEND")]


async def test_a_dividend_without_a_close_before_has_no_factor(env):
    await make_instrument(env, "AAPL")
    await make_dividend(env, "AAPL", date(2020, 1, 6), 0.5)
    (row,) = (await list_events(env, "AAPL")).rows
    assert (row.factor, row.previous_close) == (None, None)


@pytest.mark.parametrize("after", ["x", make_cursor(1), make_cursor("2025-99-01", "SPLIT")])
async def test_a_foreign_cursor_is_refused(env, after):
    with pytest.raises(BadInput):
        await list_events(env, "AAPL", after=after)


async def test_the_bar_before_a_day_is_the_last_one_with_a_close(env):
    await make_instrument(env, "AAPL")
    days = await make_bars(env, "AAPL", [100.0, None, 102.0])
    keys = [("AAPL", days[2]), ("AAPL", days[0]), ("NONE", days[2])]
    found = await list_bars_before(env, keys)
    assert set(found) == {("AAPL", days[2])}
    bar = found["AAPL", days[2]]
    assert (bar.day, bar.close) == (days[0], Decimal(100))


async def test_changes_of_the_last_30_days_are_summed_up_by_instrument(env):
    for symbol in ("AAPL", "MSFT"):
        await make_instrument(env, symbol)
    now = env.clock.now()
    for day in (3, 5):
        changed = ({"close": "1"}, {"close": "2"})
        await make_revision(env, "AAPL", date(2025, 3, day), *changed, at=now)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    await make_revision(env, "MSFT", date(2025, 3, 3), {"close": "1"}, None, at=long_ago)
    found = await list_recent_revisions(env, ["AAPL", "MSFT"])
    assert set(found) == {"AAPL"}
    assert (found["AAPL"].rows, found["AAPL"].first_day) == (2, date(2025, 3, 3))
    assert found["AAPL"].at == now
