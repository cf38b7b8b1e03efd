"""A portfolio beside its twin: what agrees, what differs, and why one of both did not trade."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest

from app.domain.backtest.engine import run
from app.domain.backtest.result import BacktestResult
from app.domain.backtest.setup import Setup
from app.domain.backtest.shadow import Compared, compare_trades, dump_compared
from app.domain.backtest.strategies import SmaCross
from app.domain.backtest.tape import prepare
from app.domain.backtest.why import Why
from app.domain.transactions import Entry, TransactionKind
from tests.domain.oracle_bars import bars_of


@pytest.fixture(scope="module")
def twin() -> BacktestResult:
    """A run over a share with a halt on session 30 and a day locked at its upper limit, 31."""
    closes = [10_000.0 + 40 * (n % 24 if n % 48 < 24 else 24 - n % 24) for n in range(90)]
    closes[30], closes[31] = 10_000.0, 13_000.0
    halted = pl.int_range(pl.len()) == 30
    bars = bars_of(closes, "005930.KS").with_columns(
        open=pl.when(~halted).then("open"), volume=pl.when(~halted).then("volume").otherwise(0)
    )
    setup = Setup(volume_cap=None)
    return run(prepare(bars), SmaCross(), {"fast": 3, "slow": 8}, setup)


def entry(day: date, quantity: float, price: float, costs: float = 0.0, **more: object) -> Entry:
    kind = TransactionKind.BUY if quantity > 0 else TransactionKind.SELL
    figures = {"quantity": Decimal(repr(abs(quantity))), "price": Decimal(repr(price))}
    return Entry(kind=kind, day=day, settles_on=day, currency="KRW", symbol="005930.KS",
                 fee=Decimal(repr(costs)), **figures, **more)  # type: ignore[arg-type]  # fmt: skip


def copies(twin: BacktestResult) -> list[Entry]:
    return [
        entry(f["day"], f["quantity"], f["price"], f["fee"] + f["tax"])
        for f in twin.fills.iter_rows(named=True)
    ]


def whys(found: list[Compared]) -> list[Why]:
    return [one.why for one in found]


def test_the_same_trades_are_the_same(twin: BacktestResult) -> None:
    found = compare_trades(copies(twin), twin)
    assert len(found) == len(twin.fills) >= 4
    assert set(whys(found)) == {Why.SAME}
    halves = [replace(one, quantity=one.quantity / 2, fee=one.fee / 2) for one in copies(twin)]
    assert compare_trades(halves + halves, twin) == found
    told = dump_compared(found)[0]
    assert (told["why"], told["twin"]["day"]) == ("SAME", found[0].day)


@pytest.mark.parametrize(
    "change",
    [
        {"price": Decimal(9_990)},
        {"quantity": Decimal(1)},
        {"fee": Decimal(1)},
    ],
)
def test_whatever_differs_is_seen(twin: BacktestResult, change: dict[str, Decimal]) -> None:
    first, *rest = copies(twin)
    found = compare_trades([replace(first, **change), *rest], twin)
    assert whys(found) == [Why.DIFFERENT] + [Why.SAME] * len(rest)


def test_a_trade_some_sessions_later_is_the_same_trade_and_one_much_later_is_not(
    twin: BacktestResult,
) -> None:
    first = copies(twin)[0]
    days = twin.days.to_list()
    at = days.index(first.day)
    (near, *_) = compare_trades([replace(first, day=days[at + 5])], twin)
    assert (near.why, near.day) == (Why.DIFFERENT, first.day)
    far = compare_trades([replace(first, day=days[at + 6])], twin)
    assert len(far) == len(twin.fills) + 1


@pytest.mark.parametrize(
    ("day", "why"),
    [("SATURDAY", Why.NO_BAR), (30, Why.NOT_TRADED), (31, Why.AT_LIMIT), (3, Why.NO_SIGNAL)],
)
def test_what_only_the_portfolio_did_has_its_reason(
    twin: BacktestResult, day: int | str, why: Why
) -> None:
    saturday = next(d for n in range(7) if (d := twin.days[9] + timedelta(days=n)).weekday() == 5)
    when = twin.days[day] if isinstance(day, int) else saturday
    alone = replace(twin, fill_rows=twin.fill_rows[:0])
    (found,) = compare_trades([entry(when, 5, 10_000)], alone)
    assert (found.why, found.twin) == (why, None)


def test_what_only_the_twin_did_and_what_was_taken_back(twin: BacktestResult) -> None:
    one = replace(entry(twin.days[3], 5, 10_000), id=1)
    back = Entry(kind=TransactionKind.BUY, day=one.day, settles_on=one.day, id=2, reverses=1)
    outside = entry(twin.days[0] - timedelta(days=3), 5, 10_000)
    found = compare_trades([one, back, outside], twin)
    assert set(whys(found)) == {Why.NOT_DONE}
    assert all(one.paper is None for one in found)
