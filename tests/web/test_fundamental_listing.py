"""Fundamentals in words: units, dashes, what was refused."""

from __future__ import annotations

import pytest

from app.web.formats import NONE as NONE_SHOWN
from app.web.fundamental_listing import list_fundamentals

NONE = dict.fromkeys(
    (
        "marketCap",
        "totalDebt",
        "trailingPe",
        "forwardPe",
        "priceToBook",
        "returnOnEquity",
        "dividendYield",
        "grossMargin",
        "operatingMargin",
        "netMargin",
        "debtToEquity",
    )
)
TOLD = NONE | {"currency": "USD", "statementCurrency": None, "refused": []}


def same(text: str) -> str:
    return text


def values(locale="en", **told):
    return {f.label: f.value for f in list_fundamentals(TOLD | told, locale, same)}


def test_without_a_snapshot_there_are_no_figures():
    assert list_fundamentals(None, "en", same) == []


def test_what_is_not_known_is_a_dash():
    assert set(values().values()) == {NONE_SHOWN}


@pytest.mark.parametrize(
    ("locale", "market", "debt"), [("en", "$3.0T", "₩17.5T"), ("ko", "US$3.0조", "₩17.5조")]
)
def test_amounts_name_their_currencies(locale, market, debt):
    told = {"marketCap": "3012345678912", "totalDebt": "17450000000000.5"}
    found = values(locale, **told, statementCurrency="KRW")
    assert (found["Market value"], found["Debt"]) == (market, debt)
    assert values(locale, totalDebt="120")["Debt"] == "120"


def test_fractions_are_percentages_and_multiples_are_not():
    found = values(trailingPe=31.25, netMargin=-0.31015, returnOnEquity=1.4994, forwardPe=-12.5)
    assert (found["P/E"], found["Expected P/E"]) == ("31.25", "-12.50")
    assert (found["Net margin"], found["Return on equity"]) == ("-31.02%", "149.94%")


def test_what_was_refused_is_marked():
    (refused,) = [
        f for f in list_fundamentals(TOLD | {"refused": ["netMargin"]}, "en", same) if f.refused
    ]
    assert (refused.label, refused.value) == ("Net margin", NONE_SHOWN)
