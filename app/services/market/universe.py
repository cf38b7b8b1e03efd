"""The universe: what is watched, added by the hundred, first and last seen, and delisted.

Symbols that are added together are not asked for one by one: each gets its collection job, which
learns from the source what the instrument is, or that there is none of that symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.prices import InstrumentInfo
from app.db.models import Instrument
from app.domain.korean_names import find_korean_name
from app.domain.symbol_list import Word, guess_listing, read_list
from app.env import Env
from app.errors import Unavailable
from app.services.market.defaults import find_seed
from app.services.market.instruments import find_instruments
from app.services.settings import get_source, hold_source
from app.services.sources.symbol_lists import get_list
from app.services.work.events import announce, hand_over
from app.services.work.jobs import open_jobs

GONE_AFTER: Final = timedelta(days=14)  # without the symbol at the source: it is delisted
AT_ONCE: Final = 100  # jobs handed over before the answer; the reconciler sends the others

ADDED, TRACKED, REPEATED = "ADDED", "TRACKED", "REPEATED"
NOT_A_SYMBOL, NOT_IN_SAMPLE = "NOT_A_SYMBOL", "NOT_IN_SAMPLE"


@dataclass(frozen=True)
class BulkLine:
    """What became of one word of a list: see the constants above; `line` counts from 1."""

    line: int
    text: str
    symbol: str | None
    outcome: str


@dataclass(frozen=True)
class Seen:
    """The first and the last stored day of an instrument."""

    first_day: date
    last_day: date


async def track_many(env: Env, lines: Sequence[str]) -> list[BulkLine]:
    """Adds every instrument that the lines name, each with its collection job; none is lost.

    Raises:
        BadInput: more than 600 words, or none; nothing was added.
        Unavailable: no source is chosen yet, or it was switched meanwhile.
    """
    words = read_list(lines)
    source = await get_source(env)
    known = await find_instruments(env, [w.symbol for w in words if w.symbol])
    tracked = {symbol for symbol, row in known.items() if row.tracked}
    report = [BulkLine(w.line, w.text, w.symbol, _judge(w, tracked, source)) for w in words]
    new = [line.symbol for line in report if line.outcome == ADDED and line.symbol]
    if new:
        async with env.db.write() as db:
            if await hold_source(db) != source:
                raise Unavailable("The price source was switched just now. Try again.")
            jobs = await _add(db, source, new, env.clock.now())
        await hand_over(env, jobs[:AT_ONCE])
        await announce(env, "tracked")
    return report


async def track_list(env: Env, key: str) -> list[BulkLine]:
    """Adds the instruments of a list that ships with the release.

    Raises:
        NotFound: there is no such list.
        Unavailable: as `track_many`.
    """
    return await track_many(env, get_list(key).symbols)


async def find_seen(env: Env, symbols: Sequence[str]) -> dict[str, Seen]:
    """First and last stored day, by symbol; instruments without any are left out."""
    async with env.db.read() as db:
        rows = await db.execute(text(_SEEN), {"symbols": list(symbols)})
        return {row.symbol: Seen(row.first_day, row.last_day) for row in rows}


async def mark_delisted(env: Env) -> int:
    """Notes which instruments the source has not known for two weeks, after having had prices.

    `delisted_at` is the last stored day; such an instrument is not due any more. An answer of the
    source clears it. How many were marked now.
    """
    before = env.clock.now() - GONE_AFTER
    async with env.db.write() as db:
        marked = await db.scalars(text(_MARK), {"before": before})
        return len(marked.all())


async def learn_listing(db: AsyncSession, symbol: str, info: InstrumentInfo) -> None:
    """Takes over what a source says of an instrument that was added without asking it.

    A name that is the symbol itself was never told; sector and industry are others' to bring.
    """
    told = update(Instrument).where(Instrument.symbol == symbol, Instrument.name == symbol)
    local = func.coalesce(Instrument.name_local, info.name_local)
    facts = {"name": info.name, "mic": info.mic, "kind": info.kind, "name_local": local}
    await db.execute(told.values(**facts))


def _judge(word: Word, tracked: set[str], source: str) -> str:
    if word.symbol is None:
        return NOT_A_SYMBOL
    if word.repeated:
        return REPEATED
    if word.symbol in tracked:
        return TRACKED
    if source == "sample" and find_seed(source, word.symbol) is None:
        return NOT_IN_SAMPLE
    return ADDED


async def _add(db: AsyncSession, source: str, symbols: Sequence[str], now: datetime) -> list[int]:
    """The ids of the new jobs."""
    values = [_instrument(source, symbol, now) for symbol in symbols]
    await db.execute(insert(Instrument).values(values).on_conflict_do_nothing())
    again = update(Instrument).where(Instrument.symbol.in_(symbols)).values(tracked=True)
    await db.execute(again)
    rows = [
        {"key": f"collect:{symbol}:added:{now.isoformat()}", "symbol": symbol} for symbol in symbols
    ]
    return await open_jobs(db, "collect", rows, now)


def _instrument(source: str, symbol: str, now: datetime) -> dict[str, Any]:
    """What is known before the source has been asked."""
    seed = find_seed(source, symbol)
    guess = seed or guess_listing(symbol)
    return {
        "symbol": symbol,
        "name": seed.name if seed else symbol,
        "name_local": find_korean_name(symbol),
        "mic": guess.mic,
        "currency": guess.currency,
        "kind": guess.kind,
        "added_at": now,
    }


_SEEN: Final = """
    SELECT i.symbol, d.first_day, d.last_day
    FROM instrument AS i
    CROSS JOIN LATERAL (
        SELECT least(
            (SELECT min(day) FROM bar WHERE symbol = i.symbol),
            (SELECT min(day) FROM fx_rate
             WHERE i.kind = 'FX'
             AND base = substr(i.symbol, 1, 3) AND quote = substr(i.symbol, 4, 3))
        ) AS first_day, greatest(
            (SELECT max(day) FROM bar WHERE symbol = i.symbol),
            (SELECT max(day) FROM fx_rate
             WHERE i.kind = 'FX'
             AND base = substr(i.symbol, 1, 3) AND quote = substr(i.symbol, 4, 3))
        ) AS last_day
    ) AS d
    WHERE i.symbol = ANY(:symbols) AND d.first_day IS NOT NULL
"""
_MARK: Final = """
    UPDATE instrument AS i SET delisted_at = d.last_day
    FROM (
        SELECT g.symbol, (SELECT max(day) FROM bar WHERE symbol = g.symbol) AS last_day
        FROM instrument AS g
        WHERE g.problem = 'NOT_LISTED' AND g.problem_since <= :before AND g.delisted_at IS NULL
    ) AS d
    WHERE i.symbol = d.symbol AND d.last_day IS NOT NULL
    RETURNING i.symbol
"""
