"""Mail in tests: an environment that sends to the local server, and the worker's part of it."""

from __future__ import annotations

import re
from dataclasses import replace
from email.message import EmailMessage

from app.adapters.mail import Mailer
from app.env import Env
from app.services.work import jobs
from tests.fakes.smtp import FakeSmtp
from workers.mail import send_mail
from workers.pace import Pace

SENDER = "Sise <sise@example.com>"


def with_mail(env: Env, smtp: FakeSmtp) -> Env:
    """The environment of an installation that sends mail there."""
    mailer = Mailer(f"smtp+plain://127.0.0.1:{smtp.port}", SENDER)
    settings = replace(env.settings, public_url="https://sise.example.com")
    return replace(env, mailer=mailer, settings=settings)


async def deliver(env: Env) -> list[str | None]:
    """Does what a worker does with the mails that wait; the outcomes, the oldest first."""
    waiting = [job for job in await jobs.list_jobs(env, "mail") if job.state == "PENDING"]
    for job in reversed(waiting):
        await send_mail({"env": env, "pace": Pace()}, job.id)
    done = await jobs.find_jobs(env, [job.id for job in waiting])
    return [job.outcome for job in done]


def text_of(letter: EmailMessage) -> str:
    """What a letter says."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def link_of(letter: EmailMessage) -> str:
    """The secret of the link in a letter."""
    found = re.search(
        r"https://sise\.example\.com/\w+\?token=([\w-]{43})$", text_of(letter), re.MULTILINE
    )
    assert found is not None, text_of(letter)
    return found[1]
