"""Evaluating alert rules: on live quotes, after a collection, each minute, and on new equity.

Only rules that watch something new are read; how a rule stands is in its row, so nothing has to be
remembered but which quotes were seen, and that only saves work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, MutableMapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, select

from app.db.engine import EVERYONE
from app.db.models import AlertRule
from app.domain.alerts.crossing import Seen
from app.domain.alerts.rules import BELOW, CHANGES, EXTREMES, INDICATORS, LIVE, PRICES, AlertKind
from app.domain.quotes import Quote, QuoteState
from app.env import Env
from app.services.alerts.alert_figures import (
    Close,
    find_close,
    list_drawdowns,
    list_troubles,
    see_quote,
    see_reading,
    see_replayed,
)
from app.services.alerts.alert_store import Move, follow_extremes, list_active, move, store_moves
from app.services.feed.live import list_published
from app.services.market.replay import replay_day
from app.services.signals.readings import list_readings
from app.services.work.jobs import open_job

READ: Final = INDICATORS | {AlertKind.SIGNAL_CHANGE}
"""Kinds that the indicators of a session decide."""

CLOSING: Final = LIVE | READ
"""Kinds that the bar of a session decides."""

_MOMENT: Final = timedelta(microseconds=1)
"""By which the highest price of a session lies before its close, at the least."""


async def watch_quotes(env: Env, known: MutableMapping[str, Quote]) -> int:
    """One look at the live quotes; how many alerts. `known` are those of earlier looks.

    Raises:
        Unavailable: the database does not answer. Without the bus there is nothing to see.
    """
    watched = await _list_symbols(env)
    quotes = await list_published(env, watched) if watched else {}
    fresh = {s: q for s, q in quotes.items() if known.get(s) != q}
    made = await see_quotes(env, fresh.values())
    known.update(fresh)
    return made


async def see_quotes(env: Env, quotes: Iterable[Quote]) -> int:
    """What quotes do to the rules that watch their symbols; how many alerts."""
    newest = {q.symbol: q for q in quotes if q.state is not QuoteState.HISTORIC}
    if not newest:
        return 0
    moves = []
    for row in await list_active(env, LIVE, list(newest)):
        if row.level is not None:
            seen = see_quote(row.kind, newest[row.symbol])
            moves += _kept(move(row, [] if seen is None else [seen]))
    return await store_moves(env, moves)


async def watch_close(env: Env, symbol: str) -> int:
    """What the newest session of an instrument does to its rules; how many alerts.

    A price that was touched while nobody looked counts for rules that were armed before the
    session, by its highest or lowest one. Levels of highs and lows follow afterwards.
    """
    rows = await list_active(env, CLOSING, [symbol])
    closed = await find_close(env, symbol)
    if not rows or closed is None:
        return 0
    highs = {(row.kind, row.sessions) for row in rows if row.kind in EXTREMES}
    reading = (await list_readings(env, [symbol])).get(symbol)
    moves = []
    for row in rows:
        if row.kind in LIVE:
            path = _session(row, closed)
        else:
            seen = None if reading is None else see_reading(row, reading, closed.at)
            path = [] if seen is None else [seen]
        moves += _kept(move(row, path))
    made = await store_moves(env, moves)
    if highs:
        await follow_extremes(env, symbol, highs)
    return made


async def watch_replay(env: Env, known: date | None) -> date | None:
    """What the replay's coming to another day does to the rules that a collection decides.

    Nothing is collected in a replay: with a new day the session before it is over, and its
    indicators, signals and extremes may be shown. `known` is the day of the look before.

    Returns:
        The day that is replayed now, None without a replay.

    Raises:
        Unavailable: the database does not answer.
    """
    day = await replay_day(env)
    if day is None or day == known:
        return day
    rows = await list_active(env, READ | EXTREMES)
    readings = await list_readings(env, sorted({row.symbol for row in rows}))
    moves = []
    highs: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for row in rows:
        if row.kind in EXTREMES:
            highs[row.symbol].add((row.kind, row.sessions))
        elif row.symbol in readings:
            seen = see_replayed(row, readings[row.symbol])
            moves += _kept(None if seen is None else move(row, [seen]))
    await store_moves(env, moves)
    for symbol, wanted in highs.items():
        await follow_extremes(env, symbol, wanted)
    return day


async def watch_freshness(env: Env) -> int:
    """What the freshness of prices does to the rules on it; how many alerts."""
    rows = await list_active(env, [AlertKind.FRESHNESS])
    seen = await list_troubles(env, {row.symbol for row in rows}) if rows else {}
    return await _see(env, rows, {row.id: seen.get(row.symbol) for row in rows})


async def watch_drawdowns(env: Env) -> int:
    """What the newest equity of portfolios does to the rules on drawdown; how many alerts."""
    rows = await list_active(env, [AlertKind.DRAWDOWN])
    seen = await list_drawdowns(env, {row.portfolio_id for row in rows}) if rows else {}
    return await _see(env, rows, {row.id: seen.get(row.portfolio_id) for row in rows})


async def open_watch(env: Env, symbol: str, after: int) -> list[int]:
    """The job that evaluates an instrument's rules after the job `after`; none without rules."""
    if not await list_active(env, CLOSING, [symbol]):
        return []
    async with env.db.write() as db:
        job = await open_job(db, "alert", symbol, None, f"alert:{after}", env.clock.now())
    return [job]


async def _see(env: Env, rows: Sequence[Row[Any]], seen: dict[int, Seen | None]) -> int:
    moves = []
    for row in rows:
        figure = seen[row.id]
        moves += _kept(None if figure is None else move(row, [figure]))
    return await store_moves(env, moves)


def _session(row: Row[Any], closed: Close) -> list[Seen]:
    """The figures of a session, in order: the extreme if it counts, and the close."""
    if row.kind in CHANGES:
        return [] if closed.change is None else [Seen(closed.at, closed.change)]
    if row.level is None:
        return []
    path = [Seen(closed.at, float(closed.close))]
    armed: datetime | None = row.armed_at
    whole = armed is not None and armed < closed.day_at
    if row.kind in PRICES | EXTREMES and whole:
        extreme = closed.low if row.kind in BELOW else closed.high
        path.insert(0, Seen(closed.at - _MOMENT, float(extreme)))
    return path


async def _list_symbols(env: Env) -> list[str]:
    """What live quotes are to be looked at for."""
    watched = select(AlertRule.symbol).where(~AlertRule.paused, AlertRule.kind.in_(list(LIVE)))
    async with env.db.read(uid=EVERYONE) as db:
        return [str(symbol) for symbol in await db.scalars(watched.distinct())]


def _kept(found: Move | None) -> list[Move]:
    return [] if found is None else [found]
