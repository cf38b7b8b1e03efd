"""Corrections of the trading calendars as the operator sees, writes and withdraws them.

Whoever edits a row owns it: no release changes it any more. What is saved holds at once in
`exchange_session`; the hours of a withdrawn one are the calendar library's, which another process
knows: it is asked to make the table anew, and the hourly look at the calendars would do it too.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Exchange, ExchangeSession, SessionOverride
from app.domain.session_overrides import SHIPPED, Override
from app.domain.sessions import CURRENCY_MIC, FIRST_DAY
from app.env import Env
from app.errors import BadInput, NotFound, Unavailable
from app.services.market.calendars import hold_sessions
from app.services.paging import check_first
from app.services.work.events import announce

LONGEST_REASON: Final = 200
FARTHEST: Final = timedelta(days=5 * 366)  # ahead of today: nobody knows decrees of later years

_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SHIPPED: Final = {(o.mic, o.day): o for o in SHIPPED}
LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class OverrideRow:
    """A correction: no hours means closed all day. `edited_at`: when the operator last wrote it.

    One that is not `active` counts for nothing. `shipped` is whether the release has one for that
    day, `confirmed` whether the reason does not say that it is still to be confirmed.
    """

    mic: str
    day: date
    open_at: datetime | None
    close_at: datetime | None
    reason: str
    edited_at: datetime | None
    active: bool
    shipped: bool
    confirmed: bool

    @property
    def closed(self) -> bool:
        """Whether the market does not trade that day."""
        return self.open_at is None


@dataclass(frozen=True)
class OverrideDraft:
    """What the operator wants: `opens` and `closes` as `09:30` on the exchange's own clock."""

    mics: Sequence[str]
    day: date
    closed: bool
    opens: str | None
    closes: str | None
    reason: str


async def list_session_overrides(
    env: Env,
    mic: str | None = None,
    start: date | None = None,
    end: date | None = None,
    first: int = 100,
) -> list[OverrideRow]:
    """Shipped and own corrections of a market (None: of all) from `start` to `end`, newest first.

    Raises:
        BadInput: `first` is not from 1 to 200.
    """
    check_first(first)
    async with env.db.read() as db:
        stored = {(r.mic, r.day): _row(r) for r in await db.scalars(select(SessionOverride))}
    for key, override in _SHIPPED.items():
        if key not in stored or stored[key].edited_at is None:
            stored[key] = _shipped(override)
    low, high = start or date.min, end or date.max
    rows = [r for r in stored.values() if mic in {None, r.mic} and low <= r.day <= high]
    return sorted(rows, key=lambda r: (-r.day.toordinal(), r.mic))[:first]


async def save_session_override(env: Env, draft: OverrideDraft) -> list[OverrideRow]:
    """Writes the correction for each of the markets, in force at once.

    Raises:
        BadInput: a market without a calendar, a day too far away, hours that are none, no reason.
    """
    zones = await _zones(env, draft.mics)
    reason = _check_reason(draft.reason)
    _check_day(env, draft.day)
    now = env.clock.now()
    overrides = [
        Override(mic, draft.day, *_hours(draft, zone), reason) for mic, zone in zones.items()
    ]
    async with env.db.write() as db:
        await hold_sessions(db)
        for override in overrides:
            await _write(db, override, now)
            await _apply(db, override)
    await _tell(env)
    return await _find(env, [o.mic for o in overrides], draft.day)


async def remove_session_override(env: Env, mic: str, day: date) -> OverrideRow:
    """Puts a correction out of force: the library's own hours hold again, a minute later.

    Raises:
        NotFound: there is none for that market and day.
    """
    (row,) = await _find(env, [mic], day)
    async with env.db.write() as db:
        override = Override(row.mic, row.day, row.open_at, row.close_at, row.reason)
        await _write(db, override, env.clock.now(), active=False)
    await _tell(env)
    return (await _find(env, [mic], day))[0]


async def restore_session_override(env: Env, mic: str, day: date) -> OverrideRow:
    """Puts a correction into force again; one that ships with the release as it ships.

    Raises:
        NotFound: there is none for that market and day.
    """
    (row,) = await _find(env, [mic], day)
    own = Override(row.mic, row.day, row.open_at, row.close_at, row.reason)
    shipped = _SHIPPED.get((mic, day))
    async with env.db.write() as db:
        await hold_sessions(db)
        await _write(db, shipped or own, None if shipped else env.clock.now())
        await _apply(db, shipped or own)
    await _tell(env)
    return (await _find(env, [mic], day))[0]


async def _find(env: Env, mics: Sequence[str], day: date) -> list[OverrideRow]:
    found = {row.mic: row for row in await list_session_overrides(env, None, day, day)}
    for mic in mics:
        if mic not in found:
            message = "There is no correction for %(mic).10s on %(day)s."
            raise NotFound(message, mic=mic, day=day)
    return [found[mic] for mic in mics]


async def _write(
    db: AsyncSession, override: Override, edited_at: datetime | None, *, active: bool = True
) -> None:
    values = {
        "open_at": override.open_at,
        "close_at": override.close_at,
        "reason": override.reason,
        "edited_at": edited_at,
        "active": active,
    }
    row = insert(SessionOverride).values(mic=override.mic, day=override.day, **values)
    await db.execute(row.on_conflict_do_update(index_elements=["mic", "day"], set_=values))


async def _apply(db: AsyncSession, override: Override) -> None:
    """Brings the table of sessions in line; beyond its first or last day it knows nothing."""
    span = select(func.min(ExchangeSession.day), func.max(ExchangeSession.day))
    first, last = (await db.execute(span.where(ExchangeSession.mic == override.mic))).one()
    if first is None or not first <= override.day <= last:
        return
    if override.closed:
        this = (ExchangeSession.mic == override.mic, ExchangeSession.day == override.day)
        await db.execute(delete(ExchangeSession).where(*this))
        return
    hours = {"open_at": override.open_at, "close_at": override.close_at}
    row = insert(ExchangeSession).values(mic=override.mic, day=override.day, **hours)
    await db.execute(row.on_conflict_do_update(index_elements=["mic", "day"], set_=hours))


async def _tell(env: Env) -> None:
    """Has the table made anew by a worker, and hours that somebody remembers read again."""
    stamp = f"{env.clock.now().timestamp():.6f}"
    try:
        await env.queue.enqueue("calendar_tick", queue="long", job_id=f"sessions:{stamp}")
    except Unavailable:
        LOG.warning("the calendar is left to the hourly look")
    await announce(env, "calendar")


async def _zones(env: Env, mics: Sequence[str]) -> dict[str, ZoneInfo]:
    """The time zone of each of these markets."""
    async with env.db.read() as db:
        rows = await db.execute(
            select(Exchange.mic, Exchange.time_zone).where(Exchange.mic != CURRENCY_MIC)
        )
        zones = {row.mic: ZoneInfo(row.time_zone) for row in rows}
    wanted = list(dict.fromkeys(mic.strip().upper() for mic in mics))
    known = ", ".join(sorted(zones))
    for mic in wanted:
        if mic not in zones:
            message = "mics has %(value).10r; the markets with a calendar are %(known)s"
            raise BadInput(message, field="mics", value=mic, known=known)
    if not wanted:
        message = "mics is empty; the markets with a calendar are %(known)s"
        raise BadInput(message, field="mics", known=known)
    return {mic: zones[mic] for mic in wanted}


def _check_reason(text: str) -> str:
    reason = text.strip()
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        message = "reason is %(value).40r; it must be 1 to %(bound)d printable characters"
        raise BadInput(message, field="reason", value=text, bound=LONGEST_REASON)
    return reason


def _check_day(env: Env, day: date) -> None:
    last = env.clock.now().date() + FARTHEST
    if not FIRST_DAY <= day <= last:
        message = "day is %(value)s; it must be from %(first)s to %(last)s"
        raise BadInput(message, field="day", value=day, first=FIRST_DAY, last=last)


def _hours(draft: OverrideDraft, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    if draft.closed:
        return None, None
    opens = _instant(draft.day, "opens", draft.opens, zone)
    closes = _instant(draft.day, "closes", draft.closes, zone)
    if opens >= closes:
        message = "closes is %(closes)s; it must be later than %(opens)s, when the market opens"
        raise BadInput(message, field="closes", closes=draft.closes, opens=draft.opens)
    return opens, closes


def _instant(day: date, field: str, text: str | None, zone: ZoneInfo) -> datetime:
    found = _TIME.fullmatch((text or "").strip())
    if found is None:
        message = "%(name)s is %(value).10r; it must be a time of day, such as 09:30"
        raise BadInput(message, field=field, name=field, value=text or "")
    at = time(int(found[1]), int(found[2]))
    return datetime.combine(day, at, zone).astimezone(UTC)


def _row(row: SessionOverride) -> OverrideRow:
    override = Override(row.mic, row.day, row.open_at, row.close_at, row.reason)
    shipped = (row.mic, row.day) in _SHIPPED
    found = _shipped(override)
    return replace(found, edited_at=row.edited_at, active=row.active, shipped=shipped)


def _shipped(override: Override) -> OverrideRow:
    return OverrideRow(
        mic=override.mic,
        day=override.day,
        open_at=override.open_at,
        close_at=override.close_at,
        reason=override.reason,
        edited_at=None,
        active=True,
        shipped=True,
        confirmed=override.confirmed,
    )
