"""Names that look the same are the same; addresses and passwords that cannot be are refused."""

from __future__ import annotations

import pytest

from app.domain.people import (
    check_email,
    check_password,
    check_username,
    name_key,
    propose_usernames,
)
from app.errors import BadInput


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alice", "alice"),
        ("Straße", "STRASSE"),
        ("김철수", "김철수"),
        ("\uff21\uff22\uff23", "abc"),
        ("é1", "é1"),
    ],
)
def test_names_that_look_the_same_are_the_same(one, other):
    assert name_key(one) == name_key(other)
    assert check_username(one)[1] == check_username(other)[1]


@pytest.mark.parametrize("name", ["", "a", "x" * 33, "a b", "a\0b", ".a", "a-", "a/b", "a\u202eb"])
def test_a_name_that_cannot_be_is_refused(name):
    with pytest.raises(BadInput, match="username") as refused:
        check_username(name)
    assert refused.value.field == "username"


@pytest.mark.parametrize(
    "address", ["", "a", "a@b", "@b.c", "a b@c.d", "a@b..c", "a@b.c\n@d.e", "x" * 251 + "@b.c"]
)
def test_an_address_that_cannot_be_is_refused(address):
    with pytest.raises(BadInput, match="email"):
        check_email(address)


def test_an_address_is_kept_as_it_is():
    assert check_email(" Alice+sise@Example.co.kr ") == "Alice+sise@Example.co.kr"


@pytest.mark.parametrize(
    "password",
    ["", "short", "password123", "aaaaaaaaaaaa", "alice.longname", "ALICE@EXAMPLE.COM", "x" * 257],
)
def test_a_password_that_is_tried_first_is_refused_and_never_repeated(password):
    with pytest.raises(BadInput, match="password") as refused:
        check_password(password, "alice.longname", "alice@example.com")
    assert not password or password not in str(refused.value)


def test_any_other_long_password_is_taken():
    assert check_password("correct horse", "alice") == "correct horse"
    assert check_password("비밀번호는길게씁니다", "alice")


def test_a_username_is_proposed_from_what_another_site_says() -> None:
    hints = ("Kim Min-su", "alice@example.com", "__x__", "...", "김민수", "a" * 60, "\0", "x")
    assert propose_usernames(hints) == ["Kim-Min-su", "alice", "김민수", "a" * 27]
    assert propose_usernames(["", "!!"]) == ["reader"]
    for name in propose_usernames(hints):
        check_username(name)
