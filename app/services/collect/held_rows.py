"""Held rows: what the quarantine knows of an instrument, and what an answer changes in it.

A decision is a person's word on exactly the values that were held; other values of the same day
are judged anew. Values are compared as the shortest decimal text of their floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

import orjson
import polars as pl
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Quarantine
from app.db.revised import Version
from app.domain.acceptance import Held

Values = dict[str, str | None]
_NAMES: Final = ("open", "high", "low", "close", "adj_close", "volume", "amount")
_JUDGED: Final = ("open", "high", "low", "close", "volume", "amount")
"""`adj_close` is kept, but it moves with every later event: it does not make other values."""


@dataclass(frozen=True)
class Decisions:
    """What people decided for an instrument: values by kind and day, and a believed scale."""

    kept: dict[tuple[str, date], Values] = field(default_factory=dict)
    dropped: dict[tuple[str, date], Values] = field(default_factory=dict)
    scaled: frozenset[date] = frozenset()

    def released(self, bars: pl.DataFrame) -> set[date]:
        """Days of these bars whose values a person has believed."""
        return _agreeing(bars, "BAR", self.kept)

    def released_dividends(self, dividends: pl.DataFrame) -> set[date]:
        """Days of these dividends whose amount a person has believed."""
        return _agreeing(dividends, "DIVIDEND", self.kept)

    def without_dropped(self, bars: pl.DataFrame) -> pl.DataFrame:
        """The bars but for those that a person has dropped."""
        return bars.filter(~pl.col("day").is_in(list(_agreeing(bars, "BAR", self.dropped))))

    def believes_scale(self, days: pl.Series) -> bool:
        """Whether a person has released a day of these that was held for its scale."""
        return not self.scaled.isdisjoint(days.to_list())


def values_of(row: dict[str, Any]) -> Values:
    """A row's values as exact decimals in text; null stays null, what is no number is `str`."""
    return {name: _text(row[name]) for name in _NAMES if name in row}


async def load_decisions(db: AsyncSession, symbol: str) -> Decisions:
    """What people decided for the instrument."""
    rows = await db.execute(
        select(
            Quarantine.kind, Quarantine.day, Quarantine.row, Quarantine.state, Quarantine.reason
        ).where(Quarantine.symbol == symbol, Quarantine.state.in_(["RELEASED", "DROPPED"]))
    )
    found = rows.all()
    kept = {(r.kind, r.day): r.row for r in found if r.state == "RELEASED"}
    dropped = {(r.kind, r.day): r.row for r in found if r.state == "DROPPED"}
    scaled = {r.day for r in found if r.state == "RELEASED" and r.reason == "SCALED"}
    return Decisions(kept, dropped, frozenset(scaled))


async def hold_rows(version: Version, kind: str, rows: Sequence[Held], *, mended: pl.Series) -> int:
    """Writes held rows, and closes those of days that are believed now; how many are new.

    A row that is held with the same values stays as it is, as does what was decided about it.
    """
    session = version.session
    facts = {"symbol": version.symbol, "kind": kind, "at": version.at}
    if not mended.is_empty():
        await session.execute(text(_MEND), facts | {"days": mended.to_list()})
    new = 0
    for held in rows:
        values = {
            "day": held.day,
            "reason": held.reason,
            "detail": held.detail,
            "row": orjson.dumps(values_of(held.row)).decode(),
            "source": version.source,
        }
        result = await session.scalar(text(_HOLD), facts | values)
        new += result is not None
    return new


async def close_held(version: Version) -> None:
    """Closes the held rows of other providers than the version's: their prices count no more."""
    facts = {"symbol": version.symbol, "source": version.source, "at": version.at}
    await version.session.execute(text(_CLOSE), facts)


def _agreeing(rows: pl.DataFrame, kind: str, decided: dict[tuple[str, date], Values]) -> set[date]:
    """Days of these rows whose values are those that were decided on."""
    days = [day for known, day in decided if known == kind]
    found = rows.filter(pl.col("day").is_in(days)).to_dicts() if days else []
    return {row["day"] for row in found if _same(row, decided[kind, row["day"]])}


def _same(row: dict[str, Any], known: Values) -> bool:
    values = values_of(row)
    return all(values.get(name) == known.get(name) for name in _JUDGED)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    number = Decimal(repr(value))
    return f"{number.normalize():f}" if number.is_finite() else str(value)


_SAME: Final = "quarantine.row - 'adj_close' IS DISTINCT FROM excluded.row - 'adj_close'"
_HOLD: Final = f"""
    INSERT INTO quarantine AS quarantine
        (symbol, kind, day, reason, detail, row, source, found_at, state)
    VALUES (:symbol, :kind, :day, :reason, :detail, CAST(:row AS jsonb), :source, :at, 'HELD')
    ON CONFLICT (symbol, kind, day) DO UPDATE SET
        reason = excluded.reason, detail = excluded.detail, row = excluded.row,
        source = excluded.source, found_at = excluded.found_at, state = 'HELD', decided_at = NULL
    WHERE {_SAME} OR quarantine.state = 'MENDED'
        OR (quarantine.state = 'HELD' AND quarantine.reason <> excluded.reason)
    RETURNING id
"""
_CLOSE: Final = """
    UPDATE quarantine SET state = 'MENDED', decided_at = :at
    WHERE symbol = :symbol AND source <> :source AND state = 'HELD'
"""
_MEND: Final = """
    UPDATE quarantine SET state = 'MENDED', decided_at = :at
    WHERE symbol = :symbol AND kind = :kind AND day = ANY(:days) AND state IN ('HELD', 'DROPPED')
"""
