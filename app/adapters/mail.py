"""Mail: one letter to one address, through the SMTP server that is set.

`smtp://` wants STARTTLS, `smtps://` is TLS from the first byte, `smtp+plain://` has none. What may
pass by itself is `Unavailable`; what the server will not take at any time is `MailRefused`. Neither
repeats an address or a word of the letter: they go into logs.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as MAIL
from email.utils import format_datetime, parseaddr
from typing import ClassVar, Final
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP, SMTPException, SMTPRecipientsRefused, SMTPResponseException

from app.errors import AppError, Unavailable

PATIENCE: Final = 30.0  # seconds for a whole letter; below the deadline of a job's try
PORTS: Final = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
PERMANENT: Final = 500
"""Replies from here on are final (RFC 5321, section 4.2.1)."""

_SIGN_IN: Final = frozenset({530, 534, 535, 538})  # of us, not of the letter: an operator mends it


class MailRefused(AppError):
    """The server will not take this letter, now or later."""

    code: ClassVar[str] = "REFUSED"
    status: ClassVar[int] = 422


@dataclass(frozen=True)
class Letter:
    """A letter as text and as HTML. `key` is the same for each try: receivers drop the second."""

    to: str
    subject: str
    text: str
    html: str
    key: str
    at: datetime


class Mailer:
    """The way out for mail; without a URL there is none."""

    def __init__(
        self,
        url: str | None,
        sender: str | None,
        *,
        tls: ssl.SSLContext | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._url = url
        self._sender = sender or ""
        self._tls = tls
        self._patience = patience

    @property
    def is_set(self) -> bool:
        """Whether mail can be sent at all."""
        return self._url is not None

    async def send(self, letter: Letter) -> None:
        """Returns when the server has taken the letter.

        Raises:
            MailRefused: it will not take it.
            Unavailable: it does not answer, or not now.
        """
        await self._talk(_compose(letter, self._sender))

    async def check(self) -> None:
        """Returns when the server answers and takes our sign-in; sends nothing.

        Raises:
            Unavailable: it does not.
        """
        await self._talk(None)

    async def _talk(self, message: EmailMessage | None) -> None:
        try:
            async with asyncio.timeout(self._patience), self._connection() as server:
                if message is not None:
                    await server.send_message(message)
        except SMTPRecipientsRefused as error:
            raise _refusal(max(each.code for each in error.recipients)) from error
        except SMTPResponseException as error:
            raise _refusal(error.code) from error
        except (SMTPException, OSError, TimeoutError) as error:
            msg = "The mail server does not answer as it should (%(why)s)."
            raise Unavailable(msg, why=type(error).__name__) from error

    def _connection(self) -> SMTP:
        if self._url is None:
            raise Unavailable("No mail server is set (SISE_SMTP_URL).")
        parts = urlsplit(self._url)
        return SMTP(
            hostname=parts.hostname,
            port=parts.port or PORTS[parts.scheme],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=parts.scheme == "smtps",
            start_tls=parts.scheme == "smtp",
            tls_context=self._tls,
            timeout=self._patience,
        )


def _compose(letter: Letter, sender: str) -> EmailMessage:
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message = EmailMessage(policy=MAIL)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.key}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: holiday answers stay away
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


def _refusal(code: int) -> AppError:
    if code >= PERMANENT and code not in _SIGN_IN:
        return MailRefused("The mail server refused the mail (code %(code)d).", code=code)
    return Unavailable("The mail server does not take mail now (code %(code)d).", code=code)
