"""The replay: four ticks a day for every instrument, remembered, begun again at the end."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import insert, update

from app.db.models import Bar, Setting
from app.domain.quotes import QuoteSource, QuoteState
from app.domain.replay import Cursor
from app.env import Env
from app.services.market.replay import advance, find_cursor, load_day, replay_day
from tests.factories import make_bars, make_instrument, make_sessions, make_split
from tests.services.market.test_closing_quotes import make_rates


async def set_prices(env: Env, symbol: str, day: date, *prices: float) -> None:
    names = ("open", "high", "low", "close")
    async with env.db.write() as db:
        changed = update(Bar).where(Bar.symbol == symbol, Bar.day == day)
        await db.execute(changed.values(dict(zip(names, prices, strict=True))))


async def test_there_is_no_replay_unless_the_source_is_the_sample(env: Env):
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", [10, 11, 12])
    assert await replay_day(env) is None
    assert await advance(env) is None
    async with env.db.write() as db:
        await db.execute(insert(Setting).values(key="source", value="yahoo"))
    assert await replay_day(env) is None
    assert await advance(env) is None
    assert await find_cursor(env) is None


async def test_without_two_bars_there_is_nothing_to_replay(sample_env: Env):
    assert await replay_day(sample_env) is None
    assert await advance(sample_env) is None
    await make_instrument(sample_env, "AAPL")
    await make_bars(sample_env, "AAPL", [10])
    assert await advance(sample_env) is None


async def test_the_window_is_the_last_250_days_of_what_is_recorded_longest(sample_env: Env):
    for symbol, count in (("AAPL", 300), ("FB", 40), ("MSFT", 299)):
        await make_instrument(sample_env, symbol)
        days = await make_bars(sample_env, symbol, [10.0] * count)
        if symbol == "AAPL":
            window = days[-250:]
    assert await replay_day(sample_env) == window[0]
    assert await advance(sample_env) == Cursor(window[0], 0)
    assert await replay_day(sample_env) == window[0]


async def test_every_step_is_remembered_and_the_end_leads_to_the_beginning(sample_env: Env):
    await make_instrument(sample_env, "AAPL")
    days = await make_bars(sample_env, "AAPL", [10, 11, 12])
    seen = []
    for _ in range(9):
        cursor = await advance(sample_env)
        assert cursor is not None
        assert await find_cursor(sample_env) == cursor
        assert await replay_day(sample_env) == cursor.day
        seen.append((days.index(cursor.day), cursor.step))
    assert seen == [(1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1), (2, 2), (2, 3), (1, 0)]


async def test_a_day_is_open_nearer_extreme_other_extreme_close(sample_env: Env):
    await make_instrument(sample_env, "AAPL")
    days = await make_bars(sample_env, "AAPL", [10, 11, 12])
    await make_sessions(sample_env, "XNAS", days)
    await set_prices(sample_env, "AAPL", days[2], 11.5, 12.25, 10, 10.75)
    steps = await load_day(sample_env, days[2], ["AAPL"])
    assert [[str(q.price) for q in quotes] for quotes in steps] == [
        ["11.5"],
        ["12.25"],
        ["10"],
        ["10.75"],
    ]
    quotes = [quotes[0] for quotes in steps]
    assert {(q.previous_close, q.day, q.state, q.source) for q in quotes} == {
        (Decimal(11), days[2], QuoteState.REPLAY, QuoteSource.SAMPLE)
    }
    opened, closed = datetime(2025, 1, 8, 14, tzinfo=UTC), datetime(2025, 1, 8, 21, tzinfo=UTC)
    assert [q.at for q in quotes] == [opened, opened, opened, closed]


async def test_on_the_day_of_a_split_the_change_is_right(sample_env: Env):
    await make_instrument(sample_env, "AAPL")
    days = await make_bars(sample_env, "AAPL", [88, 88.99, 44.86])
    await make_split(sample_env, "AAPL", days[2], 2)
    quote = (await load_day(sample_env, days[2], ["AAPL"]))[3][0]
    assert str(quote.previous_close) == "44.495"
    assert str(quote.change) == "0.365"


async def test_an_instrument_without_a_bar_on_the_day_gets_no_tick(sample_env: Env):
    await make_instrument(sample_env, "AAPL")
    await make_instrument(sample_env, "FB")
    await make_instrument(sample_env, "MSFT")
    days = await make_bars(sample_env, "AAPL", [10, 11, 12])
    await make_bars(sample_env, "FB", [10], start=days[2])
    await make_bars(sample_env, "MSFT", [10, None, 12])
    symbols = ["AAPL", "FB", "MSFT"]
    assert [[q.symbol for q in s] for s in await load_day(sample_env, days[1], symbols)] == [
        ["AAPL"]
    ] * 4
    last = await load_day(sample_env, days[2], symbols)
    assert [[q.symbol for q in s] for s in last] == [symbols] * 4
    assert last[0][1].previous_close is None
    assert last[0][2].previous_close == 10
    assert [[q.symbol for q in s] for s in await load_day(sample_env, days[2], ["FB"])] == [
        ["FB"]
    ] * 4


async def test_a_rate_is_the_only_tick_of_its_day(sample_env: Env):
    await make_instrument(sample_env, "USDKRW=X", kind="FX")
    await make_rates(sample_env, {"2012-03-02": "1116.5", "2012-03-05": "1119.02"}, "sample")
    steps = await load_day(sample_env, date(2012, 3, 5), ["USDKRW=X"])
    assert [len(quotes) for quotes in steps] == [1, 0, 0, 0]
    quote = steps[0][0]
    assert (str(quote.price), str(quote.previous_close)) == ("1119.02", "1116.5")
    assert quote.at == datetime(2012, 3, 5, tzinfo=UTC)
    assert await load_day(sample_env, date(2012, 3, 4), ["USDKRW=X"]) == [[], [], [], []]
