"""Mails that are due: written with what they are about, handed over when there is a broker."""

from __future__ import annotations

from dataclasses import replace

from app.adapters.queue import Queue
from app.services.people.mails import find_mail, post, send
from app.services.work import jobs


async def test_a_mail_is_written_with_its_job_and_survives_a_lost_broker(env):
    async with env.db.write() as db:
        ids = await post(db, "confirm", "a@example.com", "ko", env.clock.now(), user=7)
    await send(replace(env, queue=Queue("redis://127.0.0.1:1")), ids)
    mail = await find_mail(env, ids[0])
    assert (mail.kind, mail.address, mail.locale) == ("confirm", "a@example.com", "ko")
    assert mail.facts == {"user": 7}
    assert [job.id for job in await jobs.list_due(env)] == ids
    await send(env, ids)
    assert await jobs.list_due(env) == []


async def test_nothing_is_written_for_an_address_that_is_nowhere(env):
    async with env.db.write() as db:
        assert await post(db, "confirm", "nobody@example.invalid", "en", env.clock.now()) == []
    assert await find_mail(env, 1) is None
