"""Rows of the pages on data."""

from __future__ import annotations

import pytest

from app.domain.acceptance import Reason
from app.web.trust_listing import (
    exact,
    list_checks,
    list_held,
    list_price_events,
    list_revisions,
    reason_words,
    source_title,
)

WON = {"symbol": "005930.KS", "kind": "EQUITY", "currency": "KRW"}
DOLLAR = {"symbol": "AAPL", "kind": "EQUITY", "currency": "USD"}
VALUES = dict.fromkeys(("open", "high", "low", "close", "adjClose", "volume", "numerator"))
VALUES |= dict.fromkeys(("denominator", "amount", "rate"))


def same(message: str) -> str:
    """English is its own translation."""
    return message


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        ("30.125", 2, "30.125"),
        ("30.1", 2, "30.10"),
        ("70000", 0, "70,000"),
        ("0.0000004", 2, "0.00"),
        ("1E+2", 0, "100"),
        ("-1204", 0, "-1,204"),
        (0.25, 0, "0.25"),
        (None, 2, "\N{EN DASH}"),
    ],
)
def test_a_number_keeps_the_decimals_that_it_has(value, places, text):
    assert exact(value, places) == text


def held(kind: str, **values: str | None):
    row = {"symbol": "AAPL", "kind": kind, "reason": "TOO_LARGE", "source": "yahoo"}
    return row | {"row": VALUES | values, "previous": {"day": "2025-01-06", "close": "100"}}


def figures_of(node) -> list[tuple[str, str]]:
    (row,) = list_held([node], {"AAPL": DOLLAR}, same)
    return [(figure["label"], figure["value"]) for figure in row["figures"]]


def test_a_held_bar_stands_beside_the_close_before():
    bar = held("BAR", open="140", high="151", low="139", close="150", volume="1200")
    assert figures_of(bar) == [
        ("Open", "140.00"),
        ("High", "151.00"),
        ("Low", "139.00"),
        ("Close", "150.00"),
        ("Volume", "1,200"),
        ("Close before", "100.00"),
        ("Change", "+50.00%"),
    ]


def test_a_bar_without_a_close_has_no_distance_and_without_a_bar_before_none_either():
    labels = [label for label, _ in figures_of(held("BAR"))]
    assert labels[-1] == "Close before"
    first = held("BAR", close="150") | {"previous": None}
    assert [label for label, _ in figures_of(first)][-1] == "Volume"


def test_a_held_dividend_is_told_as_a_share_of_the_price_and_a_split_as_shares():
    assert figures_of(held("DIVIDEND", amount="25"))[-1] == ("Share of the price", "25.0%")
    split = figures_of(held("SPLIT", numerator="10", denominator="1"))
    assert split[:2] == [("New shares", "10"), ("Old shares", "1")]


def changed(kind: str, old: dict[str, str], new: dict[str, str] | None):
    known = None if new is None else VALUES | new
    row = {"symbol": "005930.KS", "kind": kind, "source": "yahoo"}
    return row | {"old": VALUES | old, "new": known}


def test_only_the_values_that_differ_are_shown():
    bar = changed("BAR", {"open": "100", "close": "70000"}, {"open": "100", "close": "70100"})
    (row,) = list_revisions([bar], {"005930.KS": WON}, same)
    assert row["changes"] == [{"label": "Close", "old": "70,000", "new": "70,100"}]
    assert not row["gone"]


def test_a_row_that_went_away_shows_what_it_was():
    split = changed("SPLIT", {"numerator": "4", "denominator": "1"}, None)
    (row,) = list_revisions([split], {}, same)
    assert row["gone"]
    assert [(c["label"], c["old"], c["new"]) for c in row["changes"]] == [
        ("New shares", "4", "\N{EN DASH}"),
        ("Old shares", "1", "\N{EN DASH}"),
    ]


def test_a_comparison_names_both_sources_and_the_days_that_differ():
    found = {"day": "2025-01-06", "close": "70000", "other": "35000", "difference": -0.5}
    check = {"symbol": "005930.KS", "source": "yahoo", "other": "krx", "differences": [found]}
    (row,) = list_checks([check], {"005930.KS": WON})
    assert row["pair"].startswith("Yahoo Finance ↔ ")
    assert row["found"] == [
        {"day": "2025-01-06", "close": "70,000", "other": "35,000", "percent": "-50.00%"}
    ]


def test_events_have_the_factor_of_the_prices_before():
    split = {"day": "2020-08-31", "kind": "SPLIT", "numerator": "4", "denominator": "1"}
    split |= {"amount": None, "previousClose": "499.23", "factor": 0.25}
    paid = {"day": "2020-08-07", "kind": "DIVIDEND", "numerator": None, "denominator": None}
    paid |= {"amount": "0.82", "previousClose": None, "factor": None}
    rows = list_price_events([split, paid], DOLLAR, same)
    assert [(row["amount"], row["before"], row["factor"]) for row in rows] == [
        ("4 : 1", "499.23", "\N{MULTIPLICATION SIGN} 0.25"),
        ("0.82", "\N{EN DASH}", "\N{EN DASH}"),
    ]


def test_every_reason_has_a_word():
    assert set(reason_words(same)) == {reason.value for reason in Reason}


def test_a_source_that_is_not_known_keeps_its_name():
    assert source_title("yahoo, other") == "Yahoo Finance, other"
