"""Readings: an instrument's indicators of one session and the votes on them, for many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, text

from app.domain.indicator_columns import INDICATOR_COLUMNS
from app.domain.signal_series import INPUTS, SIGNAL_COLUMNS, VOTE_COLUMNS
from app.domain.signals import MacdVote, Signal, VoteIndicator, make_signal
from app.env import Env
from app.services.market.prices import horizon


@dataclass(frozen=True)
class Reading:
    """Indicators of `day` by column, None in warm-up and flat windows; their signal.

    `signal` is the stored one: None when one of the three that vote is unknown.
    """

    day: date
    indicators: Mapping[str, float | None]
    signal: Signal | None


def macd_vote(env: Env) -> MacdVote:
    """How MACD votes in this installation: what signals are stored by from now on."""
    by_state = env.settings.macd_vote == "state"
    return VoteIndicator.MACD_STATE if by_state else VoteIndicator.MACD_CROSS


async def list_readings(
    env: Env, symbols: Sequence[str], on: date | None = None
) -> dict[str, Reading]:
    """The reading of the newest session on or before `on`, by symbol.

    Without `on` it is the newest that may be shown. A day without a close counts as none, and
    instruments without indicators are left out.

    Raises:
        Unavailable: the database does not answer.
    """
    params = {
        "symbols": list(symbols),
        "until": on or await horizon(env) or date.max,
    }
    async with env.db.read() as db:
        rows = (await db.execute(text(_READINGS), params)).all()
    return {row.symbol: _reading(row) for row in rows}


async def list_strong(env: Env, symbol: str) -> list[tuple[date, int]]:
    """Days on which a signal became STRONG_BUY (2) or STRONG_SELL (-2), oldest first.

    Raises:
        Unavailable: the database does not answer.
    """
    params = {"symbol": symbol, "until": await horizon(env) or date.max}
    async with env.db.read() as db:
        return [(row.day, row.strength) for row in await db.execute(text(_STRONG), params)]


def _reading(row: Row[Any]) -> Reading:
    indicators = {name: getattr(row, name) for name in INDICATOR_COLUMNS}
    return Reading(row.day, indicators, None if row.strength is None else _signal(row))


def _signal(row: Row[Any]) -> Signal:
    values = [getattr(row, name) for name in INPUTS]
    votes = [getattr(row, name) for name in VOTE_COLUMNS]
    by_state = row.signals_by == VoteIndicator.MACD_STATE
    macd: MacdVote = VoteIndicator.MACD_STATE if by_state else VoteIndicator.MACD_CROSS
    return make_signal(row.strength, values, votes, macd)


_READINGS: Final = f"""
    SELECT i.symbol, i.signals_by, d.*, {", ".join(f"s.{name}" for name in SIGNAL_COLUMNS)}
    FROM instrument AS i
    JOIN LATERAL (
        SELECT day, {", ".join(INDICATOR_COLUMNS)} FROM indicator_daily AS d
        WHERE symbol = i.symbol AND day <= :until AND NOT EXISTS (
            SELECT FROM bar WHERE symbol = d.symbol AND day = d.day AND close IS NULL)
        ORDER BY day DESC LIMIT 1
    ) AS d ON true
    LEFT JOIN signal AS s ON s.symbol = i.symbol AND s.day = d.day
    WHERE i.symbol = ANY(:symbols)
"""
_STRONG: Final = """
    SELECT day, strength FROM (
        SELECT day, strength, lag(strength) OVER (ORDER BY day) AS before
        FROM signal WHERE symbol = :symbol AND day <= :until
    ) AS days
    WHERE abs(strength) = 2 AND strength IS DISTINCT FROM before ORDER BY day
"""
