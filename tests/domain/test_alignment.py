"""Two markets in one table: golden cases G12 and G13, and that nothing is known before its time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from app.adapters.calendars import sessions as calendar
from app.domain.alignment import (
    MAX_AGE,
    align,
    common_days,
    known_until,
    sessions_frame,
    stamp,
)
from app.domain.session_overrides import SHIPPED
from app.domain.sessions import Session, currency_sessions

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.fixture(scope="module")
def markets() -> dict[str, pl.DataFrame]:
    """Korea and New York from 2019 to 2027, with the corrections that ship."""
    span = (date(2019, 1, 1), date(2027, 12, 30))
    return {mic: calendar(mic, *span, SHIPPED) for mic in ("XKRX", "XNYS")}


def stamped(sessions: pl.DataFrame) -> pl.DataFrame:
    """A frame whose value is the ordinal of its day."""
    days = sessions.select("day", pl.col("day").to_physical().alias("value"))
    return stamp(days, sessions)


def at(frame: pl.DataFrame, day: str) -> dict[str, object]:
    return frame.row(by_predicate=pl.col("day") == date.fromisoformat(day), named=True)


@pytest.mark.parametrize("year", range(2020, 2027))
def test_the_two_markets_share_fewer_days_than_either_has(markets, year):  # G13
    start, end = date(year, 1, 5), date(year, 12, 29)
    common = common_days(markets, start, end)
    assert 230 <= len(common) <= 238
    within = pl.col("day").is_between(start, end)
    for mic, low, high in (("XKRX", 239, 246), ("XNYS", 246, 249)):
        assert low <= markets[mic].filter(within).height <= high
        assert markets[mic].filter(within).height > len(common)


def test_a_korean_row_sees_new_yorks_day_before_and_a_row_of_new_york_koreas_same_day(markets):
    korea, york = stamped(markets["XKRX"]), stamped(markets["XNYS"])
    seen = align(korea, {"us": york})
    assert at(seen, "2026-07-15")["us_day"] == date(2026, 7, 14)
    assert at(seen, "2026-07-13")["us_day"] == date(2026, 7, 10)  # Monday: Friday's
    back = align(york, {"kr": korea})
    assert at(back, "2026-07-15")["kr_day"] == date(2026, 7, 15)
    for row in back.drop_nulls("kr_day").iter_rows(named=True):
        assert row["kr_known_at"] <= row["known_at"]
        assert row["kr_day"] <= row["day"]
    same = back.filter(pl.col("kr_day") == pl.col("day"))
    apart = (same["known_at"] - same["kr_known_at"]).unique()
    assert apart.min() >= timedelta(hours=10.5)  # a half day of New York
    assert apart.max() <= timedelta(hours=15)


def test_no_row_is_lost_and_holidays_are_filled_for_ten_days(markets):
    korea, york = stamped(markets["XKRX"]), stamped(markets["XNYS"])
    seen = align(york, {"kr": korea}).filter(
        pl.col("day").is_between(*(date(2025, 10, 1), date(2025, 10, 10)))
    )
    filled = dict(zip(seen["day"].dt.day(), seen["kr_day"].dt.day(), strict=True))
    # Chuseok: closed from October 3 to 9
    assert filled == {1: 1, 2: 2, 3: 2, 6: 2, 7: 2, 8: 2, 9: 2, 10: 10}
    whole = align(york, {"kr": korea})
    assert whole.height == york.height
    assert whole.filter(pl.col("day") > date(2019, 1, 2))["kr_day"].null_count() == 0


def test_a_us_job_in_the_korean_afternoon_has_the_day_before(markets):  # G12
    job = datetime(2026, 7, 15, 17, tzinfo=SEOUL)
    assert job.astimezone(ZoneInfo("America/New_York")).hour == 4
    assert known_until(stamped(markets["XNYS"]), job)["day"][-1] == date(2026, 7, 14)
    assert known_until(stamped(markets["XKRX"]), job)["day"][-1] == date(2026, 7, 15)


def test_on_the_exam_day_nothing_is_known_until_half_past_four(markets):  # G07
    korea = stamped(markets["XKRX"])
    for hour, minute, day in ((16, 0, 12), (16, 29, 12), (16, 30, 13)):
        instant = datetime(2025, 11, 13, hour, minute, tzinfo=SEOUL)
        assert known_until(korea, instant)["day"][-1].day == day


def test_a_value_that_is_too_old_is_null():
    base = sessions_frame([session("A", 0), session("A", 9), session("A", 30)])
    other = sessions_frame([session("B", 0)])
    seen = align(stamped(base), {"b": stamped(other)})
    assert seen["b_value"].is_null().to_list() == [False, False, True]
    shorter = align(stamped(base), {"b": stamped(other)}, max_age=timedelta(days=2))
    assert shorter["b_value"].is_null().to_list() == [False, True, True]


def test_a_bar_of_a_day_without_a_session_is_left_out():
    sessions = sessions_frame([session("A", 0), session("A", 2)])
    values = pl.DataFrame({"day": [day(0), day(1), day(2)], "value": [1.0, 2.0, 3.0]})
    assert stamp(values, sessions)["value"].to_list() == [1.0, 3.0]


def test_sessions_of_two_markets_are_refused():
    both = sessions_frame([session("A", 0), session("B", 1)])
    with pytest.raises(ValueError, match="sessions are of A, B"):
        stamp(pl.DataFrame({"day": [day(0)]}), both)


def test_the_currency_market_aligns_by_the_end_of_londons_day(markets):
    rates = stamped(sessions_frame(currency_sessions(date(2026, 7, 13), 5)))
    seen = align(stamped(markets["XKRX"]), {"fx": rates})
    assert at(seen, "2026-07-15")["fx_day"] == date(2026, 7, 14)
    us = align(stamped(markets["XNYS"]), {"fx": rates})
    assert at(us, "2026-07-15")["fx_day"] == date(2026, 7, 14)  # London's day ends at 23:00 UTC


def day(offset: int) -> date:
    return date(2026, 1, 5) + timedelta(days=offset)


def session(mic: str, offset: int, closes: int = 12) -> Session:
    opens = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=offset)
    return Session(mic, day(offset), opens, opens + timedelta(hours=closes))


def some_market(mic: str) -> st.SearchStrategy[pl.DataFrame]:
    """Sessions on some of sixty days, which close at any hour of their day or the next one."""
    offsets = st.lists(st.integers(0, 60), unique=True, min_size=1).map(sorted)
    return offsets.flatmap(
        lambda days: st.lists(st.integers(1, 20), min_size=len(days), max_size=len(days)).map(
            lambda hours: sessions_frame(
                session(mic, offset, hour) for offset, hour in zip(days, hours, strict=True)
            )
        )
    )


@given(some_market("A"), some_market("B"), st.integers(1, 20))
def test_every_row_has_the_newest_value_known_by_then_and_none_that_came_later(first, second, age):
    base, other = stamped(first), stamped(second)
    max_age = timedelta(days=age)
    seen = align(base, {"b": other}, max_age=max_age)
    assert seen["day"].to_list() == base["day"].to_list()
    known = list(zip(other["known_at"], other["day"], strict=True))
    for row in seen.iter_rows(named=True):
        before = [(at, d) for at, d in known if row["known_at"] - max_age <= at <= row["known_at"]]
        assert row["b_day"] == (max(before)[1] if before else None)


@given(some_market("A"), some_market("B"), st.integers(0, 60))
def test_what_comes_later_changes_no_earlier_row(first, second, cut):
    base, other = stamped(first), stamped(second)
    end = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=cut)
    whole = known_until(align(base, {"b": other}, max_age=MAX_AGE), end)
    part = align(known_until(base, end), {"b": known_until(other, end)}, max_age=MAX_AGE)
    assert_frame_equal(whole, part)
