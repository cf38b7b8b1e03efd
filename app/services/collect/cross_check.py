"""Cross-checks: stored closes beside those of another provider, and held rows that it confirms.

Both sides are as traded: prices of today's shares are turned back by the stored splits. Closes
differ when they are more than `TOLERANCE` apart, 0.5 %: prices that were adjusted and rounded to
whole won are exact to 25 won after a split of 50:1, and a provider that corrects a close late does
so by a tick, which is at most 0.25 % of a Korean price from 400 won up. A missed or wrong split, a
day taken for another and a wrong currency are far beyond. A difference is told, and nothing stored
is changed by it.

A held row is released when the other provider has the same close on its day, and the same as is
stored on the day before: else what looks like a confirmed fall could be a split that only one side
has in its prices. A repeated price (STALE_REPEAT) is never released: where the other side has no
volume either, nothing was traded; where it has, our row is wrong, and its prices are not ours.
"""

from __future__ import annotations

import logging
from datetime import date
from typing import Any, Final

import polars as pl
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from app.adapters.prices import BAR_SCHEMA, History, NoData, NotListed
from app.db.frames import read_frame
from app.db.models import CrossCheck
from app.domain.acceptance import Reason, is_halt
from app.domain.market import Kind
from app.env import Env
from app.errors import NotFound
from app.services.collect.data_health import CrossCheckRow
from app.services.collect.quarantine import QuarantineRow, list_held_bars, release
from app.services.collect.storing import Target, find_target
from app.services.market.instruments import hold_instrument, refusal
from app.services.sources.asking import ask_in_turn, make_as_traded

SESSIONS: Final = 60  # the newest stored ones are compared
TOLERANCE: Final = 0.005  # relative
CONFIRMABLE: Final = (Reason.BEYOND_LIMIT, Reason.UNADJUSTED_SPLIT, Reason.NO_SESSION)

_log = logging.getLogger(__name__)


async def cross_check(env: Env, symbol: str) -> CrossCheckRow | None:
    """Compares the newest closes with the next provider's of the order, and notes the result.

    None when there is nothing to compare: no second provider, no stored close, or a currency pair.
    A provider that does not know the instrument has no day in common.

    Raises:
        NotFound: there is no such instrument.
        RateLimited, Unavailable: the other provider does not answer now.
    """
    target = await find_target(env, symbol)
    others = [s for s in target.order.sources if s.provider != target.holder]
    if target.holder is None or not others or target.instrument.kind == Kind.FX:
        return None
    others = [s for s in others if s.provider == others[0].provider]
    params = {"symbol": target.symbol, "sessions": SESSIONS}
    async with env.db.read() as db:
        stored = await read_frame(db, _NEWEST, params, _CLOSES)
    held = await list_held_bars(env, target.symbol, CONFIRMABLE)
    days = [*stored["day"].to_list(), *(row.day for row in held)]
    if not days:
        return None
    asked = await ask_in_turn(
        others, target.symbol, start=_before(days), currency=target.instrument.currency
    )
    provider, bars = asked.source.provider, pl.DataFrame(schema=BAR_SCHEMA)
    if isinstance(asked.answer, History):
        history = await make_as_traded(env, target.symbol, asked.answer)
        bars = history.bars.filter(~is_halt())  # the close of a halt is that of a day before
    elif not isinstance(asked.answer, NotListed | NoData):
        raise refusal(asked.answer, asked.source.name, target.symbol)
    found = await _note(env, target, provider, compare(stored, bars))
    await _release_confirmed(env, target, provider, bars)
    return found


def compare(stored: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Days that both have a close of, newest first: day, close, other, difference (relative)."""
    pairs = stored.select("day", "close").drop_nulls()
    pairs = pairs.join(other.select("day", other="close").drop_nulls(), on="day")
    pairs = pairs.with_columns(difference=pl.col("other") / pl.col("close") - 1)
    return pairs.sort("day", descending=True)


def agrees(close: float | None, other: float | None) -> bool:
    """Whether both are known and are the same within the tolerance."""
    if close is None or other is None:
        return False
    return abs(other / close - 1) <= TOLERANCE


async def _note(env: Env, target: Target, other: str, pairs: pl.DataFrame) -> CrossCheckRow:
    """Writes the comparison in the place of the last one with that provider."""
    far = pairs.filter(pl.col("difference").abs() > TOLERANCE)
    differences: list[dict[str, Any]] = [
        {
            "day": row["day"].isoformat(),
            "close": f"{row['close']:.12g}",
            "other": f"{row['other']:.12g}",
            "difference": round(row["difference"], 6),
        }
        for row in far.to_dicts()
    ]
    values = {
        "source": target.holder,
        "checked_at": env.clock.now(),
        "days": pairs.height,
        "differing": far.height,
        "differences": differences,
    }
    row = insert(CrossCheck).values(symbol=target.symbol, other=other, **values)
    write = row.on_conflict_do_update(index_elements=["symbol", "other"], set_=values)
    async with env.db.write() as db:
        if not await hold_instrument(db, target.symbol):
            raise NotFound("There is no instrument %(symbol).40r.", symbol=target.symbol)
        stored = await db.execute(write.returning(*_COLUMNS))
        found = CrossCheckRow(*stored.one())
    if found.differing:
        facts = {"symbol": target.symbol, "other": other, "days": found.days}
        _log.warning("closes differ", extra=facts | {"differing": found.differing})
    return found


async def _release_confirmed(env: Env, target: Target, other: str, bars: pl.DataFrame) -> None:
    """Releases held rows, the oldest first: each may bring those after it along."""
    closes = dict(bars.select("day", "close").iter_rows())
    seen: set[int] = set()
    while True:
        held = await list_held_bars(env, target.symbol, CONFIRMABLE)
        row = next((r for r in held if r.id not in seen), None)
        if row is None:
            return
        seen.add(row.id)
        if row.source != other and await _is_confirmed(env, row, closes):
            await release(env, row.id)
            facts = {"symbol": row.symbol, "day": row.day.isoformat(), "other": other}
            _log.info("held row confirmed", extra=facts | {"reason": row.reason})


async def _is_confirmed(env: Env, row: QuarantineRow, closes: dict[date, float | None]) -> bool:
    """Whether the other side has the row's close, and the stored one of the day before it."""
    query = text(_BEFORE)
    async with env.db.read() as db:
        found = await db.execute(query, {"symbol": row.symbol, "day": row.day})
        before = found.one_or_none()
    close = row.row.get("close")
    if before is None or close is None:
        return False
    known = agrees(float(before.close), closes.get(before.day))
    return known and agrees(float(close), closes.get(row.day))


def _before(days: list[date]) -> date:
    """Early enough for the session before the first of them."""
    return date.fromordinal(max(min(days).toordinal() - 14, 1))


_COLUMNS: Final = tuple(CrossCheck.__table__.c[n] for n in CrossCheckRow.__dataclass_fields__)
_CLOSES: Final = pl.Schema({"day": pl.Date, "close": pl.Float64})
_NEWEST: Final = """
    SELECT day, close FROM bar WHERE symbol = :symbol ORDER BY day DESC LIMIT :sessions
"""
_BEFORE: Final = """
    SELECT day, close::float8 AS close FROM bar
    WHERE symbol = :symbol AND day < :day AND close IS NOT NULL ORDER BY day DESC LIMIT 1
"""
