"""A notation for entries: one line each, as somebody would write them down.

    2021-01-04 BUY AAPL 10 x 100.00 USD fee=1.00
    2021-01-04 DEPOSIT 1000000 KRW
    2021-01-05 EXCHANGE 1200000 KRW to 1000 USD
    2021-01-06 SPLIT AAPL 4:1 +30
    2021-01-07 SPIN_OFF AAPL to NEWC quantity_to=5 cost_share=0.2
    2021-01-08 DIVIDEND AAPL 8.20 USD tax=1.23

Lines are numbered from 1: that is the entry's id.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.domain.portfolio.book import Book
from app.domain.transactions import CorporateAction, Entry, TransactionKind

EVERYTHING = """
    2021-01-04 OPENING AAPL 10 x 100 USD fee=1
    2021-01-04 DEPOSIT 1000000 KRW
    2021-01-05 EXCHANGE 500000 KRW to 400 USD fee=100
    2021-01-05 BUY TSLA 2 x 90 USD fee=1
    2021-01-06 SPLIT AAPL 4:1 +30
    2021-01-06 SPLIT TSLA 1:4 -2 amount=40 currency=USD
    2021-01-07 SELL AAPL 5 x 30 USD fee=1 tax=2
    2021-01-08 DIVIDEND AAPL 8 USD tax=1
    2021-01-08 INTEREST 10 KRW tax=1
    2021-01-08 FEE 3 USD
    2021-01-08 TAX 4 KRW
    2021-01-11 BONUS AAPL quantity=5 amount=2 currency=USD
    2021-01-12 RIGHTS AAPL 4 x 20 USD fee=1
    2021-01-13 SPIN_OFF AAPL to NEWC quantity_to=11 cost_share=0.1 amount=3 currency=USD tax=1
    2021-01-14 MERGER NEWC to BIGC quantity=-11 quantity_to=5 amount=7 currency=USD
    2021-01-15 SYMBOL_CHANGE AAPL to APPL quantity=-44 quantity_to=44
    2021-01-18 TRANSFER APPL 6 x 20 USD
    2021-01-18 TRANSFER APPL -2 x 20 USD
    2021-01-18 TRANSFER -30 USD
    2021-01-19 DELISTING BIGC quantity=-5 amount=1 currency=USD
    2021-01-20 WITHDRAWAL 100 KRW
"""
"""Every kind of entry, each of which can be at its place."""

TEXTS = {"symbol", "currency", "symbol_to", "currency_to", "source", "note"}


def entries(text: str) -> list[Entry]:
    """The entries of a text; ids are line numbers, # begins a comment."""
    lines = [line.split("#")[0].strip() for line in text.strip().splitlines()]
    return [entry(line, number) for number, line in enumerate(filter(None, lines), 1)]


def entry(line: str, number: int | None = None) -> Entry:
    """One entry."""
    day, kind, *words = line.split()
    facts = dict(word.split("=") for word in words if "=" in word)
    words = [word for word in words if "=" not in word]
    if kind in CorporateAction.__members__:
        facts["action"], kind = kind, "CORPORATE_ACTION"
    READERS.get(kind, read_money)(facts, words)
    values = {name: read(name, value) for name, value in facts.items()}
    at = date.fromisoformat(day)
    values.setdefault("settles_on", at)
    return Entry(kind=TransactionKind(kind), day=at, id=number, **values)


def read(name: str, value: str):
    if name in TEXTS:
        return value
    if name == "action":
        return CorporateAction(value)
    if name == "settles_on":
        return date.fromisoformat(value)
    return int(value) if name == "reverses" else Decimal(value)


def read_trade(facts: dict[str, str], words: list[str]) -> None:
    symbol, quantity, *rest = words
    facts |= {"symbol": symbol, "quantity": quantity}
    if rest:
        _, price, currency = rest
        amount = Decimal(quantity) * Decimal(price)
        facts |= {"price": price, "currency": currency}
        facts.setdefault("amount", f"{amount:.{0 if currency == 'KRW' else 2}f}")


def read_money(facts: dict[str, str], words: list[str]) -> None:
    *symbol, amount, currency = words
    facts |= {"amount": amount, "currency": currency}
    if symbol:
        facts["symbol"] = symbol[0]


def read_exchange(facts: dict[str, str], words: list[str]) -> None:
    paid, currency, _, got, currency_to = words
    facts |= {"amount": paid, "currency": currency, "amount_to": got, "currency_to": currency_to}


def read_split(facts: dict[str, str], words: list[str]) -> None:
    symbol, ratio, added = words
    numerator, denominator = ratio.split(":")
    facts |= {
        "symbol": symbol,
        "numerator": numerator,
        "denominator": denominator,
        "quantity": added,
    }


def read_action(facts: dict[str, str], words: list[str]) -> None:
    if facts["action"] == "RIGHTS":
        read_trade(facts, words)
        return
    symbol, *rest = words
    facts["symbol"] = symbol
    if "to" in rest:
        facts["symbol_to"] = rest[rest.index("to") + 1]


def read_transfer(facts: dict[str, str], words: list[str]) -> None:
    (read_trade if len(words) == 5 else read_money)(facts, [w for w in words if w])


READERS = {
    "OPENING": read_trade,
    "BUY": read_trade,
    "SELL": read_trade,
    "EXCHANGE": read_exchange,
    "SPLIT": read_split,
    "CORPORATE_ACTION": read_action,
    "TRANSFER": read_transfer,
}


def book_facts(book: Book) -> tuple[object, ...]:
    """All that a book says, as values that can be compared."""
    held = {
        name: (one.quantity, list(one.lots))
        for name, one in (*book.holdings.items(), *book.cash.items())
    }
    rows = (book.sales, book.income, book.charges, book.flows, book.problems)
    return held, *(list(row) for row in rows), book.cash_fx, dict(book.entries), set(book.missing)
