"""Where the calendar library is wrong: dated corrections that ship with each release.

An override says that a market is closed on a day, or trades at other hours than the library has.
Rows of the table `session_override` that somebody has edited come on top and win, so that an
installation can correct one itself. CSAT days (the college entrance exam) and election days are set
each year by decree; one that only follows by the rule so far says in its reason that it is to be
confirmed. Instants are UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

SESSION_SCHEMA: Final = pl.Schema(
    {
        "mic": pl.String(),
        "day": pl.Date(),
        "open_at": pl.Datetime("us", "UTC"),
        "close_at": pl.Datetime("us", "UTC"),
    }
)
UNCONFIRMED: Final = "to be confirmed"

EXAM_REASON: Final = "College entrance exam (CSAT)"
EXAM_UNCONFIRMED_REASON: Final = "College entrance exam (CSAT), to be confirmed"
ELECTION_REASON: Final = "Local elections"
LABOUR_UNCONFIRMED_REASON: Final = "Substitute for Labour Day, to be confirmed"
CONSTITUTION_REASON: Final = "Constitution Day"
CONSTITUTION_UNCONFIRMED_REASON: Final = "Substitute for Constitution Day, to be confirmed"

_SEOUL: Final = ZoneInfo("Asia/Seoul")


@dataclass(frozen=True)
class Override:
    """What is right for one market and day: no hours means closed all day."""

    mic: str
    day: date
    open_at: datetime | None
    close_at: datetime | None
    reason: str

    @property
    def closed(self) -> bool:
        """Whether the market does not trade that day."""
        return self.open_at is None

    @property
    def confirmed(self) -> bool:
        """Whether it is known, not only to be expected by the rule of other years."""
        return not self.reason.endswith(UNCONFIRMED)


def apply_overrides(sessions: pl.DataFrame, overrides: Iterable[Override]) -> pl.DataFrame:
    """Sessions (SESSION_SCHEMA) with the corrections for their markets and span, by mic and day.

    Of two overrides for one market and day the later one counts. One beyond the first or last day
    of its market's sessions is left out: nothing is known around it.
    """
    chosen = {(o.mic, o.day): o for o in overrides}
    rows = [(o.mic, o.day, o.open_at, o.close_at) for o in chosen.values()]
    corrections = pl.DataFrame(rows, schema=SESSION_SCHEMA, orient="row")
    spans = sessions.group_by("mic").agg(
        pl.col("day").min().alias("first"), pl.col("day").max().alias("last")
    )
    known = (
        corrections.join(spans, on="mic")
        .filter(pl.col("day").is_between("first", "last"))
        .select(SESSION_SCHEMA.names())
    )
    kept = sessions.join(known, on=["mic", "day"], how="anti")
    return pl.concat([kept, known.drop_nulls("open_at")]).sort("mic", "day")


def fingerprint(overrides: Iterable[Override], *facts: str) -> str:
    """A short hash of overrides in any order and of other facts: equal when nothing changed."""
    text = "\n".join([*map(repr, sorted(overrides, key=lambda o: (o.mic, o.day))), *facts])
    return sha256(text.encode()).hexdigest()[:16]


def _late(year: int, month: int, day: int, reason: str = EXAM_REASON) -> Override:
    """An exam day: everything an hour later, 10:00 to 16:30."""
    on = date(year, month, day)
    opens = datetime.combine(on, time(10), _SEOUL).astimezone(UTC)
    closes = datetime.combine(on, time(16, 30), _SEOUL).astimezone(UTC)
    return Override("XKRX", on, opens, closes, reason)


def _closed(year: int, month: int, day: int, reason: str) -> Override:
    return Override("XKRX", date(year, month, day), None, None, reason)


SHIPPED: Final = (
    _late(2021, 11, 18),
    _late(2022, 11, 17),
    _late(2023, 11, 16),
    _late(2024, 11, 14),
    _late(2025, 11, 13),
    _closed(2026, 6, 3, ELECTION_REASON),
    _closed(2026, 7, 17, CONSTITUTION_REASON),
    _late(2026, 11, 19),
    _closed(2027, 5, 3, LABOUR_UNCONFIRMED_REASON),
    _closed(2027, 7, 19, CONSTITUTION_UNCONFIRMED_REASON),
    _late(2027, 11, 18, EXAM_UNCONFIRMED_REASON),
)
