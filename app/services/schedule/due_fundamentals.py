"""Whose fundamentals are to be asked for: each company once a day, after its day was collected.

Due is a watched company whose newest finished session is stored, and which has not been asked for
since that session's date. Nothing is remembered but when a source last answered about it; a day
without workers is left out.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from app.env import Env
from app.services.collect.fundamentals import Appraiser
from app.services.market.markets import expected_days
from app.services.schedule.due_checks import LIVE_SOURCE
from app.services.settings import read_mode
from app.services.sources.source_order import order_of


async def list_due_fundamentals(env: Env, most: int) -> list[str]:
    """The symbols that are due now, at most so many, the longest not asked for first.

    None in an installation that is not live, and of exchanges without a source that knows them.

    Raises:
        Unavailable: the database does not answer.
    """
    if (await read_mode(env))[0] != LIVE_SOURCE:
        return []
    days = {mic: day for mic, day in (await expected_days(env)).items() if _is_known(env, mic)}
    params = {"mics": list(days), "days": list(days.values()), "most": most}
    async with env.db.read() as db:
        return list(await db.scalars(text(_DUE), params))


def _is_known(env: Env, mic: str) -> bool:
    return any(isinstance(env.sources.get(name), Appraiser) for name in order_of(env, mic))


_DUE: Final = """
    SELECT i.symbol
    FROM instrument AS i
    JOIN exchange AS e USING (mic)
    JOIN unnest(CAST(:mics AS text[]), CAST(:days AS date[])) AS d (mic, day) USING (mic)
    WHERE i.tracked AND i.delisted_at IS NULL AND i.kind = 'EQUITY'
        AND coalesce((i.appraised_at AT TIME ZONE e.time_zone)::date < d.day, true)
        AND EXISTS (SELECT FROM bar WHERE symbol = i.symbol AND day >= d.day)
    ORDER BY i.appraised_at NULLS FIRST, i.position, i.symbol LIMIT :most
"""
