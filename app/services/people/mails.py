"""Mails that are due: PostgreSQL holds them, a job sends them, no request waits for one.

A mail is a kind, an address and a few values; what it says is written when it is sent. So no secret
lies in the table: the worker that sends a link makes it. The row goes once the job has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Job as JobRow
from app.db.models import Mail as MailRow
from app.env import Env
from app.errors import Unavailable
from app.services.work import jobs
from app.services.work.jobs import open_job

MailKind = Literal["reset", "password-changed", "confirm", "email-changing"]

LIFETIME: Final = timedelta(hours=2)
"""A mail that could not be sent until then is not sent any more."""

NOWHERE: Final = "nobody@example.invalid"
"""The address of who has none: mail to it goes nowhere (RFC 2606)."""


@dataclass(frozen=True)
class Mail:
    """One mail that is due. `locale` is that of whoever caused it."""

    job_id: int
    kind: str
    address: str
    locale: str
    facts: Mapping[str, Any]
    expires_at: datetime


def is_nowhere(address: str) -> bool:
    """Whether it is the address of who has none."""
    return address.lower().endswith(".invalid")


async def post(
    db: AsyncSession, kind: MailKind, address: str, locale: str, now: datetime, **facts: Any
) -> list[int]:
    """Writes a mail in the caller's transaction; its job, to be given to `send` after the commit.

    None for an address that is nowhere.
    """
    if is_nowhere(address):
        return []
    job_id = await open_job(db, "mail", None, None, f"mail:{uuid4()}", now)
    expires_at = now + LIFETIME
    row = {"kind": kind, "address": address, "locale": locale, "expires_at": expires_at}
    db.add(MailRow(job_id=job_id, facts=facts, **row))
    await db.flush()
    return [job_id]


async def send(env: Env, ids: Iterable[int]) -> None:
    """Hands mails to a worker; without the broker the reconciler does it within two minutes."""
    with suppress(Unavailable):
        await jobs.send(env, ids)


async def find_mail(env: Env, job_id: int) -> Mail | None:
    """The mail of a job, None when it has gone."""
    async with env.db.read() as db:
        row = await db.get(MailRow, job_id)
    if row is None:
        return None
    names = ("job_id", "kind", "address", "locale", "facts", "expires_at")
    return Mail(**{name: getattr(row, name) for name in names})


async def forget_ended(env: Env) -> None:
    """Deletes the mails whose jobs have ended: sent, refused or given up."""
    ended = select(JobRow.id).where(JobRow.kind == "mail", JobRow.done_at.is_not(None))
    async with env.db.write() as db:
        await db.execute(delete(MailRow).where(MailRow.job_id.in_(ended)))
