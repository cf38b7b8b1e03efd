"""Forms: what is read, where one goes back to, and what is shown again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.errors import BadInput, Conflict, RateLimited, Unauthenticated, Unavailable
from app.web.forms import MAX_FORM, Form, local_address, refuse, with_next
from tests.web.pages import browsing, choose_source, signed_in


async def test_what_is_no_form_is_refused(env, settings):
    await choose_source(env, "yahoo")
    async with browsing(settings) as http:
        answers = [
            await http.post("/track", json={"symbol": "AAPL"}),
            await http.post("/track", files={"symbol": b"AAPL"}),
            await http.post("/track", data={"symbol": "A" * MAX_FORM}),
            await http.post(
                "/track",
                content=b"symbol=\xff",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            ),
        ]
    assert [answer.status_code for answer in answers] == [400] * 4


@pytest.mark.parametrize(
    ("text_", "address"),
    [
        ("/jobs?x=1", "/jobs?x=1"),
        ("", "/"),
        (None, "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/한글", "/한글"),
    ],
)
def test_one_goes_back_to_this_site_alone(text_, address):
    assert local_address(text_) == address


def test_an_address_to_go_on_to_stands_in_the_query_and_the_dashboard_does_not():
    assert with_next("/login", "/jobs?x=1&y=2") == "/login?next=/jobs%3Fx%3D1%26y%3D2"
    assert with_next("/login", "/") == "/login"
    assert with_next("/login", "//evil.example") == "/login"


TYPED = {"username": "al ice", "password": "correct horse", "current": "old", "code": "123456"}


def test_what_was_wrong_stands_at_its_field_and_no_secret_is_sent_back():
    form = refuse(BadInput("no", field="username"), TYPED, "en", name="me", field="password")
    assert (form.errors, form.status, form.name) == ({"username": "no"}, 422, "me")
    assert form.typed == {"username": "al ice"}
    form = refuse(Unauthenticated("The password is not right."), TYPED, "ko", field="current")
    assert form.errors == {"current": "비밀번호가 맞지 않습니다."}


def test_what_a_page_does_not_draw_is_said_of_the_whole_form():
    form = Form(errors={"": "First.", "level": "It's <0>.", "odd": "Second."})
    assert form.find_unshown("<p>First.</p> It&#39;s &lt;0&gt;. <b>Second.</b>") is None
    whole = form.find_unshown("<p>First.</p> It&#39;s &lt;0&gt;.")
    assert whole is not None
    assert whole.errors[""] == "First. Second."


async def test_an_error_of_an_argument_that_no_field_is_for_stands_above_the_form(env, settings):
    async with signed_in(env, settings) as http:
        page = await http.post("/alerts", data={"act": "channel", "kind": "FAX"})
        assert page.status_code == 422
        (said,) = re.findall(r'<p class="field-error form-error"[^>]*>([^<]*)</p>', page.text)
        assert "FAX" in said


def test_every_form_says_what_is_wrong_with_it_as_a_whole():
    """A template that shows errors of fields has a place for all others."""
    texts = {p: p.read_text(encoding="utf-8") for p in Path("templates").rglob("*.html")}
    fields = re.compile(r"\bfield\(\w+, \"|\.errors\.get\((?!\"\"\))")
    whole = re.compile(r"refusal\(\w+\)|errors\.(?:(?:values|items)\(\)|get\(\"\"\))")
    drawn = {path.as_posix() for path, text in texts.items() if fields.search(text)}
    lacking = {path for path in drawn if not whole.search(texts[Path(path)])}
    parts = {"templates/alerts/_words.html", "templates/transactions/_actions.html"}
    assert lacking == parts  # of forms that have the place


def test_too_often_is_said_of_the_whole_form_with_when_to_come_again():
    form = refuse(RateLimited("slowly", retry_after=2.3), TYPED, "en", field="password")
    assert (form.errors, form.status, form.retry_after) == ({"": "slowly"}, 429, 2.3)
    assert refuse(Conflict("taken"), TYPED, "en", field="username").errors == {"username": "taken"}


def test_what_has_nothing_to_do_with_the_form_is_a_page_of_its_own():
    with pytest.raises(Unavailable):
        refuse(Unavailable("away"), TYPED, "en")
