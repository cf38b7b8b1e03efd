"""Ingest: a source's answer into the tables, with what is not believed kept apart.

One transaction an answer: bars, events and rates are merged, what they replace is kept under a
version number (`db.revised`), held rows go to the quarantine, and the day from which indicators no
longer fit is noted. An answer that contradicts what is stored (`domain.consistency`) brings nothing
but held rows. Whoever collects the same instrument at the same time waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import polars as pl
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.prices import History
from app.db.frames import read_frame
from app.db.models import ExchangeSession, Instrument
from app.db.revised import Change, Version, append_rows, merge_rows, remove_rows
from app.domain.acceptance import Held, Reason, Yardstick, examine, examine_dividends
from app.domain.bars import PRICES
from app.domain.consistency import find_contradiction, find_scale, is_in_prices
from app.domain.market import Kind
from app.services.collect.held_rows import Decisions, close_held, hold_rows, load_decisions
from app.services.market.instruments import InstrumentRow

_PLACES: Final = 6  # of NUMERIC(20, 6)


@dataclass(frozen=True)
class Ingested:
    """What an answer came to: rows new or changed, rows held, and why it was not taken at all."""

    bars: int = 0
    changed: bool = False
    held: int = 0
    contradiction: str | None = None


@dataclass(frozen=True)
class Stored:
    """What the tables hold of an instrument: closes from a day on, and all splits."""

    closes: pl.DataFrame
    splits: pl.DataFrame
    dividends: list[date]
    before: tuple[date, float] | None
    decisions: Decisions = field(default_factory=Decisions)


async def ingest(  # noqa: PLR0913 - an answer, of what it is and where it goes
    db: AsyncSession,
    instrument: InstrumentRow,
    history: History,
    version: Version,
    finished: date,
    *,
    whole: bool,
    replace: bool = False,
) -> Ingested:
    """Writes an answer within the caller's transaction, which holds the instrument's row.

    `whole`: the answer is of all the history that the source has. `replace`: what is stored is of
    another provider, or off by a factor, and all of it goes that the answer has not.

    Raises:
        asyncpg.PostgresError: a row breaks a constraint of its table.
    """
    bars = history.bars.with_columns(pl.col(*PRICES, "adj_close").round(_PLACES))
    stored = await _load(db, instrument, date.min if replace else bars["day"].min())
    if instrument.kind != Kind.FX:
        contradiction = _contradiction(bars, history, stored, whole=whole)
        believed = whole and stored.decisions.believes_scale(bars["day"])
        if contradiction is not None and not believed:
            new = bars.filter(pl.col("day") > stored.closes["day"].max()) if replace else bars
            held = await _hold_all(version, new, stored, finished, contradiction)
            return Ingested(held=held, contradiction=contradiction)
        # a window that is off has been refused: only a whole history can be off and believed
        if whole and not replace and find_scale(bars, stored.closes) is not None:
            return await ingest(
                db, instrument, history, version, finished, whole=True, replace=True
            )
    splits, retracted = _join_splits(bars, history, stored)
    yardstick = await _yardstick(db, instrument, bars, stored, finished)
    found = examine(stored.decisions.without_dropped(bars), splits, yardstick, history.refused)
    dividends, too_large = _believed_dividends(history, found.bars, splits, stored)
    events = {"split": history.splits, "dividend": dividends}
    changes = await _write(version, instrument, found.bars, events)
    changes["split"].append(await remove_rows(version, "split", instrument.symbol, retracted))
    gone = _gone_dividends(found.bars, history, stored, first=date.min if replace else None)
    changes["dividend"].append(await remove_rows(version, "dividend", instrument.symbol, gone))
    known = set(stored.closes["day"].to_list())
    if replace:
        table = "fx_rate" if instrument.kind == Kind.FX else "bar"
        lacking = sorted(known - set(found.bars["day"].to_list()))
        changes[table].append(await remove_rows(version, table, instrument.symbol, lacking))
        await close_held(version)
        known = set()
    held_bars = [row for row in found.held if row.day not in known]
    held = await hold_rows(version, "BAR", held_bars, mended=found.bars["day"])
    held += await hold_rows(version, "DIVIDEND", too_large, mended=dividends["day"])
    await _note_stale_indicators(db, instrument.symbol, changes, stored)
    rows = sum(change.rows for change in (*changes["bar"], *changes["fx_rate"]))
    return Ingested(rows, any(c.rows for group in changes.values() for c in group), held)


async def _load(db: AsyncSession, instrument: InstrumentRow, first: Any) -> Stored:
    """What is stored from the first day on (None: nothing), and the last traded day before it."""
    symbol = instrument.symbol
    params: dict[str, Any] = {"symbol": symbol, "start": first or date.max}
    if instrument.kind == Kind.FX:
        closes = await read_frame(db, _RATES, params, _CLOSES)
        row = (await db.execute(text(_RATE_BEFORE), params)).first()
    else:
        closes = await read_frame(db, _BARS, params, _CLOSES)
        row = (await db.execute(text(_BAR_BEFORE), params)).first()
    splits = await read_frame(db, _SPLITS, {"symbol": symbol}, _RATIOS)
    dividends = await db.execute(text(_DIVIDENDS), params)
    return Stored(
        closes,
        splits,
        [row.day for row in dividends],
        None if row is None else (row.day, row.close),
        await load_decisions(db, symbol),
    )


def _contradiction(
    bars: pl.DataFrame, history: History, stored: Stored, *, whole: bool
) -> str | None:
    start = pl.lit(bars["day"].min(), dtype=pl.Date)
    known = stored.splits.filter(pl.col("day") >= start)
    return find_contradiction(bars, history.splits, stored.closes, known, whole=whole)


async def _hold_all(
    version: Version, bars: pl.DataFrame, stored: Stored, finished: date, why: str
) -> int:
    """Holds the days of a contradictory answer that are not stored; how many."""
    new = bars.filter(pl.col("day") <= finished, pl.col("close").is_not_null())
    new = new.join(stored.closes, on="day", how="anti")
    if stored.closes.is_empty() and stored.before is None:
        new = new.tail(1)  # of a whole history that cannot be read, the newest day says it all
    rows = [Held(row["day"], Reason.SCALED, why, row) for row in new.to_dicts()]
    return await hold_rows(version, "BAR", rows, mended=pl.Series([], dtype=pl.Date))


def _join_splits(
    bars: pl.DataFrame, history: History, stored: Stored
) -> tuple[pl.DataFrame, list[date]]:
    """All splits that count now, and the days of stored ones that the source has taken back.

    A stored split that the answer does not name, within the span of its bars, is taken back unless
    the prices still show it.
    """
    new = history.splits.select("day", "numerator", "denominator")
    old = stored.splits.drop("revision").join(new, on="day", how="anti")
    first, last = bars["day"].min(), bars["day"].max()
    retracted = [
        row[0]
        for row in old.iter_rows()
        if first is not None and first < row[0] <= last and not is_in_prices(bars, row)
    ]
    return pl.concat([old.filter(~pl.col("day").is_in(retracted)), new]).sort("day"), retracted


async def _yardstick(
    db: AsyncSession,
    instrument: InstrumentRow,
    bars: pl.DataFrame,
    stored: Stored,
    finished: date,
) -> Yardstick:
    sessions = select(ExchangeSession.day).where(
        ExchangeSession.mic == instrument.mic,
        ExchangeSession.day.between(bars["day"].min(), finished),
    )
    begins = select(func.min(ExchangeSession.day)).where(ExchangeSession.mic == instrument.mic)
    known: set[date] | None = None
    if not bars.is_empty() and instrument.mic != "CCY":
        known = set(await db.scalars(sessions))
        first = await db.scalar(begins)
        known |= {first} if first else set()
    return Yardstick(
        mic=instrument.mic,
        kind=Kind(instrument.kind),
        finished=finished,
        sessions=known or None,
        released=stored.decisions.released(bars),
        before=stored.before,
    )


def _believed_dividends(
    history: History, bars: pl.DataFrame, splits: pl.DataFrame, stored: Stored
) -> tuple[pl.DataFrame, list[Held]]:
    closes = bars.select("day", "close")
    if stored.before is not None:
        day, close = stored.before
        before = pl.DataFrame({"day": [day], "close": [close]}, schema=closes.schema)
        closes = pl.concat([before, closes])
    released = stored.decisions.released_dividends(history.dividends)
    return examine_dividends(history.dividends, closes, splits, released)


def _gone_dividends(
    bars: pl.DataFrame, history: History, stored: Stored, *, first: date | None
) -> list[date]:
    """Stored dividends that the answer does not name, from after the first day of its bars on."""
    if bars.is_empty():
        return []
    named = set(history.dividends["day"])
    first, last = first or bars["day"][0], bars["day"][-1]
    return [day for day in stored.dividends if first < day <= last and day not in named]


async def _write(
    version: Version, instrument: InstrumentRow, bars: pl.DataFrame, events: dict[str, pl.DataFrame]
) -> dict[str, list[Change]]:
    """Merges every table; a first load is copied."""
    common = {"source": pl.lit(version.source), "fetched_at": pl.lit(version.at)}
    symbol = pl.lit(instrument.symbol).alias("symbol")
    if instrument.kind == Kind.FX:
        pair = {"base": pl.lit(instrument.symbol[:3]), "quote": pl.lit(instrument.symbol[3:6])}
        frames = {"fx_rate": bars.select("day", rate="close", **pair, **common)}
    else:
        tables = {"bar": bars, **events}
        frames = {name: frame.with_columns(symbol, **common) for name, frame in tables.items()}
    first_load = not await version.session.scalar(text(_ANYTHING), {"symbol": instrument.symbol})
    write = append_rows if first_load else merge_rows
    changes: dict[str, list[Change]] = {n: [] for n in ("bar", "fx_rate", "split", "dividend")}
    for name, frame in frames.items():
        changes[name].append(await write(version, name, frame))
    return changes


async def _note_stale_indicators(
    db: AsyncSession, symbol: str, changes: dict[str, list[Change]], stored: Stored
) -> None:
    """Notes the first day whose indicators a change of old bars or of splits has made wrong."""
    newest = stored.closes["day"].max()
    days = [change.first_day for change in changes["bar"] if change.first_day is not None]
    stale = [day for day in days if isinstance(newest, date) and day <= newest]
    if any(change.rows for change in changes["split"]) and isinstance(newest, date):
        stale.append(date.min)
    if stale:
        first = func.least(Instrument.indicators_from, min(stale))
        row = update(Instrument).where(Instrument.symbol == symbol)
        await db.execute(row.values(indicators_from=first))


_CLOSES: Final = pl.Schema(
    {"day": pl.Date, "close": pl.Float64, "fetched": pl.Date, "revision": pl.Int64}
)
_RATIOS: Final = pl.Schema(
    {"day": pl.Date, "numerator": pl.Float64, "denominator": pl.Float64, "revision": pl.Int64}
)
_PAIR: Final = "base = substr(:symbol, 1, 3) AND quote = substr(:symbol, 4, 3)"
_WRITTEN: Final = "(fetched_at AT TIME ZONE 'UTC')::date AS fetched, revision"
_BARS: Final = f"""
    SELECT day, close, {_WRITTEN} FROM bar WHERE symbol = :symbol AND day >= :start ORDER BY day
"""
_RATES: Final = f"""
    SELECT day, rate AS close, {_WRITTEN} FROM fx_rate WHERE {_PAIR} AND day >= :start ORDER BY day
"""
_BAR_BEFORE: Final = """
    SELECT day, close::float8 AS close FROM bar
    WHERE symbol = :symbol AND day < :start AND close IS NOT NULL ORDER BY day DESC LIMIT 1
"""
_RATE_BEFORE: Final = f"""
    SELECT day, rate::float8 AS close FROM fx_rate
    WHERE {_PAIR} AND day < :start ORDER BY day DESC LIMIT 1
"""
_SPLITS: Final = """
    SELECT day, numerator, denominator, revision FROM split WHERE symbol = :symbol ORDER BY day
"""
_DIVIDENDS: Final = "SELECT day FROM dividend WHERE symbol = :symbol AND day >= :start"
_ANYTHING: Final = f"""
    SELECT EXISTS (SELECT FROM bar WHERE symbol = :symbol)
        OR EXISTS (SELECT FROM split WHERE symbol = :symbol)
        OR EXISTS (SELECT FROM dividend WHERE symbol = :symbol)
        OR EXISTS (SELECT FROM fx_rate WHERE {_PAIR})
"""
