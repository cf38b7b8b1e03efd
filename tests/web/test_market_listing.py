"""Rows of the page on trading days: two clocks, words, corrections put together."""

from __future__ import annotations

import pytest

from app.web.market_listing import (
    SEOUL,
    YORK,
    draft_of,
    hours_text,
    list_days,
    list_overrides,
    weekday,
)


def day(
    note: str = "USUAL", opens: str | None = "14:30", closes: str = "21:00"
) -> dict[str, object]:
    return {
        "day": "2026-11-19",
        "openAt": opens and f"2026-11-19T{opens}:00Z",
        "closeAt": opens and f"2026-11-19T{closes}:00Z",
        "note": note,
        "reason": None,
    }


def override(mic: str = "XNYS", **changes: object) -> dict[str, object]:
    row = {
        "mic": mic,
        "day": "2026-11-19",
        "closed": False,
        "openAt": "2026-11-19T14:30:00Z",
        "closeAt": "2026-11-19T18:00:00Z",
        "reason": "Storm",
        "active": True,
        "editedAt": "2026-11-01T00:00:00Z",
        "shipped": False,
        "confirmed": True,
    }
    return row | changes


def dashed(text: str) -> str:
    return text.replace("--", "\N{EN DASH}")


def test_hours_are_told_on_both_clocks_with_the_date_where_it_is_another():
    assert hours_text(day(), YORK) == dashed("09:30--16:00")
    assert hours_text(day(), SEOUL) == dashed("23:30--06:00 (+1)")
    assert hours_text(day(opens="00:00", closes="06:30"), YORK) == dashed("19:00 (-1)--01:30")
    assert hours_text(day("CLOSED", None), YORK) == dashed("--")


@pytest.mark.parametrize(
    ("note", "word"),
    [
        ("USUAL", None),
        ("SHORT", "Half day"),
        ("LATE", "Opens late"),
        ("OTHER", "Other hours"),
        ("EXTRA", "Extra session"),
        ("CLOSED", "Closed"),
    ],
)
def test_what_is_unusual_is_said(note, word):
    (row,) = list_days([day(note)], YORK, SEOUL, "en", str)
    assert (row["word"], row["weekday"]) == (word, "Thu")


def test_weekdays_are_in_the_language_of_the_reader():
    assert weekday("2026-11-19", "ko") == "목"


def test_the_us_markets_that_say_the_same_are_one_row():
    (row,) = list_overrides([override(mic) for mic in ("XNYS", "XNAS", "ARCX")], "en", str)
    assert (row["which"], row["edit"], row["market"]) == (None, "US", "US")
    assert row["hours"] == dashed("09:30--13:00")
    (part,) = list_overrides([override("XNYS"), override("XNAS")], "en", str)
    assert (part["which"], part["edit"]) == ("XNYS, XNAS", "XNYS")
    two = list_overrides([override("XNYS"), override("XNAS", closed=True, openAt=None)], "en", str)
    assert [row["hours"] for row in two] == [dashed("09:30--13:00"), "Closed"]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "OWN"),
        ({"active": False}, "WITHDRAWN"),
        ({"editedAt": None, "shipped": True}, "SHIPPED"),
        ({"editedAt": None, "shipped": True, "confirmed": False}, "OPEN"),
    ],
)
def test_a_correction_says_whose_it_is(changes, state):
    (row,) = list_overrides([override("XKRX", **changes)], "en", str)
    assert row["state"] == state


def test_the_form_is_filled_with_a_correction_on_the_markets_clock():
    assert draft_of(override()) == {
        "mics": "XNYS",
        "day": "2026-11-19",
        "closed": False,
        "opens": "09:30",
        "closes": "13:00",
        "reason": "Storm",
    }
    assert draft_of(override(closed=True, openAt=None, closeAt=None))["opens"] == ""
