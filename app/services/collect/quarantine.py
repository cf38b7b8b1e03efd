"""The quarantine: rows that were not believed, and a person's word on them.

To release a row is to store it as the source gave it; the held rows after it are judged again
beside it, and those that are in order now are stored too. To drop a row is never to store these
values. Both decisions hold for exactly these values: other values of the day are judged anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import polars as pl
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.prices import BAR_SCHEMA
from app.db.frames import read_frame
from app.db.models import Instrument, Quarantine
from app.db.revised import Change, Version, merge_rows
from app.domain.acceptance import BELIEVABLE, Reason, Yardstick, examine
from app.domain.bars import PRICES
from app.domain.market import Kind
from app.env import Env
from app.errors import BadInput, Conflict, NotFound
from app.services.market.instruments import hold_instrument
from app.services.work.events import hand_over
from app.services.work.jobs import open_job


@dataclass(frozen=True)
class QuarantineRow:
    """A row that was not believed: `row` holds the values as the source gave them."""

    id: int
    symbol: str
    kind: str
    day: date
    reason: str
    detail: str
    row: dict[str, Any]
    source: str
    found_at: datetime
    state: str
    decided_at: datetime | None


async def release(env: Env, row_id: int) -> QuarantineRow:
    """Believes a held row: stores it as it was given, and what goes on from it.

    A row that was held for its scale is stored by the next collection, with all of its answer.

    Raises:
        NotFound: there is no such row.
        Conflict: it is not held any more.
        BadInput: it is no bar at all (a price is missing, or breaks a rule): only dropping is left.
    """
    now = env.clock.now()
    async with env.db.write() as db:
        held = await _take(db, row_id)
        if held.reason not in {*BELIEVABLE, Reason.TOO_LARGE, Reason.SCALED}:
            msg = (
                "The row of %(symbol)s on %(day)s cannot be stored: %(detail)s. It can be dropped."
            )
            raise BadInput(msg, field="id", symbol=held.symbol, day=held.day, detail=held.detail)
        version = Version(db, held.symbol, held.source, now)
        if held.reason != Reason.SCALED:
            await _store(version, held)
        row = await _decide(db, held.id, "RELEASED", now)
        job = await _ask_again(db, row, now)
    await hand_over(env, [job])
    return row


async def list_held_bars(env: Env, symbol: str, reasons: Collection[str]) -> list[QuarantineRow]:
    """An instrument's bars that are held for one of these reasons, the oldest first."""
    query = (
        select(*_COLUMNS)
        .where(Quarantine.symbol == symbol, Quarantine.kind == "BAR", Quarantine.state == "HELD")
        .where(Quarantine.reason.in_(list(reasons)))
        .order_by(Quarantine.day)
    )
    async with env.db.read() as db:
        return [QuarantineRow(*row) for row in await db.execute(query)]


async def drop(env: Env, row_id: int) -> QuarantineRow:
    """Decides that these values are never stored.

    Raises:
        NotFound: there is no such row.
        Conflict: it is not held any more.
    """
    async with env.db.write() as db:
        held = await _take(db, row_id)
        return await _decide(db, held.id, "DROPPED", env.clock.now())


async def _take(db: AsyncSession, row_id: int) -> QuarantineRow:
    """The row, its instrument held first as a collection does."""
    symbol = await db.scalar(select(Quarantine.symbol).where(Quarantine.id == row_id))
    if symbol is None or not await hold_instrument(db, symbol):
        raise NotFound("There is no row %(id)s in the quarantine.", id=row_id)
    found = (await db.execute(select(*_COLUMNS).where(Quarantine.id == row_id))).one()
    row = QuarantineRow(*found)
    if row.state != "HELD":
        msg = "The row of %(symbol)s on %(day)s is not held any more: it is %(state)s."
        raise Conflict(msg, symbol=row.symbol, day=row.day, state=row.state)
    return row


async def _decide(db: AsyncSession, row_id: int, state: str, now: datetime) -> QuarantineRow:
    decided = update(Quarantine).where(Quarantine.id == row_id)
    result = await db.execute(decided.values(state=state, decided_at=now).returning(*_COLUMNS))
    return QuarantineRow(*result.one())


async def _ask_again(db: AsyncSession, row: QuarantineRow, now: datetime) -> int:
    """A collection, which makes the indicators too, or brings what a scale kept away."""
    key = f"collect:{row.symbol}:release:{row.id}:{now.isoformat()}"
    return await open_job(db, "collect", row.symbol, None, key, now)


async def _store(version: Version, held: QuarantineRow) -> None:
    """Writes the released row, and the held ones after it that are in order beside it."""
    db = version.session
    common = {"source": pl.lit(held.source), "fetched_at": pl.lit(version.at)}
    if held.kind == "DIVIDEND":
        paid = {"symbol": [held.symbol], "day": [held.day], "amount": [float(held.row["amount"])]}
        await merge_rows(version, "dividend", pl.DataFrame(paid).with_columns(**common))
        return
    bars = _frame([held])
    kind, mic = (
        await db.execute(
            select(Instrument.kind, Instrument.mic).where(Instrument.symbol == held.symbol)
        )
    ).one()
    later = await _list_later(db, held)
    if later:
        splits = await read_frame(db, _SPLITS, {"symbol": held.symbol}, _RATIOS)
        last, before = later[-1].day, (held.day, bars["close"][0])
        yardstick = Yardstick(mic=mic, kind=Kind(kind), finished=last, before=before)
        found = examine(_frame(later), splits, yardstick)
        bars = pl.concat([bars, found.bars])
        mended = update(Quarantine).where(
            Quarantine.symbol == held.symbol,
            Quarantine.kind == "BAR",
            Quarantine.state == "HELD",
            Quarantine.day.in_(found.bars["day"].to_list()),
        )
        await db.execute(mended.values(state="MENDED", decided_at=version.at))
    if kind == Kind.FX:
        pair = {"base": pl.lit(held.symbol[:3]), "quote": pl.lit(held.symbol[3:6])}
        rates = bars.select("day", rate="close", **pair, **common)
        await merge_rows(version, "fx_rate", rates)
        return
    symbol = pl.lit(held.symbol).alias("symbol")
    change = await merge_rows(version, "bar", bars.with_columns(symbol, **common))
    await _note_indicators(db, held.symbol, change)


async def _list_later(db: AsyncSession, held: QuarantineRow) -> list[QuarantineRow]:
    """The held bars after this one up to the next stored day, that are whole."""
    rows = await db.execute(
        select(*_COLUMNS)
        .where(Quarantine.symbol == held.symbol, Quarantine.kind == "BAR")
        .where(Quarantine.state == "HELD", Quarantine.day > held.day)
        .where(Quarantine.reason.in_(list(BELIEVABLE - {Reason.NO_SESSION})))
        .order_by(Quarantine.day)
    )
    return [QuarantineRow(*row) for row in rows]


async def _note_indicators(db: AsyncSession, symbol: str, change: Change) -> None:
    first = func.least(Instrument.indicators_from, change.first_day)
    row = update(Instrument).where(Instrument.symbol == symbol)
    await db.execute(row.values(indicators_from=first))


def _frame(rows: Sequence[QuarantineRow]) -> pl.DataFrame:
    """Held bars as a frame of bars."""
    names = (*PRICES, "adj_close")
    values = [
        {
            "day": row.day,
            **{n: _number(row.row.get(n)) for n in names},
            "volume": _whole(row.row.get("volume")),
        }
        for row in rows
    ]
    return pl.DataFrame(values, schema=BAR_SCHEMA)


def _number(value: str | None) -> float | None:
    return None if value is None else float(value)


def _whole(value: str | None) -> int | None:
    return None if value is None else int(value)


_COLUMNS: Final = tuple(Quarantine.__table__.c[n] for n in QuarantineRow.__dataclass_fields__)
_RATIOS: Final = pl.Schema({"day": pl.Date, "numerator": pl.Float64, "denominator": pl.Float64})
_SPLITS: Final = "SELECT day, numerator, denominator FROM split WHERE symbol = :symbol ORDER BY day"
