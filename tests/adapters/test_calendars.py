"""The calendar library with its known faults mended: golden cases G06-G08 and G10-G11."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import exchange_calendars
import polars as pl
import pytest

from app.adapters.calendars import CALENDARS, LAST_DAY, AbstractHolidayCalendar, sessions
from app.domain.session_overrides import SESSION_SCHEMA, SHIPPED
from app.domain.sessions import FIRST_DAY
from app.errors import BadInput

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.fixture(scope="module")
def korea() -> pl.DataFrame:
    return sessions("XKRX", date(1990, 1, 1), date(2027, 12, 30), SHIPPED)


@pytest.fixture(scope="module")
def york() -> pl.DataFrame:
    return sessions("XNYS", date(1990, 1, 1), date(2027, 12, 30), SHIPPED)


def hours(frame: pl.DataFrame, day: date) -> tuple[str, str] | None:
    found = frame.filter(pl.col("day") == day)
    if found.is_empty():
        return None
    _, _, opens, closes = found.row(0)
    return tuple(t.astimezone(SEOUL).strftime("%H:%M") for t in (opens, closes))


@pytest.mark.parametrize(
    "day", [date(2026, 6, 3), date(2026, 7, 17), date(2027, 5, 3), date(2027, 7, 19)]
)
def test_korea_is_closed_where_the_library_says_open(korea, day):  # G06
    assert hours(korea, day) is None


@pytest.mark.parametrize(
    "day",
    [
        date(2020, 12, 3),  # right in the library
        date(2021, 11, 18),
        date(2022, 11, 17),
        date(2023, 11, 16),
        date(2024, 11, 14),
        date(2025, 11, 13),
        date(2026, 11, 19),
        date(2027, 11, 18),  # by the same rule; to be confirmed
    ],
)
def test_exam_days_trade_from_ten_to_half_past_four(korea, day):  # G07
    assert hours(korea, day) == ("10:00", "16:30")


def test_every_correction_that_ships_is_needed(korea):
    """A row that the library has learnt may go: the library alone, without corrections."""
    library = sessions("XKRX", date(1990, 1, 1), date(2027, 12, 30))
    for override in SHIPPED:
        assert hours(library, override.day) == ("09:00", "15:30"), override.day
        assert hours(korea, override.day) != ("09:00", "15:30"), override.day


def test_new_york_is_closed_in_2027_as_it_has_announced(york):
    """NYSE's announcement of 2025-12-23; the day after Thanksgiving ends at 13:00 there."""
    weekdays = pl.date_range(date(2027, 1, 1), date(2027, 12, 30), eager=True).to_frame("day")
    weekdays = weekdays.filter(pl.col("day").dt.weekday() < 6)
    closed = weekdays.join(york, on="day", how="anti")["day"]
    assert [f"{day:%m-%d}" for day in closed] == [
        *("01-01", "01-18", "02-15", "03-26", "05-31", "06-18", "07-05", "09-06", "11-25", "12-24"),
    ]
    assert hours(york, date(2027, 11, 26)) == ("23:30", "03:00")


def test_exam_days_before_2021_are_right_in_the_library():
    library = sessions("XKRX", date(2016, 1, 4), date(2020, 12, 30))
    for day in ("2016-11-17", "2017-11-23", "2018-11-15", "2019-11-14", "2020-12-03"):
        assert hours(library, date.fromisoformat(day)) == ("10:00", "16:30"), day


@pytest.mark.parametrize("day", [date(2025, 1, 2), date(2026, 1, 2)])
def test_the_first_session_of_a_year_opens_late(korea, day):  # G08
    assert hours(korea, day) == ("10:00", "15:30")


def test_the_last_session_asked_for_keeps_its_hours(korea):
    assert hours(korea, date(2027, 12, 30)) == ("09:00", "15:30")
    assert hours(sessions("XKRX", date(2026, 11, 2), date(2026, 11, 3)), date(2026, 11, 3)) == (
        "09:00",
        "15:30",
    )


def test_old_days_and_days_beyond_the_range_do_not_crash(korea, york):  # G10
    assert hours(korea, date(2000, 3, 2)) == ("09:00", "15:00")
    assert york["day"].min() == date(1990, 1, 2)
    early = sessions("XNYS", date(1980, 1, 1), date(1990, 1, 5))
    assert early["day"].to_list()[0] == date(1990, 1, 2)
    assert sessions("XNYS", date(1980, 1, 1), date(1985, 1, 1)).is_empty()
    late = sessions("XKRX", date(2050, 11, 1), date(2060, 1, 1))
    assert date(2050, 11, 1) <= late["day"].min() <= late["day"].max() <= LAST_DAY


@pytest.mark.parametrize(
    ("day", "closes"),
    [
        (date(2026, 1, 15), datetime(2026, 1, 16, 6, tzinfo=SEOUL)),
        (date(2026, 7, 15), datetime(2026, 7, 16, 5, tzinfo=SEOUL)),
        (date(2025, 11, 28), datetime(2025, 11, 29, 3, tzinfo=SEOUL)),  # half day
    ],
)
def test_new_york_closes_at_three_different_hours_of_seoul(york, day, closes):  # G11
    close_at = york.filter(pl.col("day") == day)["close_at"][0]
    assert close_at == closes


def test_the_frame_has_the_columns_of_the_table_in_order(york):
    assert york.schema == SESSION_SCHEMA
    assert york["day"].is_sorted()
    assert (york["open_at"] < york["close_at"]).all()
    assert york["day"].is_unique().all()


def test_the_us_markets_share_one_calendar(york):
    start, end = date(2026, 1, 1), date(2026, 12, 31)
    days = york.filter(pl.col("day").is_between(start, end))["day"].to_list()
    for mic in ("XNAS", "ARCX"):
        frame = sessions(mic, start, end)
        assert frame["day"].to_list() == days
        assert frame["mic"].unique().to_list() == [mic]
    assert set(CALENDARS) == {"XKRX", "XNYS", "XNAS", "ARCX"}


def test_an_unknown_market_is_named():
    with pytest.raises(BadInput, match="no calendar of CCY"):
        sessions("CCY", date(2026, 1, 1), date(2026, 1, 9))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the library's own
@pytest.mark.parametrize(("mic", "last"), [("XKRX", date(2027, 12, 31)), ("XNYS", LAST_DAY)])
def test_no_session_changes_because_the_holidays_of_fewer_years_are_known(monkeypatch, mic, last):
    ours = sessions(mic, FIRST_DAY, last)
    monkeypatch.setattr(AbstractHolidayCalendar, "start_date", "1970-01-01")
    monkeypatch.setattr(AbstractHolidayCalendar, "end_date", "2200-12-31")
    theirs = type(exchange_calendars.get_calendar(mic))(start="1990-01-01", end="2050-12-31")
    count = ours.height
    assert ours["day"].to_list() == [day.date() for day in theirs.sessions[:count]]
    for name, instants in (("open_at", theirs.opens_nanos), ("close_at", theirs.closes_nanos)):
        assert ours[name].dt.timestamp("ns").to_list() == instants[:count].tolist()
