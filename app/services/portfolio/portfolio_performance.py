"""How a portfolio has done between two days, from its stored equity, beside a benchmark.

What there was before the first day counts as paid in at its start, so that a part of the time is
measured like the whole.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import polars as pl

from app.domain.bars import PriceBasis
from app.domain.portfolio.returns import Returns, measure
from app.env import Env
from app.errors import BadInput
from app.services.market.candles import get_series

UNIT: Final = 100.0
"""What a unit, and the benchmark, are worth at the start of the time shown."""


def get_performance(stored: pl.DataFrame, start: date | None) -> Returns:
    """Returns and statistics from `start` on, of all there is without it.

    `stored` is what `read_equity` has of a span.

    Raises:
        BadInput: a day of it has no value.
    """
    return measure(_opened(stored, start))


async def get_equity(
    env: Env, stored: pl.DataFrame, start: date | None, benchmark: str | None = None
) -> dict[str, list[Any]]:
    """What is stored, from `start` on, in columns.

    time, value, cash, paidIn, paidOut, unit, drawdown, and benchmark if asked for.

    `unit` is what 100 of the first day have become, whatever was paid in or out meanwhile; the
    benchmark is the same of its total return, in its own currency.

    Raises:
        NotFound: there is no such benchmark.
    """
    if start is not None and not stored.is_empty() and stored["day"][0] < start:
        base = stored["unit"][0]
        shown = stored.slice(1)
    else:
        base, shown = 1.0, stored
    columns = {
        "time": [day.isoformat() for day in shown["day"]],
        "value": shown["value"].to_list(),
        "cash": shown["cash"].to_list(),
        "paidIn": shown["paid_in"].to_list(),
        "paidOut": shown["paid_out"].to_list(),
        "unit": (shown["unit"] / base * UNIT).to_list(),
        "drawdown": shown["drawdown"].to_list(),
    }
    if benchmark is not None:
        columns["benchmark"] = await _benchmark(env, benchmark, shown["day"].to_list())
    return columns


def check_span(start: date | None, end: date | None) -> None:
    """Refuses days that no span can have.

    Raises:
        BadInput: the span is turned round.
    """
    if start is not None and end is not None and start > end:
        msg = "from is %(start)s and to is %(end)s: from must not be after to"
        raise BadInput(msg, field="from", start=start, end=end)


async def _benchmark(env: Env, symbol: str, days: list[date]) -> list[float | None]:
    """Its total return at the days, 100 at the last close on or before the first of them."""
    if not days:
        return []
    series = await get_series(env, symbol, end=days[-1], basis=PriceBasis.TOTAL_RETURN)
    closes = pl.DataFrame(
        {"day": [date.fromisoformat(day) for day in series["time"]], "close": series["close"]},
        schema={"day": pl.Date, "close": pl.Float64},
    ).drop_nulls()
    asked = pl.DataFrame({"day": days}, schema={"day": pl.Date})
    found = asked.join_asof(closes, on="day")["close"]
    first = found.drop_nulls().first()
    return (found / first * UNIT).to_list() if first else found.to_list()


def _opened(stored: pl.DataFrame, start: date | None) -> pl.DataFrame:
    """The days asked for; the value before them is paid in on the first one."""
    if start is None or stored.is_empty() or stored["day"][0] >= start:
        return stored
    before = stored["value"][0]
    rest = stored.slice(1)
    first = pl.int_range(pl.len()) == 0
    paid = pl.when(first).then(pl.col("paid_in") + before).otherwise("paid_in")
    return rest.with_columns(paid_in=paid)
