"""The first start, and each later one: everything that has to be there before pages are served.

It chooses the price source, seeds the instruments, and sees to it that sessions, prices and
indicators are there. What is there already costs one query each. What fails for one instrument is
left to the workers. The chores that need big libraries are given in, so that this process stays
small.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

from sqlalchemy import exists, select

from app.adapters.prices import describe
from app.db.models import Bar, IndicatorDaily, Instrument
from app.env import Env
from app.errors import AppError, ConfigError
from app.services.collect.collections import collect_symbol
from app.services.collect.source_switch import probe_source
from app.services.market.calendars import is_due
from app.services.market.instruments import TITLES, seed_instruments
from app.services.settings import choose_source, read_mode
from app.services.sources.source_order import first_live

LOG: Final = logging.getLogger(__name__)


class Progress(Protocol):
    """Somewhere the steps of the start are shown."""

    def step(self, name: str, total: int) -> None:
        """A step begins that has `total` parts."""

    def advance(self) -> None:
        """One more part of the step is done."""

    def note(self, sentence: str) -> None:
        """Something that the reader should know."""


class Chores(Protocol):
    """Work that another process does, because its libraries are too big for this one."""

    async def refresh_sessions(self, env: Env) -> None:
        """Makes the table of sessions."""

    async def analyse(self, env: Env, symbols: list[str], advance: Callable[[], None]) -> None:
        """Computes the indicators of these instruments; calls `advance` after each."""


async def prepare(env: Env, progress: Progress, chores: Chores) -> None:
    """Brings the installation to where pages can be served; may be called at every start.

    Raises:
        ConfigError: SISE_PRICE_SOURCE names another source than the one in use.
        Unavailable: database or calendar do not answer.
    """
    source = await _find_or_choose_source(env, progress)
    async with env.db.write() as db:
        await seed_instruments(db, source, env.clock.now())
    if await is_due(env):
        progress.step("Trading calendars", 1)
        await chores.refresh_sessions(env)
        progress.advance()
    unasked = await _list_unasked(env)
    if unasked:
        progress.step(f"Prices: {TITLES[source]}", len(unasked))
        async with asyncio.TaskGroup() as group:
            for symbol in unasked:
                group.create_task(_collect(env, symbol, progress))
    bare = await _list_without_indicators(env)
    if bare:
        progress.step("Indicators", len(bare))
        await chores.analyse(env, bare, progress.advance)


async def _find_or_choose_source(env: Env, progress: Progress) -> str:
    """The source in use; at the first start the one that is set, or Yahoo when it answers."""
    wanted = env.settings.price_source
    chosen, _ = await read_mode(env)
    if chosen is None:
        chosen = wanted if wanted != "auto" else await _try_live(env, progress)
        await choose_source(env, chosen)
    elif wanted not in {"auto", chosen}:
        raise ConfigError(
            "SISE_PRICE_SOURCE is %(wanted)s, but the stored prices are from %(chosen)s. "
            "`sise source %(wanted)s` switches and drops them; or set SISE_PRICE_SOURCE=auto.",
            wanted=wanted,
            chosen=chosen,
        )
    return chosen


async def _try_live(env: Env, progress: Progress) -> str:
    source = first_live(env)
    title = TITLES[source.name] if source else "The price source"
    progress.step(f"Asking {title}", 1)
    failure = await probe_source(env, "yahoo")
    progress.advance()
    if failure is None:
        return "yahoo"
    LOG.info("%s is not used: %s", title, describe(failure))
    progress.note(
        f"{title} does not answer. Sise uses its sample, real prices of 2000 to 2013; "
        "`sise source yahoo` switches later."
    )
    return "sample"


async def _collect(env: Env, symbol: str, progress: Progress) -> None:
    try:
        outcome = await collect_symbol(env, symbol)
        if not outcome.ok:
            facts = {"symbol": symbol, "outcome": outcome.outcome, "detail": outcome.detail}
            LOG.warning("not collected", extra=facts)
    except AppError as error:
        LOG.warning("not collected", extra={"symbol": symbol, "detail": str(error)})
    progress.advance()


async def _list_unasked(env: Env) -> list[str]:
    """Instruments that the source has never been asked for."""
    unasked = select(Instrument.symbol).where(Instrument.tracked, Instrument.checked_at.is_(None))
    async with env.db.read() as db:
        return list(await db.scalars(unasked.order_by(Instrument.position)))


async def _list_without_indicators(env: Env) -> list[str]:
    """Instruments that have bars and not one indicator."""
    bars = exists().where(Bar.symbol == Instrument.symbol)
    made = exists().where(IndicatorDaily.symbol == Instrument.symbol)
    async with env.db.read() as db:
        bare = select(Instrument.symbol).where(bars, ~made).order_by(Instrument.position)
        return list(await db.scalars(bare))
