"""Stored prices as readers see them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest
from sqlalchemy import text

from app.db.revised import Version
from app.domain.acceptance import Held, Reason
from app.env import Env
from app.errors import BadInput
from app.services.collect.held_rows import hold_rows
from app.services.market.prices import (
    Freshness,
    FreshnessState,
    FxRateRow,
    count_bars,
    find_fx_rate,
    freshness,
    horizon,
    list_bars,
    list_dividends,
    list_sparklines,
    list_splits,
)
from app.services.settings import choose_source, put_setting
from tests.clocks import at
from tests.factories import (
    AT,
    make_bars,
    make_dividend,
    make_instrument,
    make_sessions,
    make_split,
    weekdays,
)

MONDAY = date(2025, 1, 6)
EVENING = "2025-01-10T21:45"  # Friday; New York closed at 21:00 in these tests


@pytest.fixture
async def apple(env: Env) -> Env:
    """Yahoo is the source; AAPL has a bar from Monday to Friday."""
    await choose_source(env, "yahoo")
    await make_instrument(env, "AAPL")
    await make_bars(env, "AAPL", [100.0, 101.5, 102.25, 103.0, 104.1])
    await make_sessions(env, "XNAS", weekdays(MONDAY, 5))
    return at(env, EVENING)


async def make_rates(env: Env, *rates: float, start: date = MONDAY) -> None:
    """A rate a weekday of USDKRW."""
    async with env.db.write() as db:
        for day, rate in zip(weekdays(start, len(rates)), rates, strict=True):
            insert = "INSERT INTO fx_rate VALUES ('USD', 'KRW', :day, :rate, 'yahoo', now())"
            await db.execute(text(insert), {"day": day, "rate": Decimal(str(rate))})


async def note(env: Env, problem: str, detail: str) -> None:
    async with env.db.write() as db:
        update = "UPDATE instrument SET problem = :problem, problem_detail = :detail"
        await db.execute(text(update), {"problem": problem, "detail": detail})


async def replay(env: Env, day: date) -> None:
    await choose_source(env, "sample")
    await put_setting(env, "replay", {"day": day.isoformat(), "step": 0})


async def test_bars_are_decimals_without_trailing_zeros_in_order_of_day(apple):
    page = await list_bars(apple, "aapl", first=2)
    assert [(row.day, str(row.close)) for row in page.rows] == [
        (date(2025, 1, 6), "100"),
        (date(2025, 1, 7), "101.5"),
    ]
    assert page.rows[1].open == Decimal(100)
    assert (page.rows[1].high, page.rows[1].volume) == (Decimal("102.5"), 1000)


async def test_pages_of_bars_continue_after_the_cursor(apple):
    first = await list_bars(apple, "AAPL", first=3)
    rest = await list_bars(apple, "AAPL", first=3, after=first.cursors[-1])
    assert (first.has_next, rest.has_next) == (True, False)
    assert [row.day.day for row in first.rows + rest.rows] == [6, 7, 8, 9, 10]
    assert await count_bars(apple, "AAPL") == 5


async def test_a_span_of_bars_includes_both_ends(apple):
    span = {"start": date(2025, 1, 7), "end": date(2025, 1, 9)}
    assert [row.day.day for row in (await list_bars(apple, "AAPL", **span)).rows] == [7, 8, 9]
    assert await count_bars(apple, "AAPL", **span) == 3
    page = await list_bars(apple, "AAPL", **span, first=1)
    rest = await list_bars(apple, "AAPL", **span, after=page.cursors[0])
    assert [row.day.day for row in rest.rows] == [8, 9]


async def test_a_span_that_is_turned_round_is_refused(apple):
    with pytest.raises(BadInput, match="from must not be after to") as refused:
        await list_bars(apple, "AAPL", start=date(2025, 1, 9), end=date(2025, 1, 7))
    assert refused.value.field == "from"


@pytest.mark.parametrize("cursor", ["x", "WyJ4Il0", "WyIwMDAwLTAwLTAwIl0"])
async def test_a_foreign_cursor_is_refused(apple, cursor):
    with pytest.raises(BadInput) as refused:
        await list_bars(apple, "AAPL", after=cursor)
    assert refused.value.field == "after"


async def test_a_currency_pair_has_bars_of_closes(apple):
    await make_instrument(apple, "USDKRW=X", kind="FX")
    await make_rates(apple, 1450.5, 1461)
    page = await list_bars(apple, "USDKRW=X")
    assert [(str(row.close), row.open, row.volume) for row in page.rows] == [
        ("1450.5", None, None),
        ("1461", None, None),
    ]
    assert await count_bars(apple, "USDKRW=X") == 2


async def test_events_of_many_instruments_come_at_once(apple):
    await make_instrument(apple, "MSFT")
    await make_split(apple, "AAPL", date(2020, 8, 31), 4)
    await make_split(apple, "AAPL", date(2014, 6, 9), 7)
    await make_dividend(apple, "MSFT", date(2024, 11, 21), 0.83)
    splits = await list_splits(apple, ["AAPL", "MSFT"])
    assert [(row.day.year, str(row.numerator)) for row in splits["AAPL"]] == [
        (2014, "7"),
        (2020, "4"),
    ]
    assert splits["MSFT"] == []
    paid = await list_dividends(apple, ["MSFT", "AAPL"])
    assert (list(paid), [str(row.amount) for row in paid["MSFT"]]) == (["MSFT", "AAPL"], ["0.83"])


async def test_sparklines_are_the_last_closes_adjusted_for_splits(apple):
    await make_split(apple, "AAPL", date(2025, 1, 9), 3, 2)
    await make_instrument(apple, "USDKRW=X", kind="FX")
    await make_rates(apple, 1450.5, 1461)
    lines = await list_sparklines(apple, ["USDKRW=X", "AAPL", "NONE"], 4)
    assert lines["AAPL"] == pytest.approx([101.5 / 1.5, 102.25 / 1.5, 103.0, 104.1], rel=1e-12)
    assert (lines["USDKRW=X"], lines["NONE"]) == ([1450.5, 1461.0], [])
    assert await list_sparklines(apple, []) == {}


async def test_a_sparkline_has_a_bound(apple):
    with pytest.raises(BadInput, match="from 1 to 260"):
        await list_sparklines(apple, ["AAPL"], 0)


async def test_the_newest_rate_on_or_before_a_day_is_found(apple):
    await make_rates(apple, 1450.5, 1461.25)
    found = await find_fx_rate(apple, "USD", "KRW", date(2025, 1, 6))
    assert found == FxRateRow("USD", "KRW", MONDAY, Decimal("1450.5"), "yahoo")
    weekend = await find_fx_rate(apple, "USD", "KRW", date(2025, 1, 12))
    newest = await find_fx_rate(apple, "USD", "KRW")
    assert (
        weekend == newest == FxRateRow("USD", "KRW", date(2025, 1, 7), Decimal("1461.25"), "yahoo")
    )


async def test_a_pair_turned_round_has_the_inverse_rate(apple):
    await make_rates(apple, 1250)
    found = await find_fx_rate(apple, "KRW", "USD")
    assert found is not None
    assert (found.base, found.quote, found.rate) == ("KRW", "USD", Decimal("0.0008"))


async def test_a_missing_rate_is_none_and_never_one(apple):  # G22
    await make_rates(apple, 1450.5)
    assert await find_fx_rate(apple, "USD", "KRW", date(2025, 1, 5)) is None
    assert await find_fx_rate(apple, "EUR", "KRW") is None


@pytest.mark.parametrize(("base", "quote"), [("usd", "KRW"), ("USD", ""), ("USD", "KRW\x00")])
async def test_what_is_no_currency_is_refused(apple, base, quote):
    with pytest.raises(BadInput, match="currency code"):
        await find_fx_rate(apple, base, quote)


async def test_a_currency_against_itself_is_refused(apple):
    with pytest.raises(BadInput, match="both USD"):
        await find_fx_rate(apple, "USD", "USD")


async def state(env: Env, symbol: str = "AAPL") -> FreshnessState:
    return (await freshness(env, [symbol]))[symbol].state


async def test_an_instrument_with_the_newest_finished_day_is_on_time(apple):
    assert await freshness(apple, ["AAPL", "NONE"]) == {
        "AAPL": Freshness(FreshnessState.ON_TIME, date(2025, 1, 10), date(2025, 1, 10))
    }
    assert await freshness(apple, []) == {}


async def test_a_missing_day_is_late_half_an_hour_after_the_close(apple):
    await make_sessions(apple, "XNAS", [date(2025, 1, 13)])
    assert await state(at(apple, "2025-01-13T21:29")) is FreshnessState.ON_TIME
    late = await freshness(at(apple, "2025-01-13T21:30"), ["AAPL"])
    assert late["AAPL"] == Freshness(
        FreshnessState.LATE, date(2025, 1, 10), date(2025, 1, 13), None
    )


async def test_a_late_instrument_says_what_went_wrong(apple):
    await make_sessions(apple, "XNAS", [date(2025, 1, 13)])
    monday = at(apple, "2025-01-13T22:00")
    await note(apple, "SOURCE_DOWN", "the answer was 503")
    assert await freshness(monday, ["AAPL"]) == {
        "AAPL": Freshness(
            FreshnessState.LATE,
            date(2025, 1, 10),
            date(2025, 1, 13),
            "the answer was 503",
            "SOURCE_DOWN",
        )
    }
    await note(apple, "RATE_LIMITED", "wait")
    assert await state(monday) is FreshnessState.RATE_LIMITED


async def test_a_weekday_without_a_session_is_a_holiday_in_the_market_s_own_zone(apple):
    # Monday 2025-01-13 has no session here; in New York it begins at 05:00 UTC
    assert await state(at(apple, "2025-01-13T04:59")) is FreshnessState.ON_TIME
    assert await state(at(apple, "2025-01-13T05:00")) is FreshnessState.HOLIDAY


async def test_an_instrument_that_was_never_collected_is_unknown_until_that_fails(apple):
    await make_instrument(apple, "NEW")
    assert await state(apple, "NEW") is FreshnessState.UNKNOWN
    await note(apple, "NOT_LISTED", "no such symbol")
    assert await state(apple, "NEW") is FreshnessState.LATE


async def hold(env: Env, day: date, reason: str) -> None:
    row = Held(day, Reason(reason), "why it is held", {"close": 1.0})
    async with env.db.write() as db:
        nothing = pl.Series([], dtype=pl.Date)
        await hold_rows(Version(db, "AAPL", "yahoo", AT), "BAR", [row], mended=nothing)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("INCOMPLETE", FreshnessState.PARTIAL),
        ("STALE_REPEAT", FreshnessState.QUARANTINED),
        ("SCALED", FreshnessState.QUARANTINED),
    ],
)
async def test_a_held_row_of_the_expected_day_says_why(apple, reason, expected):
    await make_sessions(apple, "XNAS", [date(2025, 1, 13)])
    monday = at(apple, "2025-01-13T22:00")
    await hold(apple, date(2025, 1, 13), reason)
    assert (await freshness(monday, ["AAPL"]))["AAPL"] == Freshness(
        expected, date(2025, 1, 10), date(2025, 1, 13), "why it is held", reason
    )


async def test_a_row_held_long_ago_makes_nothing_stale(apple):
    await hold(apple, date(2025, 1, 8), "STALE_REPEAT")
    assert await state(apple) is FreshnessState.ON_TIME


async def test_a_session_without_trade_is_halted_and_the_last_price_keeps_its_day(apple):
    await make_sessions(apple, "XNAS", [date(2025, 1, 13)])
    await make_bars(apple, "AAPL", [None], start=date(2025, 1, 13))
    found = (await freshness(at(apple, "2025-01-13T22:00"), ["AAPL"]))["AAPL"]
    assert (found.state, found.last_day) == (FreshnessState.HALTED, date(2025, 1, 10))


async def test_without_a_calendar_nothing_can_be_said(apple):
    await make_instrument(apple, "005930.KS")
    await make_bars(apple, "005930.KS", [70000.0])
    assert await state(apple, "005930.KS") is FreshnessState.UNKNOWN


async def test_a_currency_pair_is_due_on_weekdays(apple):
    await make_instrument(apple, "USDKRW=X", kind="FX")
    await make_rates(apple, 1450, 1451, 1452, 1453, 1454)
    friday_night = at(apple, "2025-01-10T22:40")
    assert await state(friday_night, "USDKRW=X") is FreshnessState.ON_TIME
    assert await state(at(apple, "2025-01-12T12:00"), "USDKRW=X") is FreshnessState.ON_TIME
    assert await state(at(apple, "2025-01-14T00:31"), "USDKRW=X") is FreshnessState.LATE


async def test_a_replay_hides_its_own_day_and_what_comes_after(apple):
    assert await horizon(apple) is None
    await make_split(apple, "AAPL", date(2025, 1, 8), 2)
    await make_split(apple, "AAPL", date(2025, 1, 9), 2)
    await make_rates(apple, 1450, 1451, 1452)
    await replay(apple, date(2025, 1, 8))
    assert await horizon(apple) == date(2025, 1, 7)
    assert [row.day.day for row in (await list_bars(apple, "AAPL")).rows] == [6, 7]
    assert await count_bars(apple, "AAPL") == 2
    assert [row.day.day for row in (await list_splits(apple, ["AAPL"]))["AAPL"]] == [8]
    assert len((await list_sparklines(apple, ["AAPL"]))["AAPL"]) == 2
    rate = await find_fx_rate(apple, "USD", "KRW")
    assert rate is not None
    assert rate.day == date(2025, 1, 7)
    assert await freshness(apple, ["AAPL"]) == {
        "AAPL": Freshness(FreshnessState.HISTORIC, date(2025, 1, 7), None)
    }


async def test_an_explicit_end_reaches_beyond_the_replay(apple):
    await replay(apple, date(2025, 1, 8))
    page = await list_bars(apple, "AAPL", end=date(2025, 1, 10) + timedelta(days=1))
    assert len(page.rows) == 5
