"""One-time codes: the vectors of RFC 6238 and 4226, and each code once."""

from __future__ import annotations

import pytest

from app.domain.totp import compute_code, enrolment_uri, find_step, show_secret

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238(seconds, code):
    assert compute_code(SECRET, seconds // 30, digits=8) == code


def test_the_vectors_of_rfc_4226():
    codes = [
        "755224",
        "287082",
        "359152",
        "969429",
        "338314",
        "254676",
        "287922",
        "162583",
        "399871",
        "520489",
    ]
    assert [compute_code(SECRET, step) for step in range(10)] == codes


def test_a_code_of_the_step_before_or_after_is_taken_and_no_other():
    steps = {n: find_step(SECRET, compute_code(SECRET, 100 + n), 3000, None) for n in range(-3, 4)}
    assert steps == {-3: None, -2: None, -1: 99, 0: 100, 1: 101, 2: None, 3: None}


def test_a_code_of_a_step_that_was_used_is_worth_nothing():
    code = compute_code(SECRET, 100)
    assert find_step(SECRET, code, 3000, 99) == 100
    assert find_step(SECRET, code, 3000, 100) is None


def test_what_is_no_code_is_none():
    assert find_step(SECRET, "", 3000, None) is None
    assert find_step(SECRET, "12345é", 3000, None) is None


def test_an_authenticator_reads_the_address():
    assert show_secret(SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    uri = enrolment_uri(SECRET, "a b")
    assert uri == f"otpauth://totp/Sise:a%20b?secret={show_secret(SECRET)}&issuer=Sise"
