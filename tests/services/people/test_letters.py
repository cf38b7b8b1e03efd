"""Letters: the language of the reader, one link, nothing of a name becomes HTML."""

from __future__ import annotations

from app.services.people.letters import Draft, write_letter
from app.services.people.mails import Mail

DRAFT = Draft(
    "Choose a new password",
    (
        "Somebody, probably you, asked for a new password of %(name)s. Choose it here:",
        "If it was not you, do nothing: the password stays as it is.",
    ),
    {"name": "<b>"},
    "/reset?token=x&y",
)


def mail(env, locale="en"):
    return Mail(7, "reset", "a@example.com", locale, {}, env.clock.now())


async def test_a_letter_has_its_link_after_the_first_paragraph(env):
    letter = write_letter(env, mail(env), DRAFT)
    lines = letter.text.split("\n\n")
    assert "<b>" in lines[0]
    assert lines[1] == "http://127.0.0.1:8000/reset?token=x&y"
    assert lines[-1] == "Sise · http://127.0.0.1:8000\n"
    assert "&lt;b&gt;" in letter.html
    assert "<b>" not in letter.html
    assert 'href="http://127.0.0.1:8000/reset?token=x&amp;y"' in letter.html
    assert letter.key == "sise-7"


async def test_the_reader_s_language_comes_first(env):
    assert write_letter(env, mail(env, "ko"), DRAFT).subject == "새 비밀번호 정하기"
    assert write_letter(env, mail(env, "ko"), DRAFT, "en").subject == DRAFT.subject
    assert 'lang="ko"' in write_letter(env, mail(env), DRAFT, "ko").html
    without = write_letter(env, mail(env), Draft("Your password was changed", ("a",), {}))
    assert without.text == "a\n\nSise · http://127.0.0.1:8000\n"
