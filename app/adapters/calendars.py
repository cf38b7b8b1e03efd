"""Exchange calendars from exchange_calendars: the only module that imports it (and pandas with it).

It costs 80 MB and seconds, so only short-lived processes come here; everybody else reads the table
`exchange_session`. Known faults of the library are mended here or by `domain/session_overrides`:
the default range is twenty years (ours begins in 1990), a question beyond the range raises, the
last session of the range gets the late opening of a new year's first (so one builds beyond it), and
holidays are worked out until 2200 (two seconds of lunar calendar; ours end with the next year).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from datetime import date, timedelta
from importlib.metadata import version
from typing import Final

import exchange_calendars
import numpy as np
import polars as pl
from exchange_calendars.exchange_calendar import AbstractHolidayCalendar
from numpy.typing import NDArray

from app.domain.session_overrides import SESSION_SCHEMA, Override, apply_overrides
from app.domain.sessions import FIRST_DAY
from app.errors import BadInput

CALENDARS: Final = {"XKRX": "XKRX", "XNYS": "XNYS", "XNAS": "XNYS", "ARCX": "XNYS"}
LAST_DAY: Final = date(2050, 12, 1)  # the library's Korean holidays end with that year
_BEYOND: Final = timedelta(days=21)


def sessions(mic: str, start: date, end: date, overrides: Iterable[Override] = ()) -> pl.DataFrame:
    """Sessions of a market from `start` to `end`, both included: mic, day, open_at, close_at (UTC).

    Days before 1990 or after 2050-12-01 are left out; overrides of other markets are not looked at.

    Raises:
        BadInput: there is no calendar of that market.
    """
    if mic not in CALENDARS:
        raise BadInput("There is no calendar of %(mic)s", field="mic", mic=mic)
    first, last = max(start, FIRST_DAY), min(end, LAST_DAY)
    if first > last:
        return pl.DataFrame(schema=SESSION_SCHEMA)
    # what pandas offers to be set, for all calendars at once: the years that have holidays
    AbstractHolidayCalendar.start_date = f"{FIRST_DAY.year - 1}-01-01"
    AbstractHolidayCalendar.end_date = f"{last.year + 1}-12-31"
    with warnings.catch_warnings():
        # the library still uses what pandas 3.1 will change in 4
        warnings.simplefilter("ignore", DeprecationWarning)
        calendar = exchange_calendars.get_calendar(
            CALENDARS[mic], start=FIRST_DAY.isoformat(), end=(last + _BEYOND).isoformat()
        )
    frame = pl.DataFrame(
        {
            "day": pl.Series(calendar.sessions.to_numpy()).cast(pl.Date),
            "open_at": _instants(calendar.opens_nanos),
            "close_at": _instants(calendar.closes_nanos),
        }
    ).select(pl.lit(mic).alias("mic"), "day", "open_at", "close_at")
    ours = [override for override in overrides if override.mic == mic]
    return apply_overrides(frame, ours).filter(pl.col("day").is_between(first, last))


def library_version() -> str:
    """The release that the sessions come from."""
    return version("exchange_calendars")


def _instants(nanoseconds: NDArray[np.int64]) -> pl.Series:
    return pl.Series(nanoseconds).cast(pl.Datetime("ns", "UTC")).dt.cast_time_unit("us")
