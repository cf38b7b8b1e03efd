"""The address of a ledger's page: what it says, and where its links lead."""

from __future__ import annotations

from app.web.transaction_view import TransactionView, read_transaction_view


def test_what_differs_from_the_default_stands_in_the_query():
    assert read_transaction_view({}).query() == ""
    view = read_transaction_view(
        {"kind": "BUY", "symbol": "aapl ", "sort": "amount", "order": "up"}
    )
    assert view == TransactionView("AAPL", "BUY", "AMOUNT", "up")
    assert view.query(after="x") == "symbol=AAPL&kind=BUY&sort=AMOUNT&order=up&after=x"
    assert view.variables() == {
        "symbol": "AAPL",
        "kind": "BUY",
        "sort": "AMOUNT",
        "ascending": True,
    }


def test_what_means_nothing_is_passed_over():
    odd = {"kind": "GOLD", "sort": "COLOUR", "order": "sideways", "other": "1"}
    assert read_transaction_view(odd) == TransactionView()


def test_a_head_sorts_by_its_column_and_turns_it_when_it_is_sorted_already():
    view = TransactionView(kind="BUY", after="x")
    assert view.sorted_by("DAY") == "?kind=BUY&order=up"
    assert view.sorted_by("AMOUNT") == "?kind=BUY&sort=AMOUNT"
    assert view.sorted_by("KIND") == "?kind=BUY&sort=KIND&order=up"
    turned = TransactionView(sort="AMOUNT", order="up")
    assert turned.sorted_by("AMOUNT") == "?sort=AMOUNT"
    assert [turned.direction(c) for c in TransactionView.SORTS] == ["none", "none", "ascending"]
    assert TransactionView().direction("DAY") == "descending"
