"""Readings: an instrument's indicators of one session and the votes on them, for many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row, text

from app.domain.indicator_columns import INDICATOR_COLUMNS
from app.domain.signals import CROSS_BARS, Signal, compute_signal
from app.env import Env
from app.services.prices import horizon


@dataclass(frozen=True)
class Reading:
    """Indicators of `day` by column, None in warm-up and flat windows; their signal.

    `signal` is None when one of the three that vote is unknown.
    """

    day: date
    indicators: Mapping[str, float | None]
    signal: Signal | None


async def list_readings(
    env: Env, symbols: Sequence[str], on: date | None = None
) -> dict[str, Reading]:
    """The reading of the newest session on or before `on`, by symbol.

    Without `on` it is the newest that may be shown. Instruments without indicators are left out.

    Raises:
        Unavailable: the database does not answer.
    """
    params = {
        "symbols": list(symbols),
        "until": on or await horizon(env) or date.max,
        "bars": CROSS_BARS + 1,
    }
    async with env.db.read() as db:
        rows = (await db.execute(text(_READINGS), params)).all()
    by_symbol = groupby(rows, key=lambda row: row.symbol)
    return {symbol: _reading(list(days)) for symbol, days in by_symbol}


def _reading(days: list[Row[Any]]) -> Reading:
    """The reading of the last of these days, oldest first."""
    last = days[-1]
    histograms = [day.macd_histogram for day in days]
    return Reading(
        day=last.day,
        indicators={name: getattr(last, name) for name in INDICATOR_COLUMNS},
        signal=compute_signal(last.rsi_14, last.stochastic_k, histograms),
    )


_READINGS: Final = f"""
    SELECT i.symbol, d.*
    FROM instrument AS i
    JOIN LATERAL (
        SELECT day, {", ".join(INDICATOR_COLUMNS)} FROM indicator_daily
        WHERE symbol = i.symbol AND day <= :until
        ORDER BY day DESC LIMIT :bars
    ) AS d ON true
    WHERE i.symbol = ANY(:symbols)
    ORDER BY i.symbol, d.day
"""
