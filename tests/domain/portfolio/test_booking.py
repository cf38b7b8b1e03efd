"""Booking: every kind of entry, late ones and reversals, an oracle, and the identity of the book."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.portfolio.book import Problem, Trouble
from app.domain.portfolio.booking import extend_book, in_order, keep_book
from app.domain.portfolio.lots import PRECISE, total_base
from app.domain.transactions import Entry, LotMethod, TransactionKind
from tests.domain.portfolio.notation import book_facts, entries, entry
from tests.domain.portfolio.oracle_book import Oracle

START = date(2021, 1, 4)


def won_per_dollar(_currency, day):
    """A rate for every day, never the same twice in a row."""
    return Decimal(1_100 + (day - START).days % 97) + Decimal("0.37")


def book(text, method=LotMethod.FIFO, base="KRW"):
    return keep_book(entries(text), base=base, method=method, rates=won_per_dollar)


def cash(kept):
    return {currency: pool.quantity for currency, pool in kept.cash.items()}


@pytest.mark.parametrize(
    ("line", "moved"),
    [
        ("DEPOSIT 100 USD", "100"),
        ("WITHDRAWAL 100 USD", "-100"),
        ("BUY AAPL 10 x 10 USD fee=1", "-101"),
        ("SELL AAPL 10 x 10 USD fee=1 tax=2", "97"),
        ("DIVIDEND AAPL 10 USD tax=1.5", "8.5"),
        ("INTEREST 10 USD tax=1.5", "8.5"),
        ("INTEREST -10 USD", "-10"),
        ("FEE 3 USD", "-3"),
        ("FEE -3 USD", "3"),
        ("TAX 3 USD", "-3"),
        ("TRANSFER 50 USD", "50"),
        ("TRANSFER -50 USD fee=1", "-51"),
        ("RIGHTS AAPL 10 x 5 USD fee=1", "-51"),
        ("OPENING AAPL 10 x 5 USD", None),
        ("TRANSFER AAPL 10 x 5 USD", None),
    ],
)
def test_what_each_kind_does_to_cash(line, moved):
    kept = book(f"2021-01-04 {line}")
    assert cash(kept) == ({} if moved is None else {"USD": Decimal(moved)})


def test_income_is_net_and_names_what_was_withheld():
    kept = book("2021-01-04 DIVIDEND AAPL 10 USD tax=1.5\n2021-01-05 INTEREST -2 USD fee=1")
    dividend, interest = kept.income
    assert (dividend.amount, dividend.withheld, dividend.symbol, dividend.entry) == (Decimal("8.5"), Decimal("1.5"), "AAPL", 1)  # fmt: skip
    assert dividend.base == Decimal("8.5") * Decimal("1100.37")
    assert [row.kind for row in kept.income] == [TransactionKind.DIVIDEND, TransactionKind.INTEREST]
    assert (interest.amount, interest.withheld) == (-3, 1)
    assert kept.charges == []


def test_charges_are_fees_and_taxes_of_everything_else():
    kept = book(
        """
        2021-01-04 BUY AAPL 10 x 10 USD fee=1
        2021-01-04 FEE 3 USD
        2021-01-04 TAX -2 USD
        2021-01-04 EXCHANGE 110000 KRW to 99 USD fee=500
        """
    )
    assert [(row.currency, row.amount) for row in kept.charges] == [
        ("USD", 1), ("USD", 3), ("USD", -2), ("KRW", 500),
    ]  # fmt: skip


def test_flows_are_what_came_in_and_went_out():
    kept = book(
        """
        2021-01-04 DEPOSIT 100 USD
        2021-01-04 WITHDRAWAL 30 USD
        2021-01-04 TRANSFER -20 USD
        2021-01-04 OPENING AAPL 10 x 5 USD
        2021-01-04 TRANSFER AAPL 10 x 7 USD
        2021-01-04 TRANSFER AAPL -15 x 6 USD
        """
    )
    assert [row.amount for row in kept.flows] == [100, -30, -20, 50, 70, -85]
    assert [row.quantity for row in kept.flows][3:] == [10, 10, -15]
    assert kept.sales == []
    assert kept.holdings["AAPL"].quantity == 5
    assert [lot.cost for lot in kept.holdings["AAPL"].lots] == [35]


def test_more_shares_than_held_cannot_leave():
    kept = book("2021-01-04 OPENING AAPL 10 x 5 USD\n2021-01-05 TRANSFER AAPL -12 x 5 USD")
    assert kept.problems == [Problem(Trouble.OVERSOLD, date(2021, 1, 5), "AAPL", Decimal(2), 2)]
    assert kept.holdings["AAPL"].quantity == 0


def test_flows_without_a_rate_have_no_value_in_the_portfolios_currency():
    text = "2021-01-04 OPENING AAPL 10 x 5 USD\n2021-01-05 TRANSFER AAPL -4 x 5 USD\n2021-01-05 DEPOSIT 7 USD"
    kept = keep_book(entries(text), base="KRW", rates=lambda *_: None)
    assert [(row.amount, row.base) for row in kept.flows] == [(50, None), (-20, None), (7, None)]
    known = book(text)
    assert [row.base / row.amount for row in known.flows] == [
        Decimal("1100.37"), Decimal("1100.37"), Decimal("1101.37"),
    ]  # fmt: skip


def test_shares_without_a_currency_take_that_of_their_market():
    kept = book("2021-01-04 TRANSFER AAPL quantity=10 symbol=AAPL 0 USD")
    facts = {"kind": TransactionKind.TRANSFER, "day": START, "settles_on": START}
    bare = keep_book(
        [Entry(**facts, symbol=one, quantity=Decimal(1)) for one in ("AAPL", "005930.KS")],
        base="KRW",
        rates=won_per_dollar,
    )
    assert bare.holdings["AAPL"].currency == kept.holdings["AAPL"].currency == "USD"
    assert [row.currency for row in bare.flows] == ["USD", "KRW"]


def test_exchanges_gain_what_the_rate_has_moved_since_the_dollars_came():
    kept = book(
        """
        2021-01-04 DEPOSIT 2000000 KRW
        2021-01-04 EXCHANGE 1200000 KRW to 1000 USD
        2021-01-05 EXCHANGE 500 USD to 650000 KRW
        """
    )
    assert cash(kept) == {"KRW": 1_450_000, "USD": 500}
    assert kept.cash_fx == 50_000
    assert [(lot.opened, lot.entry) for lot in kept.cash["USD"].lots] == [(date(2021, 1, 4), 2)]
    assert kept.cash["USD"].currency == "USD"
    assert total_base(kept.cash["USD"].lots) == 600_000


def test_an_exchange_between_two_foreign_currencies_goes_by_the_rate():
    text = "2021-01-04 EXCHANGE 100 USD to 90 EUR"
    assert total_base(book(text).cash["EUR"].lots) == Decimal("110037.00")
    unknown = keep_book(entries(text), base="KRW", rates=lambda *_: None)
    assert {c: total_base(pool.lots) for c, pool in unknown.cash.items()} == {
        "USD": None,
        "EUR": None,
    }
    assert ("USD", START) in unknown.missing


def test_a_late_entry_counts_from_its_day():
    in_time = """
        2021-01-04 BUY AAPL 10 x 100 USD
        2021-01-05 BUY AAPL 10 x 120 USD
        2021-01-06 SELL AAPL 10 x 130 USD
    """
    late = """
        2021-01-05 BUY AAPL 10 x 120 USD
        2021-01-06 SELL AAPL 10 x 130 USD
        2021-01-04 BUY AAPL 10 x 100 USD
    """
    assert (
        [sale.gain for sale in book(in_time).sales]
        == [sale.gain for sale in book(late).sales]
        == [300]
    )


def test_a_reversed_entry_has_never_been():
    kept = book(
        """
        2021-01-04 BUY AAPL 10 x 100 USD fee=1
        2021-01-05 BUY AAPL 10 x 120 USD
        2021-01-09 BUY AAPL 10 x 100 USD fee=1 reverses=1
        """
    )
    assert kept.holdings["AAPL"].quantity == 10
    assert [lot.entry for lot in kept.holdings["AAPL"].lots] == [2]
    assert cash(kept) == {"USD": -1_200}
    assert kept.charges == []


def test_a_split_comes_before_the_trades_of_its_day_whenever_it_was_written():
    written = entries("2021-01-05 BUY AAPL 1 x 25 USD\n2021-01-05 SPLIT AAPL 4:1 +30\n2021-01-04 BUY AAPL 10 x 100 USD")  # fmt: skip
    assert [one.id for one in in_order(written)] == [3, 2, 1]
    kept = keep_book(written, base="USD", rates=won_per_dollar)
    assert kept.holdings["AAPL"].quantity == 41
    assert kept.problems == []


SYMBOLS = st.sampled_from(["AAPL", "005930.KS"])
DAYS = st.integers(0, 40).map(lambda n: START + timedelta(days=n))
SPLITS = [("2", "1"), ("3", "2"), ("1", "2"), ("4", "1")]


def histories():
    """Entries that a strict portfolio could hold: nothing is oversold at any time."""
    return drawn().map(as_booked).filter(bool)


@st.composite
def drawn(draw):
    made, held = [], {}
    days = sorted(draw(st.lists(DAYS, min_size=3, max_size=25)))
    for number, day in enumerate(days, 1):
        symbol = draw(SYMBOLS)
        currency = "USD" if symbol == "AAPL" else "KRW"
        amount = draw(st.integers(100, 10**6))
        amount = f"{amount / 100:.2f}" if currency == "USD" else str(amount)
        have = held.get(symbol, Decimal(0))
        what = draw(
            st.sampled_from(["BUY", "BUY", "SELL", "SELL", "SPLIT", "MONEY", "EXCHANGE", "RIGHTS"])
        )
        if what in {"BUY", "RIGHTS"}:
            quantity = Decimal(draw(st.integers(1, 500)))
            held[symbol] = have + quantity
            line = f"{what} {symbol} {quantity} x 1 {currency} amount={amount} fee=1"
        elif what == "SELL" and have:
            quantity = (
                have if draw(st.booleans()) else Decimal(draw(st.integers(1, int(have) or 1)))
            )
            quantity = min(quantity, have)
            held[symbol] = have - quantity
            line = f"SELL {symbol} {quantity} x 1 {currency} amount={amount} fee=1 tax=2"
        elif what == "SPLIT" and have:
            up, down = draw(st.sampled_from(SPLITS))
            held[symbol] = have * Decimal(up) / Decimal(down)
            line = f"SPLIT {symbol} {up}:{down} {held[symbol] - have}"
        elif what == "EXCHANGE":
            line = f"EXCHANGE {draw(st.integers(10**4, 10**7))} KRW to {amount} USD fee=10"
        else:
            kind = draw(st.sampled_from(["DEPOSIT", "WITHDRAWAL", "INTEREST", "FEE", "TAX"]))
            line = f"{kind} {amount} {currency}"
        made.append(entry(f"{day} {line}", number))
    return made


def as_booked(history):
    """Only splits of a day that come first: the generator writes them in the order that counts."""
    seen, kept = set(), []
    for one in history:
        if one.kind is TransactionKind.SPLIT or one.action is not None:
            if one.day in seen:
                return None
        elif one.symbol is not None:
            seen.add(one.day)
        kept.append(one)
    return kept


@settings(max_examples=200, deadline=None)
@given(
    history=histories(),
    method=st.sampled_from(LotMethod),
    order=st.randoms(),
)
def test_the_book_agrees_with_an_independent_ledger_in_fractions(history, method, order):
    oracle = Oracle(method, "KRW", won_per_dollar)
    for one in history:
        oracle.take(one)
    shuffled = list(history)
    order.shuffle(shuffled)
    kept = keep_book(shuffled, base="KRW", rates=won_per_dollar, method=method)
    near = Decimal("1e-15")
    assert {c: q for c, q in cash(kept).items() if q} == {c: q for c, q in oracle.cash.items() if q}
    for symbol, holding in kept.holdings.items():
        assert abs(holding.quantity - as_decimal(oracle.held(symbol))) < near
        own, base = oracle.cost(symbol)
        assert abs(sum(lot.cost for lot in holding.lots) - as_decimal(own)) < near
        assert abs(total_base(holding.lots) - as_decimal(base)) < near * 1000
        if not holding.quantity:
            assert not holding.lots
    gains = [(sale.entry, sale.gain, sale.base_gain) for sale in kept.sales]
    for (number, gain, base_gain), (id_, own, base) in zip(gains, oracle.gains, strict=True):
        assert number == id_
        assert abs(gain - as_decimal(own)) < near
        assert abs(base_gain - as_decimal(base)) < near * 1000


@settings(max_examples=100, deadline=None)
@given(history=histories(), method=st.sampled_from(LotMethod), cut=st.integers(0, 24))
def test_a_book_that_goes_on_is_the_one_that_was_kept_at_once(history, method, cut):
    known, fresh = history[:cut], history[cut:]
    begun = keep_book(known, base="KRW", rates=won_per_dollar, method=method)
    before = book_facts(begun)
    try:
        extended = extend_book(begun, known, fresh, won_per_dollar)
    except ValueError:
        early = [e for e in fresh if known and e.day == known[-1].day]
        assert any(e.kind is TransactionKind.SPLIT or e.action is not None for e in early)
    else:
        whole = keep_book(history, base="KRW", rates=won_per_dollar, method=method)
        assert book_facts(extended) == book_facts(whole)
    assert book_facts(begun) == before


def test_a_book_that_goes_on_keeps_what_it_lacks_to_itself():
    known, fresh = entries("2021-01-04 DEPOSIT 5 USD\n2021-01-05 DEPOSIT 7 USD")
    begun = keep_book([known], base="KRW", rates=lambda *_: None)
    extended = extend_book(begun, [known], [fresh], lambda *_: None)
    assert begun.missing == {("USD", date(2021, 1, 4))}
    assert extended.missing == {("USD", date(2021, 1, day)) for day in (4, 5)}


def test_what_belongs_among_the_others_or_undoes_one_is_not_added():
    known = entries("2021-01-05 BUY AAPL 10 x 100 USD")
    begun = keep_book(known, base="KRW", rates=won_per_dollar)
    for late in (
        entry("2021-01-04 DEPOSIT 5 USD", 2),
        replace(entry("2021-01-06 BUY AAPL 10 x 100 USD", 2), reverses=1),
        entry("2021-01-05 SPLIT AAPL 4:1 +30", 2),
    ):
        with pytest.raises(ValueError, match="transaction 2 does not come after"):
            extend_book(begun, known, [late], won_per_dollar)


def as_decimal(fraction):
    return PRECISE.divide(Decimal(fraction.numerator), Decimal(fraction.denominator))


@settings(max_examples=100, deadline=None)
@given(
    history=histories(),
    method=st.sampled_from(LotMethod),
    rate=st.integers(900, 1_600),
    data=st.data(),
)
def test_value_is_flows_and_gains_and_income_less_charges_exactly(history, method, rate, data):
    kept = keep_book(history, base="KRW", rates=won_per_dollar, method=method)
    prices = {symbol: Decimal(data.draw(st.integers(1, 500_000))) / 100 for symbol in kept.holdings}
    rates = {"KRW": Decimal(1), "USD": Decimal(rate)}
    with localcontext(PRECISE):
        value = unrealised = Decimal(0)
        for symbol, holding in kept.holdings.items():
            worth = holding.quantity * prices[symbol] * rates[holding.currency]
            value, unrealised = value + worth, unrealised + worth - total_base(holding.lots)
        for currency, pool in kept.cash.items():
            worth = pool.quantity * rates[currency]
            value, unrealised = value + worth, unrealised + worth - total_base(pool.lots)
        booked = kept.cash_fx + sum(sale.base_gain for sale in kept.sales)
        booked += sum(row.base for row in (*kept.flows, *kept.income))
        booked -= sum(row.base for row in kept.charges)
        assert value == booked + unrealised
