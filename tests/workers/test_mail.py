"""A mail from the table to the server: tried again, given up, or never sent twice."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

from sqlalchemy import func, select

from app.db.models import Mail
from app.services.people import mails
from app.services.people.mails import MailKind, forget_ended, post
from app.services.work import jobs
from tests.clocks import at
from tests.mailing import deliver, with_mail
from tests.workers.conftest import context
from workers.mail import WRITERS, send_mail


async def posted(env):
    async with env.db.write() as db:
        (job_id,) = await post(
            db, "password-changed", "alice@example.com", "en", env.clock.now(), name="alice"
        )
    return job_id


async def job_of(env, job_id):
    (job,) = await jobs.find_jobs(env, [job_id])
    return job


async def test_every_kind_has_somebody_who_writes_it():
    assert set(WRITERS) == set(get_args(MailKind))


async def test_a_mail_is_sent_once_and_forgotten(env, smtp):
    env = with_mail(env, smtp)
    job_id = await posted(env)
    await mails.send(env, [job_id])
    await send_mail(context(env), job_id)
    await send_mail(context(env), job_id)
    assert len(smtp.letters) == 1
    assert smtp.letters[0]["Message-ID"] == f"<sise-{job_id}@example.com>"
    assert (await job_of(env, job_id)).outcome == "SENT"
    await forget_ended(env)
    async with env.db.read() as db:
        assert await db.scalar(select(func.count()).select_from(Mail)) == 0


async def test_a_server_that_does_not_answer_is_tried_again(env, smtp):
    env = with_mail(env, smtp)
    job_id = await posted(env)
    smtp.reply = "451 later"
    await send_mail(context(env), job_id)
    job = await job_of(env, job_id)
    assert (job.state, job.outcome, job.attempts) == ("PENDING", "UNAVAILABLE", 1)
    assert "alice" not in job.last_error
    await forget_ended(env)
    smtp.reply = None
    later = at(env, (job.due_at + timedelta(seconds=1)).isoformat())
    await send_mail(context(later), job_id)
    assert (await job_of(env, job_id)).outcome == "SENT"


async def test_a_mail_that_is_refused_or_too_old_is_given_up(env, smtp):
    env = with_mail(env, smtp)
    refused = await posted(env)
    smtp.refused = "550 no such user"
    await send_mail(context(env), refused)
    job = await job_of(env, refused)
    assert (job.state, job.outcome) == ("FAILED", "REFUSED")
    smtp.refused = None
    old = await posted(env)
    late = at(env, (env.clock.now() + timedelta(hours=3)).isoformat())
    await send_mail(context(late), old)
    assert (await job_of(env, old)).outcome == "EXPIRED"
    assert smtp.letters == []


async def test_a_mail_whose_row_has_gone_and_a_job_that_has_gone_do_no_harm(env, smtp):
    env = with_mail(env, smtp)
    job_id = await posted(env)
    async with env.db.write() as db:
        await db.delete(await db.get_one(Mail, job_id))
    assert await deliver(env) == ["EXPIRED"]
    await send_mail(context(env), 10**9)
