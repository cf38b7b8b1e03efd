"""Profiles: the sector and industry of a share, asked for once, after its first load.

A profile is an addition: a source that cannot tell it, or fails, costs nothing but the words.
"""

from __future__ import annotations

import logging
from typing import Final, Protocol, runtime_checkable

from sqlalchemy import update

from app.adapters.prices import Failure, Profile, describe
from app.db.models import Instrument
from app.domain.market import Kind
from app.env import Env
from app.services.market.instruments import find_instrument
from app.services.sources.source_order import list_sources

FIRST_LOAD: Final = 100  # bars; fewer are a day's or a correction

_log = logging.getLogger(__name__)


@runtime_checkable
class Knows(Protocol):
    """A source that knows companies."""

    async def profile(self, symbol: str) -> Profile | Failure:
        """Name, sector and industry."""
        ...


async def learn_profile(env: Env, symbol: str) -> bool:
    """Asks for the sector and industry of a share that has none; whether they are known now.

    Raises:
        Unavailable: the database does not answer.
    """
    instrument = await find_instrument(env, symbol)
    if instrument is None or instrument.kind != Kind.EQUITY or instrument.sector is not None:
        return False
    knowing = [s for s in await list_sources(env, instrument.mic, symbol) if isinstance(s, Knows)]
    if not knowing:
        return False
    found = await knowing[0].profile(symbol)
    if isinstance(found, Profile):
        return await _write(env, symbol, found)
    _log.info("no profile", extra={"symbol": symbol, "why": describe(found)})
    return False


async def _write(env: Env, symbol: str, profile: Profile) -> bool:
    if profile.sector is None:
        return False
    row = update(Instrument).where(Instrument.symbol == symbol, Instrument.sector.is_(None))
    async with env.db.write() as db:
        await db.execute(row.values(sector=profile.sector, industry=profile.industry))
    return True
