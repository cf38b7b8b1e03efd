"""Send one mail: it is written now, in the reader's language, and handed to the mail server.

A new kind of mail is a line in `WRITERS` and a call of `services.mails.post`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from app.adapters.mail import Letter
from app.env import Env
from app.services.people import email_address, mails, password_reset
from app.services.people.mails import Mail
from app.services.work import jobs
from workers.attempt import attempt, claim

LOG: Final = logging.getLogger(__name__)

WRITERS: Final[dict[str, Callable[[Env, Mail], Awaitable[Letter | None]]]] = {
    "reset": password_reset.write_reset,
    "password-changed": password_reset.write_changed,
    "confirm": email_address.write_confirmation,
    "email-changing": email_address.write_changing,
}


async def send_mail(ctx: dict[str, Any], job_id: int) -> None:
    """The function of the quick queue. A job that is done, or another worker's, is left alone."""
    env: Env = ctx["env"]
    job = await claim(ctx, job_id)
    if job is None:
        return
    async with attempt(ctx, job):
        mail = await mails.find_mail(env, job.id)
        outcome = "EXPIRED" if mail is None else await _send(env, mail)
        await jobs.finish(env, job, 0, outcome)
        LOG.info("mail", extra={"outcome": outcome, "job": job.id, "attempt": job.attempts})


async def _send(env: Env, mail: Mail) -> str:
    """The outcome in one word: the same for who has no account, seen from outside."""
    if env.clock.now() >= mail.expires_at:
        return "EXPIRED"
    letter = await WRITERS[mail.kind](env, mail)
    if letter is None:
        return "NOBODY"
    await env.mailer.send(letter)
    return "SENT"
