"""Booking: what an item says to the database, and the hash that tells requests apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.errors import BadInput
from app.services.portfolio.booking import (
    When,
    check_key,
    entry_item,
    reservation_item,
    reversal_item,
)
from tests.ledgers import DAY, LATER, read

WHEN = When(datetime(2026, 3, 2, tzinfo=UTC), {"KRW": DAY, "USD": DAY})


def test_an_item_carries_figures_as_text():
    item = entry_item(1, "k", read("SELL 2 A @ 50.5 fee 3"), WHEN)
    assert item["lines"][0] == ("CASH", "KRW", "98")
    assert item["entry"]["price"] == "50.5"
    assert item["draws"] is False
    assert "note" not in item
    assert entry_item(1, "k", read("SELL 2 A @ 50", LATER), WHEN)["lines"][0][0] == "UNSETTLED"


def test_equal_requests_have_one_hash_and_others_another():
    base = read("BUY 2 A @ 50")
    hashes = [
        entry_item(portfolio, "k", entry, WHEN)["hash"]
        for portfolio, entry in (
            (1, base),
            (1, replace(base, quantity=Decimal("2.000"), price=Decimal("5E+1"))),
            (2, base),
            (1, replace(base, fee=Decimal(1))),
            (1, replace(base, settles_on=LATER)),
            (1, replace(base, note="x")),
        )
    ]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 5
    assert len(reversal_item(1, "k", 2)["hash"]) == 64


def test_a_reservation_may_draw_and_settles_after_everything():
    item = reservation_item(1, ":o", "KRW", Decimal(5), DAY)
    assert item["draws"] is True
    assert item["entry"]["settles_on"] == "9999-12-31"


def test_keys_of_ours_are_not_for_clients():
    assert check_key("order 7") == "order 7"
    with pytest.raises(BadInput, match="no colon first"):
        check_key(":order:7")
