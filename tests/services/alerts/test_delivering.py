"""Channels, notices and their delivery: into a mailbox, to a receiver and a browser that really take it."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import orjson
import pytest
from sqlalchemy import select, update

from app.adapters.bus import Bus
from app.adapters.mail import Mailer
from app.adapters.outward import Outward
from app.adapters.queue import Queue
from app.db.models import AlertChannel, Job, Notification, User
from app.domain.alerts.channels import ChannelKind
from app.domain.alerts.rules import Delivery
from app.errors import BadInput, Conflict, NotFound
from app.services.alerts import alert_channels
from app.services.alerts.alert_channels import (
    NewChannel,
    delete_channel,
    list_channels,
    list_notices,
    retry_notice,
    save_channel,
    try_channel,
)
from app.services.alerts.alert_hours import save_hours
from app.services.alerts.alert_rules import save_rule
from app.services.alerts.alerts import count_alerts
from app.services.alerts.delivering import settle_notices
from app.services.work import jobs
from tests.alerting import read_rule, see_path
from tests.clocks import at
from tests.factories import make_instrument
from tests.fakes.browser_push import PushBrowser
from tests.fakes.receiver import receiving
from tests.mailing import SENDER, text_of, with_mail
from tests.people import make_user
from tests.processes import free_port
from tests.workers.conftest import context
from workers.notify import notify_channel


@pytest.fixture
def receiver():
    with receiving() as made:
        yield made


@pytest.fixture
async def near(env):
    """An installation that may tell receivers on this machine."""
    return replace(env, outward=Outward(inside=True))


@pytest.fixture
async def alice(near):
    await make_instrument(near, "AAPL", name="Apple", name_local="애플")
    alice = await make_user(near)
    await save_rule(near, alice.id, read_rule("AAPL > 150", note="50% off?"))
    await see_path(near, "AAPL", 149)
    return alice


async def by(env, user, kind, address=None):
    return await save_channel(env, user, NewChannel(ChannelKind(kind), None, address, "en"))


async def work(env) -> list[str]:
    """What a worker does with the jobs that are due; how each stands then."""
    due = [job for job in await jobs.list_due(env, requeue_after=0) if job.kind == "notify"]
    for job in due:
        await notify_channel(context(env), job.id)
    return [f"{job.state} {job.outcome}" for job in await jobs.find_jobs(env, [j.id for j in due])]


async def states(env, user) -> list[str]:
    return [row.state for row in await list_notices(env, user.id)]


async def later(env, job_kind="notify"):
    """The environment when the next try of a job is due."""
    (job, *_) = [j for j in await jobs.list_jobs(env, job_kind) if j.state == "PENDING"]
    return at(env, (job.due_at + timedelta(seconds=1)).isoformat())


async def test_a_webhook_is_told_once_in_plain_words(near, alice, receiver):
    await by(near, alice, "WEBHOOK", receiver.url)
    await see_path(near, "AAPL", 151)
    assert await work(near) == ["DONE TOLD"]
    assert await work(near) == []
    (said,) = receiver.said
    assert said["title"] == "Sise · New alerts: 1"
    assert said["alerts"][0]["text"] == "Apple has risen to 151.00 (level 150.00). (50% off?)"
    assert said["link"].endswith("/alerts")
    assert receiver.heads[0]["idempotency-key"] == said["key"]
    assert await states(near, alice) == ["SENT"]


@pytest.mark.parametrize("kind", ["SLACK", "PUSH"])
@pytest.mark.parametrize("failure", ["500", "silent", "refused"])
async def test_a_receiver_that_fails_is_told_when_it_has_recovered(near, alice, kind, failure):
    with receiving() as receiver:
        browser = PushBrowser()
        await by(
            near, alice, kind, {"PUSH": browser.subscribe(receiver.url)}.get(kind, receiver.url)
        )
        await see_path(near, "AAPL", 151)
        if failure == "refused":
            hasty = Outward(inside=True, resolve=nowhere)
        else:
            receiver.status, receiver.answers = 500, failure == "500"
            hasty = Outward(inside=True, patience=60 if receiver.answers else 0.5)
        assert await work(replace(near, outward=hasty)) == ["PENDING UNAVAILABLE"]
        (notice,) = await list_notices(near, alice.id)
        assert notice.state == "WAITING"
        assert notice.error is not None
        receiver.status, receiver.answers = 200, True
        assert await work(await later(near)) == ["DONE TOLD"]
        (body,) = receiver.bodies
        said = browser.read(body) if kind == "PUSH" else body
        assert (b"New alerts: 1" if kind == "PUSH" else b"Apple has risen") in said
    assert await states(near, alice) == ["SENT"]


async def nowhere(host, port):
    """A port of this machine that nobody listens on is what a stopped receiver looks like."""
    return ["127.0.0.2"]


async def test_what_is_refused_is_dead_at_once_and_may_be_tried_again(near, alice, receiver):
    await by(near, alice, "DISCORD", receiver.url)
    await see_path(near, "AAPL", 151)
    receiver.status = 403
    assert await work(near) == ["FAILED REFUSED"]
    (dead,) = await list_notices(near, alice.id, "DEAD")
    assert dead.error["message"] == "%(host)s does not take it (%(status)d)."
    receiver.status = 200
    assert (await retry_notice(near, alice.id, str(dead.id))).state == "WAITING"
    assert await work(near) == ["DONE TOLD"]
    assert len(receiver.bodies) == 1
    with pytest.raises(Conflict, match="was delivered, or is still on its way"):
        await retry_notice(near, alice.id, str(dead.id))


async def test_after_the_last_try_it_is_dead_and_nothing_is_lost(near, alice, receiver):
    await by(near, alice, "WEBHOOK", receiver.url)
    await see_path(near, "AAPL", 151)
    receiver.status = 500
    for _ in range(jobs.MAX_ATTEMPTS - 1):
        assert await work(near) == ["PENDING UNAVAILABLE"]
        near = await later(near)
    assert await work(near) == ["FAILED UNAVAILABLE"]
    assert await states(near, alice) == ["DEAD"]
    assert await count_alerts(near, alice.id) == 1


async def test_a_receiver_that_is_gone_is_told_no_more_until_a_test(near, alice, receiver):
    browser = PushBrowser()
    channel = await by(near, alice, "PUSH", browser.subscribe(receiver.url))
    await see_path(near, "AAPL", 151)
    receiver.status = 410
    assert await work(near) == ["FAILED GONE"]
    assert (await list_channels(near, alice.id))[0].ended_at is not None
    await see_path(near, "AAPL", 140, 151)
    assert await work(near) == []
    receiver.status = 200
    await try_channel(near, alice.id, str(channel.id))
    assert await work(near) == ["DONE TOLD"]
    assert (await list_channels(near, alice.id))[0].ended_at is None
    assert b"This is a test" in browser.read(receiver.bodies[0])


async def test_a_push_says_how_many_and_nothing_of_what(near, alice, receiver):
    browser = PushBrowser()
    await by(near, alice, "PUSH", browser.subscribe(receiver.url))
    await see_path(near, "AAPL", 151)
    await work(near)
    shown = orjson.loads(browser.read(receiver.bodies[0]))
    assert shown == {
        "title": "Sise",
        "body": "New alerts: 1",
        "url": "/alerts",
        "tag": shown["tag"],
    }
    assert receiver.heads[0]["authorization"].startswith("vapid t=")


async def test_mail_comes_in_the_reader_s_language_and_recovers(near, alice, smtp):
    env = with_mail(near, smtp)
    with pytest.raises(Conflict, match="Confirm your e-mail address first"):
        await by(env, alice, "EMAIL")
    async with env.db.write(uid="everyone") as db:
        await db.execute(update(User).values(email_verified=True, locale="ko"))
    alice = replace(alice, email_verified=True, locale="ko")
    await by(env, alice, "EMAIL")
    await by(env, alice, "EMAIL")  # again: it takes the place of the first
    await see_path(env, "AAPL", 151)
    gone = Mailer(f"smtp+plain://127.0.0.1:{free_port()}", SENDER)
    hasty = Mailer(f"smtp+plain://127.0.0.1:{smtp.port}", SENDER, patience=0.3)
    for mailer, smtp.silent, smtp.reply in (
        (gone, False, None),
        (hasty, True, None),
        (env.mailer, False, "451 later"),
    ):
        assert await work(replace(env, mailer=mailer)) == ["PENDING UNAVAILABLE"]
        env = await later(env)
    smtp.reply = None
    assert await work(env) == ["DONE TOLD"]
    (letter,) = smtp.letters
    assert letter["To"] == "alice@example.com"
    assert "애플: 151.00" in text_of(letter)
    assert "(50% off?)" in text_of(letter)
    assert "https://sise.example.com/alerts" in text_of(letter)
    with pytest.raises(Conflict, match="No mail is sent from here"):
        await by(near, alice, "EMAIL")


async def test_without_the_broker_the_reconciler_brings_it(near, alice, receiver):
    await by(near, alice, "WEBHOOK", receiver.url)
    away = replace(near, bus=Bus("redis://127.0.0.1:1"), queue=Queue("redis://127.0.0.1:1"))
    assert await see_path(away, "AAPL", 151) == 1  # stored, though nothing could be handed over
    assert receiver.bodies == []
    assert await work(near) == ["DONE TOLD"]
    assert len(receiver.bodies) == 1


async def test_a_worker_that_died_is_taken_over_and_buried_after_its_tries(near, alice, receiver):
    await by(near, alice, "WEBHOOK", receiver.url)
    await see_path(near, "AAPL", 151)
    async with near.db.write() as db:
        await db.execute(update(Job).values(state="FAILED", outcome="KILLED", last_error="ended"))
    assert await settle_notices(near) == 1
    assert await states(near, alice) == ["DEAD"]
    assert (await list_notices(near, alice.id))[0].error == {
        "message": "%(why)s",
        "values": {"why": "ended"},
    }


async def test_a_notice_that_came_while_its_job_was_done_opens_it_anew(near, alice, receiver):
    await by(near, alice, "WEBHOOK", receiver.url)
    await see_path(near, "AAPL", 151)
    await work(near)
    async with near.db.write(uid=alice.id) as db:
        await db.execute(update(Notification).values(state="WAITING"))
    await settle_notices(near)
    assert await work(near) == ["DONE TOLD"]
    assert len(receiver.bodies) == 2
    assert receiver.said[0]["key"] == receiver.said[1]["key"]  # so that the second can be dropped


async def test_a_night_s_alerts_come_as_one_message_in_the_morning(near, alice, receiver):
    await by(near, alice, "WEBHOOK", receiver.url)
    await save_hours(near, alice.id, time(22), time(7), time(8))
    for words, delivery in (("AAPL > 151", Delivery.AT_ONCE), ("AAPL > 152", Delivery.DIGEST),
                            ("AAPL > 153", Delivery.URGENT)):  # fmt: skip
        await save_rule(near, alice.id, read_rule(words, delivery=delivery))
    night = at(near, "2026-03-04T15:00")  # midnight in Seoul
    assert await see_path(night, "AAPL", 149, 154) == 4
    async with near.db.read(uid=alice.id) as db:
        rows = list(await db.scalars(select(Notification).order_by(Notification.due_at)))
    due = [f"{row.due_at:%d %H:%M}" for row in rows]
    assert due == ["04 15:00", "04 22:00", "04 22:00", "04 23:00"]
    for moment, count in (("04T15:01", 1), ("04T22:01", 2), ("04T23:01", 1)):
        receiver.bodies.clear()
        assert await work(at(near, f"2026-03-{moment}")) == ["DONE TOLD"]
        assert [len(said["alerts"]) for said in receiver.said] == [count]


async def test_an_address_is_sealed_and_one_of_the_inside_is_refused(env, near, alice, receiver):
    made = await by(near, alice, "WEBHOOK", f"{receiver.url}?token=very-secret")
    assert made.place == made.name == "127.0.0.1"
    async with env.db.read(uid=alice.id) as db:
        sealed = await db.scalar(select(AlertChannel.sealed))
    assert b"very-secret" not in sealed
    for address in (receiver.url, f"http://localhost:{receiver.port}/"):
        with pytest.raises(BadInput, match="is inside a network") as refused:
            await by(env, alice, "WEBHOOK", address)
        assert refused.value.field == "address"
    with pytest.raises(BadInput, match=r"gone\.invalid cannot be found"):
        await by(env, alice, "WEBHOOK", "https://gone.invalid/hook")


async def test_channels_are_few_and_go_with_what_was_on_its_way(near, alice, receiver, monkeypatch):
    monkeypatch.setattr(alert_channels, "MOST_CHANNELS", 1)
    channel = await by(near, alice, "WEBHOOK", receiver.url)
    with pytest.raises(Conflict, match="1 channels already"):
        await by(near, alice, "WEBHOOK", receiver.url)
    wanted = NewChannel(ChannelKind.WEBHOOK, "x" * 61, receiver.url, "en")
    with pytest.raises(BadInput, match="name has 61 characters"):
        await save_channel(near, alice, wanted)
    await see_path(near, "AAPL", 151)
    await delete_channel(near, alice.id, str(channel.id))
    assert await work(near) == ["DONE NOBODY"]
    assert await list_notices(near, alice.id) == []
    with pytest.raises(NotFound):
        await delete_channel(near, alice.id, str(channel.id))
