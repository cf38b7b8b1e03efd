"""One's own channels: making, trying out and deleting them, and what could not be delivered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.outward import Refused
from app.db.models import AlertChannel, Notification
from app.domain.alerts.channels import (
    ChannelKind,
    check_address,
    place_of,
    read_subscription,
)
from app.env import Env
from app.errors import BadInput, Conflict, Unavailable
from app.services.alerts.notices import open_notify_job
from app.services.owned import LONGEST_NAME, get_owned
from app.services.paging import check_first
from app.services.people.users import UserRow
from app.services.work.events import hand_over
from app.translations import Locale

MOST_CHANNELS: Final = 20
PURPOSE: Final = "alert channel"
"""What addresses are sealed for."""


@dataclass(frozen=True)
class ChannelRow:
    """A channel as the layers above see one; its address stays sealed."""

    id: int
    kind: ChannelKind
    name: str
    place: str
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: AlertChannel) -> ChannelRow:
        """From the table."""
        kind = ChannelKind(row.kind)
        return cls(row.id, kind, row.name, row.place, row.created_at, row.ended_at)


@dataclass(frozen=True)
class NoticeRow:
    """An alert on its way: WAITING, SENT or DEAD. `error` is a message of ours with its values."""

    id: int
    channel: str
    kind: ChannelKind
    alert_id: int | None
    state: str
    due_at: datetime
    sent_at: datetime | None
    error: dict[str, Any] | None


async def list_channels(env: Env, user_id: int) -> list[ChannelRow]:
    """The user's, the oldest first."""
    query = select(AlertChannel).where(AlertChannel.user_id == user_id).order_by(AlertChannel.id)
    async with env.db.read(uid=user_id) as db:
        return [ChannelRow.of(row) for row in await db.scalars(query)]


@dataclass(frozen=True)
class NewChannel:
    """A channel that is wanted; it is told in `locale` unless its user has chosen a language."""

    kind: ChannelKind
    name: str | None
    address: str | None
    locale: Locale


async def save_channel(env: Env, user: UserRow, wanted: NewChannel) -> ChannelRow:
    """Makes a channel; a browser that subscribes again takes the place of its earlier one.

    Raises:
        BadInput: a name or an address that cannot be, or one inside a network.
        Conflict: there are too many already; no mail is sent here, or not to this address yet.
    """
    kind = wanted.kind
    plain = check_address(kind, wanted.address, insecure=env.outward.inside)
    if kind is ChannelKind.EMAIL:
        _require_mail(env, user)
    else:
        await _require_reachable(env, kind, plain)
    place = user.email if kind is ChannelKind.EMAIL else place_of(kind, plain)
    sealed = orjson.dumps({"address": plain, "locale": user.locale or wanted.locale})
    values = {
        "user_id": user.id,
        "kind": kind,
        "name": _check_name(wanted.name) or place,
        "place": place,
        "sealed": env.vault.seal(sealed, PURPOSE),
        "created_at": env.clock.now(),
    }
    async with env.db.write(uid=user.id) as db:
        await _forget_same(env, db, user.id, kind, plain)
        count = await db.scalar(select(func.count()).where(AlertChannel.user_id == user.id))
        if (count or 0) >= MOST_CHANNELS:
            message = "There are %(bound)d channels already; delete one first."
            raise Conflict(message, bound=MOST_CHANNELS)
        made = await db.scalars(insert(AlertChannel).values(values).returning(AlertChannel))
        return ChannelRow.of(made.one())


async def delete_channel(env: Env, user_id: int, channel_id: str) -> None:
    """Forgets a channel with its address and what was on its way there.

    Raises:
        NotFound: it is not there or not the user's.
    """
    async with env.db.write(uid=user_id) as db:
        row = await get_owned(db, AlertChannel, channel_id, user_id)
        await db.execute(delete(AlertChannel).where(AlertChannel.id == row.id))


async def try_channel(env: Env, user_id: int, channel_id: str) -> NoticeRow:
    """Has a test sent at once, whatever the hour; the notice tells what came of it.

    Raises:
        NotFound: the channel is not there or not the user's.
    """
    now = env.clock.now()
    async with env.db.write(uid=user_id) as db:
        channel = await get_owned(db, AlertChannel, channel_id, user_id)
        channel.ended_at = None
        await db.flush()
        job_id = await open_notify_job(db, channel.id, now)
        values = {"user_id": user_id, "channel_id": channel.id, "job_id": job_id, "due_at": now}
        made = await db.scalar(insert(Notification).values(values).returning(Notification.id))
        (row,) = await _read(db, 1, Notification.id == made)
    await hand_over(env, [job_id])
    return row


async def list_notices(
    env: Env, user_id: int, state: str | None = None, first: int = 50
) -> list[NoticeRow]:
    """The user's notices of a state or of all, the newest first.

    Raises:
        BadInput: `first` is not from 1 to 200.
    """
    mine = [Notification.user_id == user_id]
    if state is not None:
        mine.append(Notification.state == state)
    async with env.db.read(uid=user_id) as db:
        return await _read(db, check_first(first), *mine)


async def retry_notice(env: Env, user_id: int, notice_id: str) -> NoticeRow:
    """Has one that could not be delivered sent again.

    Raises:
        NotFound: it is not there or not the user's.
        Conflict: it has been delivered, or is still on its way.
    """
    now = env.clock.now()
    async with env.db.write(uid=user_id) as db:
        notice = await get_owned(db, Notification, notice_id, user_id)
        if notice.state != "DEAD":
            raise Conflict("This notice was delivered, or is still on its way.")
        job_id = await open_notify_job(db, notice.channel_id, now)
        notice.state, notice.job_id, notice.due_at = "WAITING", job_id, now
        again = update(AlertChannel).where(AlertChannel.id == notice.channel_id)
        await db.execute(again.values(ended_at=None))
        await db.flush()
        (row,) = await _read(db, 1, Notification.id == notice.id)
    await hand_over(env, [job_id])
    return row


def open_address(env: Env, sealed: bytes | None) -> tuple[str, Locale]:
    """The address of a channel, and the language in which it is told."""
    found = orjson.loads(env.vault.open(sealed or b"", PURPOSE))
    return found["address"], found["locale"]


def _require_mail(env: Env, user: UserRow) -> None:
    if not env.mailer.is_set:
        raise Conflict("No mail is sent from here. Ask the administrator, or choose another way.")
    if not user.email_verified:
        raise Conflict("Confirm your e-mail address first, in the settings of the account.")


async def _require_reachable(env: Env, kind: ChannelKind, address: str) -> None:
    """Refuses at once what could never be told; the same is looked at before each sending."""
    web = read_subscription(address).endpoint if kind is ChannelKind.PUSH else address
    try:
        await env.outward.check(web)
    except (Refused, Unavailable) as error:
        raise BadInput(error.message, field="address", **error.values) from error


async def _forget_same(
    env: Env, db: AsyncSession, user_id: int, kind: ChannelKind, address: str
) -> None:
    """Deletes a channel of the same address: mail has one, and a browser subscribes anew."""
    if kind not in {ChannelKind.EMAIL, ChannelKind.PUSH}:
        return
    query = select(AlertChannel).where(AlertChannel.user_id == user_id, AlertChannel.kind == kind)
    for row in await db.scalars(query):
        if open_address(env, row.sealed)[0] == address:
            await db.delete(row)
    await db.flush()


async def _read(db: AsyncSession, first: int, *conditions: Any) -> list[NoticeRow]:
    query = (
        select(
            Notification.id,
            AlertChannel.name.label("channel"),
            AlertChannel.kind,
            Notification.alert_id,
            Notification.state,
            Notification.due_at,
            Notification.sent_at,
            Notification.error,
        )
        .join(AlertChannel, AlertChannel.id == Notification.channel_id)
        .where(*conditions)
        .order_by(Notification.id.desc())
        .limit(first)
    )
    return [
        NoticeRow(
            **dict(row) | {"kind": ChannelKind(row["kind"]), "error": _read_error(row["error"])}
        )
        for row in (await db.execute(query)).mappings()
    ]


def _read_error(stored: str | None) -> dict[str, Any] | None:
    return None if stored is None else orjson.loads(stored)


def _check_name(name: str | None) -> str:
    plain = (name or "").strip()
    if len(plain) > LONGEST_NAME or not (plain.isprintable()):
        msg = "name has %(value)d characters; %(bound)d are allowed, without line breaks"
        raise BadInput(msg, field="name", value=len(plain), bound=LONGEST_NAME)
    return plain
