"""Delivering: what a job has to tell one channel, as one message, and what becomes of the notices.

    WAITING ──told──► SENT
       └── refused, or every try of the job failed ──► DEAD, until somebody has it tried again

A receiver may get a message a second time when a worker dies between telling it and noting that:
each message has a key that stays the same. One that says it is gone (404, 410) is told no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import orjson
from sqlalchemy import select, text, update

from app.adapters.outward import Gone
from app.adapters.push import encrypt
from app.db.engine import EVERYONE
from app.db.models import AlertChannel, Notification, User
from app.domain.alerts.channels import (
    ChannelKind,
    Message,
    read_subscription,
    shape_message,
    shape_push,
)
from app.env import Env
from app.errors import AppError, Conflict
from app.services.alerts.alert_channels import open_address
from app.services.alerts.alert_words import alert_sentence
from app.services.alerts.alerts import list_by_ids
from app.services.market.instruments import find_instruments
from app.services.people.letters import Draft, write_letter
from app.services.people.mails import Mail
from app.services.work.jobs import Job
from app.translations import N_, Locale, load_translations

TEST: Final = N_("This is a test: alerts will reach you here.")
COUNT: Final = N_("New alerts: %(count)d")


@dataclass(frozen=True)
class Bundle:
    """What a job has to tell: one channel, its notices, and of which alerts; no alert: a test."""

    channel: Any
    notices: Sequence[int]
    alerts: Sequence[int]


async def find_bundle(env: Env, job_id: int) -> Bundle | None:
    """What still waits for that job, None for nothing."""
    query = (
        select(
            Notification.id,
            Notification.alert_id,
            Notification.channel_id,
            AlertChannel.kind,
            AlertChannel.sealed,
            AlertChannel.user_id,
            User.email,
            User.email_verified,
            User.locale,
        )
        .join(AlertChannel, AlertChannel.id == Notification.channel_id)
        .join(User, User.id == AlertChannel.user_id)
        .where(Notification.job_id == job_id, Notification.state == "WAITING", User.in_force())
        .order_by(Notification.alert_id)
    )
    async with env.db.read(uid=EVERYONE) as db:
        rows = (await db.execute(query)).all()
    if not rows:
        return None
    alerts = [row.alert_id for row in rows if row.alert_id is not None]
    return Bundle(rows[0], [row.id for row in rows], alerts)


async def deliver(env: Env, job: Job, bundle: Bundle) -> None:
    """Tells the channel, and notes that it was told or why not.

    Raises:
        AppError: it could not be told; whether it is worth another try is the error's.
    """
    try:
        address, locale = open_address(env, bundle.channel.sealed)
        locale = bundle.channel.locale or locale
        message = await _write(env, job, bundle, locale)
        if bundle.channel.kind == ChannelKind.EMAIL:
            await _send_mail(env, job, bundle.channel, message, locale)
        else:
            await _post(env, ChannelKind(bundle.channel.kind), address, message)
    except AppError as error:
        await _note(env, bundle, error)
        raise
    mine = update(Notification).where(Notification.id.in_(bundle.notices))
    async with env.db.write(uid=EVERYONE) as db:
        await db.execute(mine.values(state="SENT", sent_at=env.clock.now(), error=None))


async def settle_notices(env: Env) -> int:
    """Ends the notices whose jobs have failed for good, and opens jobs anew that left some behind.

    How many ended. A notice that was written while its job was being done waits for it in vain.
    """
    now = env.clock.now()
    async with env.db.write(uid=EVERYONE) as db:
        dead = (await db.scalars(text(_BURY))).all()
        await db.execute(text(_REOPEN), {"now": now})
    return len(dead)


async def _write(env: Env, job: Job, bundle: Bundle, locale: Locale) -> Message:
    gettext = load_translations(locale).gettext
    alerts = await list_by_ids(env, bundle.alerts, bundle.channel.user_id)
    known = await find_instruments(env, [row.symbol for row in alerts if row.symbol])
    lines = []
    for row in alerts:
        it = known.get(row.symbol or "")
        name, currency = (row.symbol or "", "") if it is None else (it.name, it.currency)
        if it is not None and locale == "ko" and it.name_local:
            name = it.name_local
        said = alert_sentence(row, name, currency, locale)
        lines.append(f"{said} ({row.note})" if row.note else said)
    title = gettext(COUNT) % {"count": len(alerts)} if alerts else gettext(TEST)
    link = f"{env.settings.site}/alerts"
    return Message(f"sise-{job.id}", f"Sise · {title}", lines, [row.id for row in alerts], link)


async def _send_mail(env: Env, job: Job, channel: Any, message: Message, locale: Locale) -> None:
    if not channel.email_verified:
        raise Conflict("Confirm your e-mail address first, in the settings of the account.")
    mail = Mail(job.id, "alert", channel.email, locale, {}, job.due_at + timedelta(days=1))
    said = [line.replace("%", "%%") for line in (message.title, *message.lines)]
    draft = Draft(said[0], tuple(said), {}, "/alerts")
    await env.mailer.send(write_letter(env, mail, draft, locale))


async def _post(env: Env, kind: ChannelKind, address: str, message: Message) -> None:
    if kind is not ChannelKind.PUSH:
        shaped = orjson.dumps(shape_message(kind, message, address))
        headers = {"Content-Type": "application/json", "User-Agent": "Sise"}
        await env.outward.post(address, shaped, headers | {"Idempotency-Key": message.key})
        return
    browser = read_subscription(address)
    body = encrypt(orjson.dumps(shape_push(message)), browser.key, browser.auth)
    headers = env.pusher.headers(browser.endpoint, env.clock.now())
    await env.outward.post(browser.endpoint, body, headers)


async def _note(env: Env, bundle: Bundle, error: AppError) -> None:
    """Keeps why a try failed; a receiver that is gone is told no more."""
    said = orjson.dumps({"message": error.message, "values": error.values}, default=str).decode()
    async with env.db.write(uid=EVERYONE) as db:
        mine = update(Notification).where(Notification.id.in_(bundle.notices))
        await db.execute(mine.values(error=said))
        if isinstance(error, Gone):
            ended = update(AlertChannel).where(AlertChannel.id == bundle.channel.channel_id)
            await db.execute(ended.values(ended_at=env.clock.now()))


_BURY: Final = """
    UPDATE notification AS n SET state = 'DEAD',
        error = coalesce(n.error, jsonb_build_object(
            'message', '%(why)s', 'values', jsonb_build_object('why', j.last_error))::text)
    FROM job AS j
    WHERE n.state = 'WAITING' AND j.id = n.job_id AND j.state = 'FAILED'
    RETURNING n.id
"""

_REOPEN: Final = """
    UPDATE job AS j SET state = 'PENDING', done_at = NULL, queued_at = NULL, attempts = 0,
        due_at = :now
    WHERE j.kind = 'notify' AND j.state = 'DONE'
    AND EXISTS (SELECT FROM notification AS n WHERE n.job_id = j.id AND n.state = 'WAITING')
"""
