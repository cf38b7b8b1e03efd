"""Removing an instrument: what hangs on it is counted first, then all of it goes in one step.

`DEPENDENTS` is the one table of what hangs on an instrument; whoever stores something by symbol
adds a line. What has a foreign key goes with the instrument, the rest by a DELETE of its own.
Ledgers stay whatever is watched; an instrument that stands in one is not removed, for without its
prices days of a portfolio would lose their value, also those before it was sold.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text

from app.adapters.bus import QUOTES
from app.db.engine import EVERYONE
from app.env import Env
from app.errors import Conflict, Unavailable
from app.services.market.defaults import DEFAULTS
from app.services.market.instruments import get_instrument
from app.services.settings import note_removed
from app.services.work.events import announce

_RATES: Final = """fx_rate
    WHERE base = substr(:symbol, 1, 3) AND quote = substr(:symbol, 4, 3)
    AND EXISTS (SELECT FROM instrument AS i WHERE i.symbol = :symbol AND i.kind = 'FX')"""
_COUNT: Final = "SELECT count(*) AS rows, min(day) AS first_day, max(day) AS last_day FROM "
_UNDATED: Final = "SELECT count(*) AS rows, NULL::date AS first_day, NULL::date AS last_day FROM "
_OWN: Final = " WHERE symbol = :symbol"

DEPENDENTS: Final = {
    "BARS": f"{_COUNT} bar {_OWN}",
    "RATES": f"{_COUNT} {_RATES}",
    "SPLITS": f"{_COUNT} split {_OWN}",
    "DIVIDENDS": f"{_COUNT} dividend {_OWN}",
    "INDICATORS": f"{_COUNT} indicator_daily {_OWN}",
    "SIGNALS": f"{_COUNT} signal {_OWN}",
    "SCREEN_ROWS": f"{_COUNT} screen_row {_OWN}",
    "REVISIONS": f"{_COUNT} data_revision {_OWN}",
    "QUARANTINE": f"{_COUNT} quarantine {_OWN}",
    "CROSS_CHECKS": f"{_UNDATED} cross_check {_OWN}",
    "FUNDAMENTALS": f"{_COUNT} fundamental {_OWN}",
    "JOBS": f"{_UNDATED} job {_OWN}",
}
"""What hangs on an instrument: its word, and the query that counts it."""

_WITHOUT_KEY: Final = (f"DELETE FROM {_RATES}", f"DELETE FROM job {_OWN}")


_LEDGERS: Final = """SELECT count(DISTINCT portfolio_id) FROM (
    SELECT portfolio_id FROM txn WHERE symbol = :symbol OR symbol_to = :symbol
    UNION SELECT portfolio_id FROM "order"
    WHERE symbol = :symbol AND state IN ('NEW', 'PARTIALLY_FILLED')) AS named"""


@dataclass(frozen=True)
class Dependent:
    """So many rows of one kind hang on an instrument, of days from `first_day` to `last_day`."""

    kind: str
    count: int
    first_day: date | None
    last_day: date | None


async def list_dependents(env: Env, symbol: str) -> list[Dependent]:
    """What would go with the instrument; kinds without a row are left out.

    Raises:
        NotFound: there is no such instrument.
    """
    row = await get_instrument(env, symbol)
    found = []
    async with env.db.read() as db:
        for kind, query in DEPENDENTS.items():
            count = (await db.execute(text(query), {"symbol": row.symbol})).one()
            found.append(Dependent(kind, count.rows, count.first_day, count.last_day))
    return [dependent for dependent in found if dependent.count]


async def remove_instrument(env: Env, symbol: str, *, confirmed: bool) -> str:
    """Removes the instrument with all that hangs on it; its symbol.

    A default that is removed does not come back with the next start. A collection that is under
    way finds the instrument gone and stores nothing.

    Raises:
        NotFound: there is no such instrument.
        Conflict: it was not confirmed, or it stands in a ledger; nothing was removed.
    """
    row = await get_instrument(env, symbol)
    await _require_unnamed(env, row.symbol)
    if not confirmed:
        rows = sum(dependent.count for dependent in await list_dependents(env, row.symbol))
        message = "%(rows)d rows hang on %(symbol)s. Confirm that all of it may be removed."
        raise Conflict(message, rows=rows, symbol=row.symbol)
    async with env.db.write() as db:
        for statement in (*_WITHOUT_KEY, f"DELETE FROM instrument {_OWN}"):
            await db.execute(text(statement), {"symbol": row.symbol})
        if any(seed.symbol == row.symbol for seeds in DEFAULTS.values() for seed in seeds):
            await note_removed(db, row.symbol)
    with suppress(Unavailable):
        await env.bus.drop(QUOTES, row.symbol)
    await announce(env, "removed", symbol=row.symbol)
    return row.symbol


async def _require_unnamed(env: Env, symbol: str) -> None:
    async with env.db.read(uid=EVERYONE) as db:
        ledgers = await db.scalar(text(_LEDGERS), {"symbol": symbol}) or 0
    if ledgers:
        message = "%(symbol)s is in the ledger or orders of %(count)d portfolios. It has to stay."
        raise Conflict(message, symbol=symbol, count=ledgers)
