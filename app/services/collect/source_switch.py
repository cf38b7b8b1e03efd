"""Where prices come from: the first choice, and the switch to the other source.

Rows of two sources are never joined. A switch is one transaction: it drops every price, event,
rate, indicator and job, keeps what the other source can go on with, and has all of it collected
anew. Whoever collects at that moment finds that the source has changed and drops the answer.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.bus import QUOTES
from app.adapters.prices import Failure, History, NoData, NotListed, SourceDown
from app.db.models import (
    Bar,
    CrossCheck,
    DataRevision,
    Dividend,
    FxRate,
    IndicatorDaily,
    Instrument,
    Job,
    Quarantine,
    ScreenRow,
    Setting,
    Signal,
    Split,
)
from app.env import Env
from app.errors import Unavailable
from app.services.market.defaults import default_symbols
from app.services.market.instruments import refusal, seed_instruments
from app.services.settings import REPLAY_KEY, SOURCE_KEY, SOURCES, check_source, write_setting
from app.services.sources.source_order import SAMPLE, first_live
from app.services.work.events import announce, hand_over
from app.services.work.jobs import open_jobs

PATIENCE: Final = 5.0  # seconds in which a source has to answer before it is chosen

_PROBE: Final = "AAPL"  # both sources know it
_TABLES: Final = (
    ScreenRow,
    Signal,
    IndicatorDaily,
    Bar,
    Split,
    Dividend,
    FxRate,
    Job,
    DataRevision,
    Quarantine,
    CrossCheck,
)


async def probe_source(env: Env, name: str) -> Failure | None:
    """Asks the source of a mode for one instrument: why it fails, None if it answers within 5 s.

    The live mode is asked by the first source of its order. A folder need not have that instrument.
    """
    source = env.sources[SAMPLE] if name == SAMPLE else first_live(env)
    if source is None:
        return SourceDown("no source of SISE_SOURCE_ORDER can be asked here")
    start = env.clock.now().date() - timedelta(days=14)
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await source.history(_PROBE, start=start)
    except TimeoutError:
        return SourceDown(f"no answer within {PATIENCE:g} s")
    missing = isinstance(answer, NotListed) and source.state() is None
    return None if missing or isinstance(answer, History | NoData) else answer


async def switch_source(env: Env, name: str) -> bool:
    """Drops the rows of the other source and begins anew; False when `name` is in use already.

    Raises:
        BadInput: there is no such source.
        Unavailable, RateLimited: the new source does not answer now; nothing was dropped.
    """
    check_source(name)
    failure = await probe_source(env, name)
    if failure is not None:
        raise refusal(failure, name, _PROBE)
    async with env.db.write() as db:
        current = select(Setting.value).where(Setting.key == SOURCE_KEY).with_for_update()
        if await db.scalar(current) == name:
            return False
        await _drop(db, name)
        await write_setting(db, SOURCE_KEY, name)
        await seed_instruments(db, name, env.clock.now())
        jobs = await _collect_all(env, db)
    with suppress(Unavailable):
        await env.bus.forget(QUOTES)
    await hand_over(env, jobs)
    await announce(env, "source", source=name)
    return True


async def _drop(db: AsyncSession, name: str) -> None:
    """Everything of the other source; what somebody added stays when `name` may know it."""
    for table in _TABLES:
        await db.execute(delete(table))
    defaults = {symbol for source in SOURCES for symbol in default_symbols(source)}
    stale = delete(Instrument)
    await db.execute(stale if name == "sample" else stale.where(Instrument.symbol.in_(defaults)))
    names = ("checked_at", "problem", "problem_detail", "problem_since", "delisted_at")
    made = ("price_source", "swept_at", "indicators_from", "appraised_at", "signals_by")
    clean = dict.fromkeys((*names, *made))
    await db.execute(update(Instrument).values(**clean))
    await db.execute(delete(Setting).where(Setting.key == REPLAY_KEY))


async def _collect_all(env: Env, db: AsyncSession) -> list[int]:
    now = env.clock.now()
    symbols = await db.scalars(select(Instrument.symbol).where(Instrument.tracked))
    rows = [
        {"key": f"collect:{symbol}:switch:{now.isoformat()}", "symbol": symbol}
        for symbol in symbols
    ]
    return await open_jobs(db, "collect", rows, now)
