"""Two markets in one table: values of different exchanges, aligned by what was known when.

A value belongs to a session and is known from that session's close on (UTC). A row of the base
market sees, of every other market, the newest value known at its own close: never one of a session
that closes later, whatever its date says. So a Korean row of day d sees New York's day before, or
an earlier one after holidays, and a row of New York of day d sees Korea's same day: the US close of
day d is 14 hours after the Korean close of day d.

Fill rule: on a day on which the other market was closed its last value is carried forward, for at
most `MAX_AGE` from its close to the base's close; then it is null. Ten days are longer than any
market was closed for holidays (Chuseok of 2025: eight) and shorter than a halt. Nothing is filled
backward, and no row of the base is dropped: an inner join on the date would lose some ten sessions
a year without a word, and would put the US close of d beside the Korean one before it was known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

import polars as pl

from app.domain.session_overrides import SESSION_SCHEMA
from app.domain.sessions import Session

MAX_AGE: Final = timedelta(days=10)
KNOWN_AT: Final = "known_at"


def sessions_frame(sessions: Iterable[Session]) -> pl.DataFrame:
    """Sessions as a frame (SESSION_SCHEMA), for markets whose sessions follow from the weekday."""
    rows = [(s.mic, s.day, s.open_at, s.close_at) for s in sessions]
    return pl.DataFrame(rows, schema=SESSION_SCHEMA, orient="row")


def stamp(values: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """Values (`day` and any others) of one market with `known_at`, in order of time.

    `sessions` are that market's (SESSION_SCHEMA). A day on which it had none is left out: a bar of
    such a day is a mistake of its source.

    Raises:
        ValueError: the sessions are of more than one market.
    """
    if sessions["mic"].n_unique() > 1:
        mics = ", ".join(sorted(sessions["mic"].unique()))
        raise ValueError(f"sessions are of {mics}; they must be of one market")
    closes = sessions.select("day", pl.col("close_at").alias(KNOWN_AT))
    return values.join(closes, on="day", how="inner").sort(KNOWN_AT)


def align(
    base: pl.DataFrame, others: Mapping[str, pl.DataFrame], *, max_age: timedelta = MAX_AGE
) -> pl.DataFrame:
    """Every row of `base` beside what was known of the others at that moment.

    All frames are `stamp`ed. The columns of another come as `{name}_{column}`: `{name}_day` is the
    session that its values are of, `{name}_known_at` the close of it; null where nothing was known
    within `max_age`. Null values are values: fill a frame's own gaps before, if they shall be.
    """
    found = base.sort(KNOWN_AT)
    for name, frame in others.items():
        key = f"{name}_{KNOWN_AT}"
        theirs = frame.sort(KNOWN_AT).rename(
            {column: f"{name}_{column}" for column in frame.columns}
        )
        found = found.join_asof(
            theirs,
            left_on=KNOWN_AT,
            right_on=key,
            strategy="backward",
            tolerance=max_age,
            coalesce=False,
            check_sortedness=False,
        )
    return found


def known_until(frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """The rows of a `stamp`ed frame that were known at an instant, in order."""
    return frame.filter(pl.col(KNOWN_AT) <= at.astimezone(UTC)).sort(KNOWN_AT)


def common_days(sessions: Mapping[str, pl.DataFrame], start: date, end: date) -> list[date]:
    """The dates from `start` to `end` on which every one of these markets has a session."""
    within = pl.col("day").is_between(start, end)
    days = [set(frame.filter(within)["day"]) for frame in sessions.values()]
    return sorted(set.intersection(*days)) if days else []
