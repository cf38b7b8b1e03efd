"""Why something is not as it should be, in the reader's language."""

from __future__ import annotations

import pytest

from app.domain.acceptance import Reason
from app.graphql.reasons import said_beside, why_failed, why_not_fresh, why_quarantined

NO_NETWORK = "No network or DNS: the source cannot be reached from here."


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_of_the_quarantine_is_a_sentence_in_both_languages(reason):
    english, korean = why_quarantined(reason, "en"), why_quarantined(reason, "ko")
    assert english.endswith(".")
    assert korean.endswith("다.")


@pytest.mark.parametrize(
    ("detail", "sentence"),
    [
        ("ConnectError: Failed to perform, curl: (6) Could not resolve host: x", NO_NETWORK),
        ("ConnectError: Failed to perform, curl: (7) Failed to connect to x port 443", NO_NETWORK),
        ("ConnectError: [Errno -3] Temporary failure in name resolution", NO_NETWORK),
        ("ConnectError: [Errno 111] Connection refused", NO_NETWORK),
        ("OSError: Network is unreachable", NO_NETWORK),
        ("no answer within 10 s", "The source did not answer in time."),
        ("ReadTimeout: curl: (28) Operation timed out", "The source did not answer in time."),
        ("curl: (60) SSL certificate problem", "No secure connection to the source could be made."),
        ("the answer was 503", "The source answers with an error of its own."),
        ("the answer was 418", "The source does not answer."),
        (None, "The source does not answer."),
    ],
)
def test_a_source_that_is_down_is_told_by_what_the_network_said(detail, sentence):
    assert why_failed("SOURCE_DOWN", detail, "en") == sentence


def test_a_network_that_is_away_is_told_in_korean():
    assert "출처에 연결할 수 없습니다" in (why_failed("SOURCE_DOWN", "curl: (6)", "ko") or "")


@pytest.mark.parametrize(
    "outcome", ["NOT_LISTED", "NO_DATA", "RATE_LIMITED", "BAD_PAYLOAD", "HELD"]
)
def test_every_other_outcome_has_a_sentence(outcome):
    assert (why_failed(outcome, "x", "en") or "").endswith(".")
    assert why_failed(outcome, "x", "ko") != why_failed(outcome, "x", "en")


@pytest.mark.parametrize(
    ("outcome", "detail", "beside"),
    [
        ("NOT_LISTED", "The source has no such symbol.", None),
        (
            "NOT_LISTED",
            "The source has no such symbol. (krx: the answer was 503)",
            "krx: the answer was 503",
        ),
        ("RATE_LIMITED", "The source asks to wait 60 s.", None),
        ("LATE", "The source does not have 2025-01-17 yet.", None),
        ("TIMEOUT", "It took longer than 30 s.", None),
        ("KILLED", "The worker ended during each of 5 tries.", None),
        ("SOURCE_DOWN", "curl: (6)", "curl: (6)"),
        ("INCOMPLETE", "incomplete: a price is missing", None),
        ("STALE_REPEAT", "no volume, and every price is the close before", None),
        (
            "BEYOND_LIMIT",
            "+45.8% in a session; the limit is 30%",
            "+45.8% in a session; the limit is 30%",
        ),
        ("STRANGE", "what was said", None),
        (None, None, None),
    ],
)
def test_nothing_is_said_twice(outcome, detail, beside):
    assert said_beside(outcome, detail) == beside


def test_what_has_no_sentence_is_told_as_it_is():
    assert why_failed("STRANGE", "what was said", "en") == "what was said"
    assert why_failed(None, None, "en") is None


def test_a_day_is_missing_because_its_row_is_held_or_the_collection_failed():
    assert why_not_fresh("INCOMPLETE", "x", "en") == "A price of the session is missing."
    assert why_not_fresh("SOURCE_DOWN", "curl: (6)", "en") == NO_NETWORK
    assert why_not_fresh(None, None, "en") is None
