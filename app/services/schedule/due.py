"""What is due: found by comparing the tables with the clock, never remembered.

A bar is due when its market's session is over (close + lag) and the instrument's newest day is an
earlier one; indicators are due when bars are newer than they are, or have been revised. Each
finding opens a job by its natural key, so that looking twice, or after a day without workers, opens
the same ones. A job that ended without bringing the day is opened again after a while, for one more
try.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, Interval, case, func, literal, select, update

from app.db.models import Bar, DataRevision, FxRate, IndicatorDaily, Instrument
from app.db.models import Job as JobRow
from app.env import Env
from app.services.market.markets import expected_days
from app.services.schedule.due_checks import LIVE_SOURCE, open_due_checks
from app.services.settings import SOURCE_KEY, find_setting
from app.services.signals.readings import macd_vote
from app.services.work.jobs import MAX_ATTEMPTS, open_jobs, real_time

_HOUR: Final = 3600.0
_WAIT_AGAIN: Final = {"LATE": 6 * _HOUR, "NO_DATA": 6 * _HOUR, "NOT_LISTED": 24 * _HOUR}


@dataclass(frozen=True)
class Missing:
    """The day that an instrument should have by now and has not."""

    symbol: str
    day: date


async def open_due(env: Env) -> int:
    """Opens a job for everything that is due now; how many jobs were new or opened again."""
    opened = await _open_collections(env, await list_missing(env))
    if env.settings.collect_every is not None:
        opened += await _open_periodic(env, env.settings.collect_every)
    return opened + await _open_analyses(env) + await open_due_checks(env)


async def list_missing(env: Env) -> list[Missing]:
    """Tracked instruments without the newest finished day of their market, by symbol.

    Delisted ones are left out. Empty unless the installation's source is a live one.
    """
    if await find_setting(env, SOURCE_KEY) != LIVE_SOURCE:
        return []
    expected = await expected_days(env)
    async with env.db.read() as db:
        rows = await db.execute(
            select(Instrument.symbol, Instrument.mic, _newest_day())
            .where(Instrument.tracked, Instrument.delisted_at.is_(None))
            .order_by(Instrument.symbol)
        )
        return [
            Missing(symbol, expected[mic])
            for symbol, mic, newest in rows
            if mic in expected and (newest is None or newest < expected[mic])
        ]


async def has_day(env: Env, symbol: str, day: date) -> bool:
    """Whether the instrument has prices of that day or a later one."""
    async with env.db.read() as db:
        newest = await db.scalar(select(_newest_day()).where(Instrument.symbol == symbol))
    return newest is not None and newest >= day


async def _open_collections(env: Env, missing: list[Missing]) -> int:
    now = env.clock.now()
    async with env.db.write() as db:
        # one that was just added is about to be asked for all there is, the day included
        asked = await db.scalars(
            select(JobRow.symbol).where(
                JobRow.kind == "collect",
                JobRow.day.is_(None),
                JobRow.done_at.is_(None),
                JobRow.due_at <= now,
            )
        )
        coming = set(asked)
        rows = [
            {"key": f"collect:{m.symbol}:{m.day}", "symbol": m.symbol, "day": m.day}
            for m in missing
            if m.symbol not in coming
        ]
        opened = len(await open_jobs(db, "collect", rows, now))
        again = await db.scalars(
            update(JobRow)
            .where(JobRow.key.in_([row["key"] for row in rows]))
            .where(_over_for_long(env))
            .values(
                state="PENDING",
                due_at=now,
                done_at=None,
                queued_at=None,
                attempts=MAX_ATTEMPTS - 1,
            )
            .returning(JobRow.id)
        )
        return opened + len(again.all())


async def _open_periodic(env: Env, seconds: float) -> int:
    """One collection of each instrument in each slot of time, unless one is open already."""
    now = env.clock.now()
    slot = datetime.fromtimestamp(now.timestamp() // seconds * seconds, now.tzinfo)
    async with env.db.write() as db:
        symbols = await db.scalars(
            select(Instrument.symbol).where(
                Instrument.tracked, Instrument.delisted_at.is_(None), ~_has_open_job("collect")
            )
        )
        rows = [{"key": f"collect:{s}:{slot.isoformat()}", "symbol": s} for s in symbols]
        return len(await open_jobs(db, "collect", rows, now))


async def _open_analyses(env: Env) -> int:
    """Indicators of instruments whose bars are newer, or have been revised since they were made.

    Signals by another rule than the one in force are due too. A collection that is open is about to
    make them.
    """
    bars = select(func.max(Bar.day)).where(Bar.symbol == Instrument.symbol).scalar_subquery()
    made = (
        select(func.max(IndicatorDaily.day))
        .where(IndicatorDaily.symbol == Instrument.symbol)
        .scalar_subquery()
    )
    revised = (
        select(func.max(DataRevision.number))
        .where(DataRevision.symbol == Instrument.symbol)
        .scalar_subquery()
    )
    stale = Instrument.indicators_from.is_not(None) & bars.is_not(None)
    macd = macd_vote(env).value
    other_rule = Instrument.signals_by.is_distinct_from(macd) & bars.is_not(None)
    behind = (
        select(
            Instrument.symbol,
            bars,
            case((stale, Instrument.indicators_from)),
            revised,
            case((other_rule & made.is_not(None), func.concat(Instrument.signals_by, ">", macd))),
        )
        .where(stale | other_rule | func.coalesce(made < bars, bars.is_not(None)))
        .where(~_has_open_job("collect"))
    )
    async with env.db.write() as db:
        found = (await db.execute(behind)).all()
        keys = [
            f"{s}:{day}" + (f":{since}:{n}" if since else "") + (f":{rule}" if rule else "")
            for s, day, since, n, rule in found
        ]
        rows = [
            {"key": f"analyse:{key}", "symbol": row[0], "day": row[1]}
            for key, row in zip(keys, found, strict=True)
        ]
        return len(await open_jobs(db, "analyse", rows, env.clock.now()))


def _newest_day() -> ColumnElement[date | None]:
    """The newest stored day: of an instrument's bars, halts too, or of a currency pair's rates."""
    of_bars = select(func.max(Bar.day)).where(Bar.symbol == Instrument.symbol)
    of_rates = select(func.max(FxRate.day)).where(
        FxRate.base == func.substr(Instrument.symbol, 1, 3),
        FxRate.quote == func.substr(Instrument.symbol, 4, 3),
    )
    return case(
        (Instrument.kind == "FX", of_rates.scalar_subquery()), else_=of_bars.scalar_subquery()
    )


def _has_open_job(kind: str) -> ColumnElement[bool]:
    """Whether a job of that kind for the instrument waits or runs."""
    return (
        select(JobRow.id)
        .where(JobRow.kind == kind, JobRow.symbol == Instrument.symbol, JobRow.done_at.is_(None))
        .exists()
    )


def _over_for_long(env: Env) -> ColumnElement[bool]:
    """Whether a job ended so long ago that another try is worth it; some outcomes last."""
    waits = {o: literal(real_time(env, s), Interval) for o, s in _WAIT_AGAIN.items()}
    hour = literal(real_time(env, _HOUR), Interval)
    return JobRow.done_at + case(waits, value=JobRow.outcome, else_=hour) <= env.clock.now()
