"""Entries as rows: figures as text without zeros at their end, and one canonical hash."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.services.portfolio.entries import hash_request, write_entry
from tests.ledgers import read


def test_a_row_has_what_is_there_and_no_more():
    row = write_entry(replace(read("BUY 2 A @ 50"), quantity=Decimal("2.50"), id=7, note="x"))
    assert row["quantity"] == "2.5"
    assert row["amount"] == "100"
    assert not {"id", "note", "reverses", "rate", "action"} & set(row)


def test_a_hash_is_of_what_is_meant():
    assert hash_request(1, Decimal("1E+2")) == hash_request(1, Decimal("100.00"))
    assert hash_request(1, Decimal(100)) != hash_request(2, Decimal(100))
    assert hash_request(1, ("a", "b")) == hash_request(1, ["a", "b"]) != hash_request(1, ["b", "a"])
