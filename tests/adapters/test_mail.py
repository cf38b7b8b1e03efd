"""Mail through a real local server: with TLS and sign-in as set, and every way it can fail."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from app.adapters.mail import Letter, Mailer, MailRefused
from app.errors import Unavailable
from tests.fakes.smtp import PASSWORD, USER, make_certificate, run_smtp
from tests.processes import free_port

LETTER = Letter(
    to="reader@example.com",
    subject="비밀번호",
    text="Guten Tag, 안녕하세요.\n\nhttps://sise.example.com/reset?token=" + "x" * 43 + "\n",
    html="<p>안녕하세요</p>",
    key="sise-7",
    at=datetime(2026, 1, 5, 9, tzinfo=UTC),
)
SENDER = "시세 <sise@example.com>"
WHO = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def plain_server():
    with run_smtp() as fake:
        yield fake


@pytest.fixture
def plain(plain_server):
    plain_server.reset()
    return plain_server


def mailer(fake, scheme="smtp+plain", who="", **options):
    return Mailer(f"{scheme}://{who}127.0.0.1:{fake.port}", SENDER, **options)


async def test_a_letter_arrives_as_it_was_written(plain):
    await mailer(plain).send(LETTER)
    (got,) = plain.letters
    assert (got["From"], got["To"]) == (SENDER, LETTER.to)
    assert (got["Subject"], got["Message-ID"]) == ("비밀번호", "<sise-7@example.com>")
    assert got["Date"] == "Mon, 05 Jan 2026 09:00:00 +0000"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got.get_body(("plain",)).get_content().replace("\r\n", "\n") == LETTER.text
    assert "안녕하세요" in got.get_body(("html",)).get_content()


async def test_an_address_beyond_ascii_is_taken(plain):
    await mailer(plain).send(replace(LETTER, to="독자@example.com"))
    assert plain.letters[0]["To"] == "독자@example.com"


async def test_starttls_comes_before_the_password(certificate):
    server, client = certificate
    with run_smtp(starttls=server, sign_in=True) as fake:
        await mailer(fake, "smtp", f"{WHO}@", tls=client).send(LETTER)
        assert (fake.signed_in, fake.over_tls) == (1, [True])
        with pytest.raises(Unavailable, match="code 535"):
            await mailer(fake, "smtp", "sise:wrong@", tls=client).send(LETTER)
        with pytest.raises(Unavailable, match="code 530"):
            await mailer(fake, "smtp", tls=client).send(LETTER)
        assert len(fake.letters) == 1


async def test_tls_from_the_first_byte(certificate):
    server, client = certificate
    with run_smtp(tls=server, sign_in=True) as fake:
        await mailer(fake, "smtps", f"{WHO}@", tls=client).send(LETTER)
        await mailer(fake, "smtps", f"{WHO}@", tls=client).check()
        assert (fake.signed_in, len(fake.letters)) == (2, 1)


async def test_a_certificate_that_nobody_vouches_for_gets_nothing(certificate):
    server, _ = certificate
    with run_smtp(tls=server) as fake, pytest.raises(Unavailable):
        await mailer(fake, "smtps", tls=ssl.create_default_context()).send(LETTER)
    with run_smtp(starttls=server) as fake, pytest.raises(Unavailable):
        await mailer(fake, "smtp", f"{WHO}@").send(LETTER)
    assert fake.letters == []


async def test_a_server_without_starttls_gets_nothing(plain):
    with pytest.raises(Unavailable, match="SMTPException"):
        await mailer(plain, "smtp").send(LETTER)
    assert plain.letters == []


@pytest.mark.parametrize("place", ["reply", "refused"])
async def test_a_reply_says_whether_to_come_again(plain, place):
    setattr(plain, place, "451 later")
    with pytest.raises(Unavailable, match="code 451"):
        await mailer(plain).send(LETTER)
    setattr(plain, place, "550 no such user reader@example.com")
    with pytest.raises(MailRefused, match="code 550") as caught:
        await mailer(plain).send(LETTER)
    assert "reader" not in str(caught.value)
    assert not caught.value.retryable


async def test_a_server_that_is_silent_or_gone_is_given_up(plain):
    plain.silent = True
    with pytest.raises(Unavailable, match="Timeout"):
        await mailer(plain, patience=0.2).send(LETTER)
    with pytest.raises(Unavailable, match="SMTPConnectError"):
        await Mailer(f"smtp+plain://127.0.0.1:{free_port()}", SENDER).send(LETTER)


async def test_without_a_server_nothing_is_sent():
    none = Mailer(None, None)
    assert not none.is_set
    with pytest.raises(Unavailable, match="SISE_SMTP_URL"):
        await none.send(LETTER)
