"""A local mail server: real SMTP with STARTTLS, TLS and sign-in, that keeps what it was sent."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from tests.fakes.running import listen

USER, PASSWORD = "sise@example.com", "p@ss/word"


@dataclass
class FakeSmtp:
    """`reply` is what it says to a letter instead of taking it; `silent`: it says nothing."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    signed_in: int = 0
    over_tls: list[bool] = field(default_factory=list)
    reply: str | None = None
    refused: str | None = None
    silent: bool = False

    def reset(self) -> None:
        """As it began."""
        self.letters.clear()
        self.over_tls.clear()
        self.signed_in, self.reply, self.refused, self.silent = 0, None, None, False

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Takes every address, or says `refused`."""
        if self.refused:
            return self.refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keeps the letter, or says `reply`."""
        if self.silent:
            await asyncio.sleep(600)
        if self.reply:
            return self.reply
        self.letters.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        self.over_tls.append(session.ssl is not None)
        return "250 taken"

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        """Whether it is the one user there is."""
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        self.signed_in += known
        return AuthResult(success=known, handled=False)


@contextmanager
def run_smtp(
    *,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    sign_in: bool = False,
) -> Iterator[FakeSmtp]:
    """A server in a thread: TLS at once, STARTTLS demanded, or neither."""
    fake = FakeSmtp()
    options: dict[str, Any] = {"auth_require_tls": starttls is not None and tls is None}
    if starttls is not None:
        options |= {"tls_context": starttls, "require_starttls": True}
    if sign_in:
        options |= {"authenticator": fake.authenticate, "auth_required": tls is None}
    loop = asyncio.new_event_loop()
    listener = listen()
    fake.port = listener.getsockname()[1]
    make = lambda: SMTP(fake, hostname="localhost", loop=loop, enable_SMTPUTF8=True, **options)  # noqa: E731
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = loop.create_server(make, sock=listener, ssl=tls)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(60)
    try:
        yield fake
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=5) if tasks else None


def make_certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server at 127.0.0.1 shows, and what a client needs to believe it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime(2000, 1, 1, tzinfo=UTC)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=36_500))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    pem = folder / "certificate.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))
