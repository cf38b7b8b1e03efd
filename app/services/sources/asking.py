"""Asking: one question to the sources of one provider in turn, and an answer made as traded.

The first answer with prices counts. When there is none, the first source's failure does, with what
the others said beside it. A source whose host must not be asked just now is passed over: yahoo and
yfinance share one host and one budget, so that a limited Yahoo is not asked twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import polars as pl

from app.adapters.prices import (
    DIVIDEND_SCHEMA,
    SPLIT_SCHEMA,
    BadPayload,
    Failure,
    History,
    PriceSource,
    describe,
)
from app.adapters.yahoo_parse import restate
from app.db.frames import read_frame
from app.domain.bars import PriceBasis
from app.env import Env


@dataclass(frozen=True)
class Asked:
    """Which source answered, what, and what the sources asked after a failed first one said."""

    source: PriceSource
    answer: History | Failure
    others: str = ""


async def ask_in_turn(
    sources: Sequence[PriceSource],
    symbol: str,
    *,
    start: date | None = None,
    currency: str | None = None,
) -> Asked:
    """Asks sources for daily bars until one has them: the first History, else the first failure.

    `sources` is not empty; `currency`: prices in another one are a `BadPayload`.
    """
    first = Asked(sources[0], await _ask(sources[0], symbol, start, currency))
    if isinstance(first.answer, History):
        return first
    others = []
    for source in sources[1:]:
        state = source.state()
        if state is not None and state.closed_until is not None:
            continue
        answer = await _ask(source, symbol, start, currency)
        if isinstance(answer, History):
            return Asked(source, answer)
        others.append(f"{source.name}: {describe(answer)}")
    return replace(first, others="; ".join(others))


async def make_as_traded(env: Env, symbol: str, history: History) -> History:
    """Prices of today's shares → as traded, by the stored splits, with the stored events.

    A source that adjusts for splits does not tell its events: those that are stored count as told
    by it, within the span of its bars, so that nothing is taken for gone. Others stay as they are.
    """
    if history.basis is not PriceBasis.SPLIT_ADJUSTED:
        return history
    params = {"symbol": symbol, "today": env.clock.now().date()}
    async with env.db.read() as db:
        splits = await read_frame(db, _SPLITS, params, SPLIT_SCHEMA)
        dividends = await read_frame(db, _DIVIDENDS, params, DIVIDEND_SCHEMA)
    told = replace(restate(history, splits), splits=splits, dividends=dividends)
    days = history.bars["day"]
    if days.is_empty():
        return told
    span = pl.col("day").is_between(days.min(), days.max())
    return replace(told, splits=splits.filter(span), dividends=dividends.filter(span))


async def _ask(
    source: PriceSource, symbol: str, start: date | None, currency: str | None
) -> History | Failure:
    answer = await source.history(symbol, start=start)
    if isinstance(answer, History) and currency not in {None, answer.info.currency}:
        return BadPayload(f"The prices are in {answer.info.currency}, not in {currency}.")
    return answer


_SPLITS: Final = """
    SELECT day, numerator, denominator FROM split
    WHERE symbol = :symbol AND day <= :today ORDER BY day
"""
_DIVIDENDS: Final = """
    SELECT day, amount FROM dividend WHERE symbol = :symbol AND day <= :today ORDER BY day
"""
