"""Exports: in pieces of one state, and as one text within bounds."""

from __future__ import annotations

import pytest

from app.domain.records.writing import ExportFormat
from app.domain.transactions import PortfolioKind
from app.errors import NotFound, TooCostly
from app.services.records import record_export
from app.services.records.record_export import export_records, export_text
from tests.ledgers import keep, make_portfolio
from tests.people import make_user


async def test_pieces_are_read_as_they_are_asked_for(env, monkeypatch):
    monkeypatch.setattr(record_export, "PIECE", 2)
    alice = await make_user(env)
    book = await make_portfolio(env, alice, 0, PortfolioKind.TRACKED)
    for amount in range(1, 6):
        await keep(env, alice, book, f"DEPOSIT {amount}")
    pieces = await export_records(env, alice.id, str(book.id), ExportFormat.CSV)
    found = [await anext(pieces), await anext(pieces)]
    await keep(env, alice, book, "DEPOSIT 6")
    found += [piece async for piece in pieces]
    assert [piece.count("DEPOSIT") for piece in found] == [0, 2, 2, 1, 0]
    whole = await export_text(env, alice.id, str(book.id), ExportFormat.CSV)
    assert whole.count("DEPOSIT") == 6


async def test_one_text_has_a_bound(env, monkeypatch):
    monkeypatch.setattr(record_export, "MOST_IN_MEMORY", 1)
    alice = await make_user(env)
    book = await make_portfolio(env, alice, 0, PortfolioKind.TRACKED)
    await keep(env, alice, book, "DEPOSIT 1")
    await export_text(env, alice.id, str(book.id), ExportFormat.JSON)
    await keep(env, alice, book, "DEPOSIT 2")
    with pytest.raises(TooCostly, match=rf"/portfolios/{book.id}/export\.csv"):
        await export_text(env, alice.id, str(book.id), ExportFormat.JSON)


async def test_somebody_elses_portfolio_is_not_there(env):
    alice, charlie = await make_user(env), await make_user(env, "charlie")
    book = await make_portfolio(env, alice, 0, PortfolioKind.TRACKED)
    with pytest.raises(NotFound):
        await export_records(env, charlie.id, str(book.id), ExportFormat.CSV)
