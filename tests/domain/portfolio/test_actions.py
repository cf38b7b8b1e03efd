"""Splits, bonus and rights issues, spin-offs, mergers, symbol changes, delistings."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.domain.portfolio.book import Problem, Trouble
from app.domain.portfolio.booking import keep_book
from app.domain.transactions import LotMethod
from tests.domain.portfolio.notation import entries

TWO_LOTS = """
    2021-01-04 BUY AAPL 10 x 100 USD
    2021-01-05 BUY AAPL 5 x 120 USD
"""


def book(text, method=LotMethod.FIFO):
    rates = {"USD": Decimal(1_000)}
    return keep_book(entries(text), base="KRW", method=method, rates=lambda c, _: rates.get(c))


def lots(kept, symbol="AAPL"):
    return [(lot.quantity, lot.cost, lot.base_cost) for lot in kept.holdings[symbol].lots]


def test_a_split_multiplies_shares_and_keeps_costs_and_days():
    kept = book(TWO_LOTS + "2021-02-01 SPLIT AAPL 4:1 +45")
    assert lots(kept) == [(40, 1_000, 1_000_000), (20, 600, 600_000)]
    assert [str(lot.opened) for lot in kept.holdings["AAPL"].lots] == ["2021-01-04", "2021-01-05"]
    assert kept.sales == kept.problems == []


def test_the_fraction_of_a_reverse_split_is_sold_for_what_was_paid_for_it():
    kept = book(TWO_LOTS + "2021-02-01 SPLIT AAPL 1:2 -8 amount=110 currency=USD fee=1")
    (sale,) = kept.sales
    assert (sale.quantity, sale.proceeds, sale.cost, sale.gain) == (Decimal("0.5"), 110, 100, 10)
    assert kept.holdings["AAPL"].quantity == 7
    assert lots(kept) == [(Decimal("4.5"), 900, 900_000), (Decimal("2.5"), 600, 600_000)]
    assert kept.cash["USD"].quantity == -1_491


def test_a_fraction_that_was_rounded_up_is_a_gift():
    kept = book(TWO_LOTS + "2021-02-01 SPLIT AAPL 1:2 -7")
    assert kept.holdings["AAPL"].quantity == 8
    assert sum(cost for _, cost, _ in lots(kept)) == 1_600
    assert kept.sales == kept.problems == []


def test_cash_beside_a_split_without_a_fraction_is_a_gain():
    kept = book(TWO_LOTS + "2021-02-01 SPLIT AAPL 1:3 -10 amount=3 currency=USD fee=1 tax=0.5")
    (sale,) = kept.sales
    facts = (sale.day, sale.symbol, sale.currency, sale.quantity, sale.gain, sale.base_gain)
    assert facts == (date(2021, 2, 1), "AAPL", "USD", 0, 3, 3_000)
    assert (sale.fee, sale.tax, sale.entry, sale.lots) == (1, Decimal("0.5"), 3, ())
    assert kept.holdings["AAPL"].quantity == 5


@pytest.mark.parametrize(("added", "by"), [(30, 15), (44, 1), (46, -1)])
def test_a_split_made_for_another_holding_is_named_and_its_quantity_holds(added, by):
    kept = book(TWO_LOTS + f"2021-02-01 SPLIT AAPL 4:1 {added}")
    assert [(p.trouble, p.quantity, p.entry) for p in kept.problems] == [
        (Trouble.SPLIT_MISMATCH, by, 3)
    ]
    assert kept.holdings["AAPL"].quantity == 15 + added
    assert sum(cost for _, cost, _ in lots(kept)) == 1_600


@pytest.mark.parametrize(
    ("action", "shares"),
    [("BONUS AAPL quantity=3", 3), ("SPLIT AAPL 2:1 5", 5), ("DELISTING AAPL quantity=-5", -5)],
)
def test_an_action_on_shares_that_are_not_held_is_named_and_its_cash_kept(action, shares):
    kept = book(f"2021-02-01 {action} amount=7 currency=USD")
    assert kept.problems == [
        Problem(Trouble.NOT_HELD, date(2021, 2, 1), "AAPL", Decimal(shares), 1)
    ]
    assert kept.holdings["AAPL"].currency == "USD"
    assert [(sale.gain, sale.base_gain) for sale in kept.sales] == [(7, 7_000)]
    assert kept.cash["USD"].quantity == 7
    assert kept.holdings["AAPL"].quantity == 0


def test_a_bonus_issue_spreads_the_costs_and_pays_for_fractions():
    kept = book(TWO_LOTS + "2021-02-01 BONUS AAPL quantity=3 amount=4 currency=USD")
    assert lots(kept) == [(12, 1_000, 1_000_000), (6, 600, 600_000)]
    assert [(sale.gain, sale.base_gain) for sale in kept.sales] == [(4, 4_000)]


def test_a_rights_issue_is_a_purchase():
    kept = book(TWO_LOTS + "2021-02-01 RIGHTS AAPL 3 x 80 USD fee=1")
    assert lots(kept)[-1] == (3, 240, 240_000)
    assert [row.amount for row in kept.charges] == [1]


def test_a_spin_off_takes_its_part_of_every_lots_cost():
    kept = book(
        TWO_LOTS
        + "2021-02-01 SPIN_OFF AAPL to NEWC quantity_to=3 cost_share=0.25 amount=2 currency=USD"
    )
    assert lots(kept) == [(10, 750, 750_000), (5, 450, 450_000)]
    assert lots(kept, "NEWC") == [(2, 250, 250_000), (1, 150, 150_000)]
    assert [str(lot.opened) for lot in kept.holdings["NEWC"].lots] == ["2021-01-04", "2021-01-05"]
    assert kept.holdings["NEWC"].currency == "USD"
    assert [(sale.symbol, sale.gain, sale.base_gain) for sale in kept.sales] == [("AAPL", 2, 2_000)]
    assert kept.entries["NEWC"] == [3]


@pytest.mark.parametrize("method", LotMethod)
def test_a_merger_carries_the_costs_over(method):
    kept = book(TWO_LOTS + "2021-02-01 MERGER AAPL to BIGC quantity=-15 quantity_to=30", method)
    assert lots(kept) == []
    assert sum(cost for _, cost, _ in lots(kept, "BIGC")) == 1_600
    assert kept.holdings["BIGC"].quantity == 30
    assert kept.sales == kept.problems == []


def test_the_cash_of_a_merger_lowers_the_cost_that_goes_over():
    kept = book(
        TWO_LOTS
        + "2021-02-01 MERGER AAPL to BIGC quantity=-15 quantity_to=30 amount=400 currency=USD"
    )
    assert lots(kept, "BIGC") == [(20, 750, 750_000), (10, 450, 450_000)]
    (sale,) = kept.sales
    assert (sale.proceeds, sale.cost, sale.gain, sale.base_gain) == (400, 400, 0, 0)


def test_the_cash_of_a_merger_beyond_the_cost_is_a_gain():
    kept = book(
        TWO_LOTS
        + "2021-02-01 MERGER AAPL to BIGC quantity=-15 quantity_to=30 amount=1700 currency=USD"
    )
    assert lots(kept, "BIGC") == [(20, 0, 0), (10, 0, 0)]
    assert [sale.gain for sale in kept.sales] == [100]


def test_a_merger_of_shares_without_cost_gains_all_of_its_cash():
    kept = book("2021-01-04 BUY AAPL 1 x 1 USD amount=0\n2021-02-01 MERGER AAPL to BIGC quantity=-1 quantity_to=1 amount=5 currency=USD")  # fmt: skip
    assert [sale.gain for sale in kept.sales] == [5]


def test_cash_below_a_cost_of_less_than_one_lowers_it():
    kept = book("2021-01-04 BUY AAPL 1 x 0.80 USD\n2021-02-01 MERGER AAPL to BIGC quantity=-1 quantity_to=1 amount=0.20 currency=USD")  # fmt: skip
    assert lots(kept, "BIGC") == [(1, Decimal("0.6"), 600)]


def test_shares_sold_before_they_came_cannot_be_delisted_and_the_payment_is_kept():
    kept = book("2021-01-04 SELL AAPL 2 x 10 USD\n2021-02-01 DELISTING AAPL quantity=-2 amount=6 currency=USD")  # fmt: skip
    assert [(p.trouble, p.quantity) for p in kept.problems] == [
        (Trouble.OVERSOLD, 2),
        (Trouble.OVERSOLD, 2),
    ]
    assert [(sale.quantity, sale.gain, sale.base_gain) for sale in kept.sales] == [(0, 6, 6_000)]
    assert kept.holdings["AAPL"].quantity == -2


def test_a_symbol_change_moves_the_lots():
    kept = book(TWO_LOTS + "2021-02-01 SYMBOL_CHANGE AAPL to APPL quantity=-15 quantity_to=15")
    assert lots(kept) == []
    assert lots(kept, "APPL") == [(10, 1_000, 1_000_000), (5, 600, 600_000)]


def test_a_merger_of_more_than_is_held_is_named():
    kept = book(TWO_LOTS + "2021-02-01 MERGER AAPL to BIGC quantity=-16 quantity_to=30")
    assert [(p.trouble, p.quantity) for p in kept.problems] == [(Trouble.OVERSOLD, 1)]


def test_shares_of_a_merger_join_those_that_are_held():
    kept = book(
        TWO_LOTS
        + "2021-01-06 BUY BIGC 1 x 70 USD\n2021-02-01 MERGER AAPL to BIGC quantity=-15 quantity_to=30",
        LotMethod.AVERAGE,
    )
    assert lots(kept, "BIGC") == [(31, 1_670, 1_670_000)]


@pytest.mark.parametrize(
    ("paid", "gain"), [("", -1_600), (" amount=40 currency=USD tax=1", -1_560)]
)
def test_a_delisting_ends_the_holding_at_its_last_payment(paid, gain):
    kept = book(TWO_LOTS + f"2021-02-01 DELISTING AAPL quantity=-15{paid}")
    (sale,) = kept.sales
    assert (sale.quantity, sale.gain, sale.base_gain) == (15, gain, gain * 1_000)
    assert kept.holdings["AAPL"].quantity == 0
