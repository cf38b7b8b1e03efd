"""The replay of recorded days, which stands for live prices while the sample is the source.

One recorded day is a "day" of four ticks (`domain/replay`); all instruments step together, and one
without a bar on that day gets no tick. A currency pair has the day's rate as its only tick, with
the first step. The place is kept in the `setting` row `replay`, so that a restart goes on there;
after the last recorded day the replay begins again at the first of its window.

The instant of a tick: that of the open for the open, that of the close for the close. When the
extremes were reached is not known: they carry the last instant that had surely passed, the open's.
Without known hours, and for a rate, it is the day's midnight in UTC. Ticks of one day are therefore
told apart by their order, not by their instant, and pages show the day alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.quotes import Quote, QuoteSource, QuoteState, plain
from app.domain.replay import STEPS, Cursor, day_path, next_cursor, play_window, split_close
from app.env import Env
from app.services.settings import REPLAY_KEY, find_setting, hold_source, read_mode, write_setting


async def replay_day(env: Env) -> date | None:
    """The day that is being replayed: None unless the source is the sample.

    Before the first tick it is the day that the replay will begin with, None without any bar.

    Raises:
        Unavailable: the database does not answer.
    """
    return await replayed(env, *await read_mode(env))


async def replayed(env: Env, source: str | None, stands: Any) -> date | None:
    """`replay_day` for one who has read the mode."""
    if source != "sample":
        return None
    if stands is not None:
        return date.fromisoformat(stands["day"])
    async with env.db.read() as db:
        window = play_window(await _recorded_days(db))
    return window[0] if window else None


async def find_cursor(env: Env) -> Cursor | None:
    """Where the replay stands; None before its first tick."""
    kept = await find_setting(env, REPLAY_KEY)
    return None if kept is None else Cursor(date.fromisoformat(kept["day"]), int(kept["step"]))


async def advance(env: Env) -> Cursor | None:
    """Moves to the next step and remembers it; None while nothing is recorded.

    None too when the source is no longer the sample: then nothing is remembered.
    """
    cursor = await find_cursor(env)
    async with env.db.write() as db:
        if await hold_source(db) != "sample":
            return None
        window = play_window(await _recorded_days(db))
        if not window:
            return None
        following = next_cursor(cursor, window)
        value = {"day": following.day.isoformat(), "step": following.step}
        await write_setting(db, REPLAY_KEY, value)
    return following


async def load_day(env: Env, day: date, symbols: Iterable[str]) -> list[list[Quote]]:
    """The quotes of each of the four steps of that day, for these instruments."""
    steps: list[list[Quote]] = [[] for _ in range(STEPS)]
    params = {"symbols": sorted(set(symbols)), "day": day}
    async with env.db.read() as db:
        bars = list(await db.execute(text(_DAY), params))
        rates = list(await db.execute(text(_RATES), params))
    for row in bars:
        opened = row.open_at or datetime.combine(day, time(), UTC)
        closed = row.close_at or opened
        for step, price in enumerate(day_path(row.open, row.high, row.low, row.close)):
            if price is not None:
                at = closed if step == STEPS - 1 else opened
                steps[step].append(_quote(row.symbol, price, _previous(row), at, day))
    for row in rates:
        at = datetime.combine(day, time(), UTC)
        steps[0].append(_quote(row.symbol, row.rate, row.before, at, day))
    return steps


def _quote(symbol: str, price: Decimal, previous: Decimal | None, at: datetime, day: date) -> Quote:
    before = None if previous is None else plain(previous)
    return Quote(symbol, plain(price), before, at, day, QuoteSource.SAMPLE, QuoteState.REPLAY)


def _previous(row: Row[Any]) -> Decimal | None:
    if row.before is None:
        return None
    ratio = row.numerator / row.denominator if row.numerator is not None else Decimal(1)
    return split_close(row.before, ratio)


async def _recorded_days(db: AsyncSession) -> list[date]:
    """The newest recorded days, in order, of the instrument that has the most of them."""
    return list(reversed((await db.scalars(text(_DAYS))).all()))


_DAYS: Final = """
    SELECT day FROM bar
    WHERE close IS NOT NULL AND symbol = (
        SELECT symbol FROM bar GROUP BY symbol ORDER BY count(*) DESC, symbol LIMIT 1
    )
    ORDER BY day DESC LIMIT 251
"""

_DAY: Final = """
    SELECT b.symbol, b.open, b.high, b.low, b.close, e.open_at, e.close_at,
           s.numerator, s.denominator, p.close AS before
    FROM bar AS b
    JOIN instrument AS i ON i.symbol = b.symbol
    LEFT JOIN split AS s ON s.symbol = b.symbol AND s.day = b.day
    LEFT JOIN exchange_session AS e ON e.mic = i.mic AND e.day = b.day
    LEFT JOIN LATERAL (
        SELECT close FROM bar
        WHERE symbol = b.symbol AND day < b.day AND close IS NOT NULL
        ORDER BY day DESC LIMIT 1
    ) AS p ON true
    WHERE b.day = :day AND b.symbol = ANY(:symbols)
    ORDER BY b.symbol
"""

_RATES: Final = """
    SELECT i.symbol, r.rate, p.rate AS before
    FROM instrument AS i
    JOIN fx_rate AS r
        ON r.base = substr(i.symbol, 1, 3) AND r.quote = substr(i.symbol, 4, 3) AND r.day = :day
    LEFT JOIN LATERAL (
        SELECT rate FROM fx_rate
        WHERE base = r.base AND quote = r.quote AND day < r.day
        ORDER BY day DESC LIMIT 1
    ) AS p ON true
    WHERE i.kind = 'FX' AND i.symbol = ANY(:symbols)
    ORDER BY i.symbol
"""
