"""The engine against the event loop in plain Python, on random paths; and mutants of each rule."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.backtest.engine import play, run
from app.domain.backtest.market import find_scene
from app.domain.backtest.setup import Setup, Size, Sizing
from app.domain.backtest.strategies import SmaCross
from app.domain.backtest.strategy import Decision
from app.domain.backtest.tape import prepare
from app.domain.kernels import account, trading
from app.domain.kernels.account import EXPOSED, FILLS, TRIPS, Plan, make_room
from app.errors import BadInput
from tests.domain.backtest.cases import Case, make_case
from tests.domain.backtest.mutants import MUTANTS, Mutant, plain
from tests.domain.backtest.oracle import Oracle
from tests.domain.oracle_bars import walk

CLOSE_ENOUGH = 1e-9


def difference(case: Case, fills: Any, trips: Any, equity: Any, exposed: float) -> str | None:
    """What the oracle says otherwise, or None."""
    oracle = Oracle(case.tape, case.setup, case.side, case.size)
    theirs = np.array([fill[:6] for fill in oracle.fills]).reshape(-1, 6)
    if len(fills) != len(theirs):
        return f"{len(fills)} fills, not {len(theirs)}"
    if not np.allclose(fills[:, :6], theirs, rtol=CLOSE_ENOUGH, atol=1e-7):
        row = int(np.argmax(~np.isclose(fills[:, :6], theirs, rtol=CLOSE_ENOUGH, atol=1e-7).all(1)))
        return f"fill {row}: {fills[row]}, not {theirs[row]}"
    if not np.allclose(equity, oracle.equity, rtol=CLOSE_ENOUGH, atol=1e-6):
        bar = int(np.argmax(~np.isclose(equity, oracle.equity, rtol=CLOSE_ENOUGH, atol=1e-6)))
        return f"equity of session {bar}: {equity[bar]}, not {oracle.equity[bar]}"
    ended = np.array(oracle.trips).reshape(-1, 6)
    if len(trips) != len(ended) or not np.allclose(
        trips[:, [0, 1, 2, 3, 7, 8]], ended, rtol=CLOSE_ENOUGH, atol=1e-5
    ):
        return f"round trips: {trips[:, [0, 1, 2, 3, 7, 8]]}, not {ended}"
    return None if exposed == oracle.exposed else f"{exposed} sessions held, not {oracle.exposed}"


def engine_difference(seed: int) -> str | None:
    case = make_case(seed)
    got = play(case.tape, "random", {}, case.setup, Decision(case.side, size=case.size))
    exposed = round(got.exposure * len(got.equity))
    return difference(case, got.fill_rows, got.trip_rows, got.equity, exposed)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
@example(402_506)  # a float's noise is left of the cash: it buys nothing
@example(149_431_141)  # 0.15 % of 4,997,333 1/3 is 7,496, not a float less
@example(3_554_545_696)  # 0.000119 on 20,000/7 shares are 0.34, not a float more
def test_the_engine_trades_as_the_event_loop(seed: int) -> None:
    assert engine_difference(seed) is None


@pytest.mark.long
@settings(max_examples=1_000, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_engine_trades_as_the_event_loop_on_a_thousand_paths(seed: int) -> None:
    assert engine_difference(seed) is None


def test_what_is_traded_since_a_day_looks_back_upon_the_days_before() -> None:
    tape = prepare(walk("AAPL", 400, seed=4))
    since, values = tape.days[200], {"fast": 5, "slow": 20}
    sizing = Sizing(Size.VOLATILITY, 0.2)
    setup = Setup(cash=Decimal(10_000), volume_cap=None, sizing=sizing)
    whole, got = (run(tape, SmaCross(), values, setup, since=day) for day in (None, since))
    assert (got.days[0], len(got.days)) == (since, 200)
    assert np.array_equal(got.decision.side, whole.decision.side[200:])
    assert np.array_equal(got.size, whole.size[200:])
    assert got.equity[0] == 10_000
    again = play(tape.window(200, 400), "", {}, setup, Decision(got.decision.side, size=got.size))
    assert np.array_equal(got.equity, again.equity)
    first = run(tape, SmaCross(), values, setup, since=tape.days[0])
    assert np.array_equal(first.equity, whole.equity)
    with pytest.raises(BadInput, match="no prices since"):
        run(tape, SmaCross(), values, setup, since=tape.days[-1] + timedelta(days=1))


def mutant_difference(mutant: Mutant, seeds: range) -> int | None:
    """The first seed on which a changed loop trades otherwise than the oracle."""
    loop = plain(mutant)
    for seed in seeds:
        case = make_case(seed)
        scene = find_scene(case.tape, case.setup)
        claims, exits = len(case.tape.dividends), np.array(case.setup.exits.numbers)
        room = make_room(case.side.shape, claims, 5_000, exits)
        with np.errstate(all="ignore"):
            loop.trade(scene.world, scene.terms, Plan(case.side, case.size), room)
        account = room.account
        fills, trips = room.fills[: int(account[FILLS])], room.trips[: int(account[TRIPS])]
        if difference(case, fills, trips, room.equity, account[EXPOSED]):
            return seed
    return None


def test_the_loop_in_plain_python_trades_as_the_oracle() -> None:
    assert mutant_difference(Mutant("none", "def trade(", "def trade("), range(15)) is None


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_rule_is_noticed(mutant: Mutant) -> None:
    assert mutant_difference(mutant, range(1_000, 1_400)) is not None


def test_what_is_kept_on_disk_is_renewed_when_what_it_uses_changes() -> None:
    """Numba looks at the file of a function alone; ours use functions of other files."""
    stat = Path(account.__file__).stat()
    stamp = trading.trade._cache._cache_file._source_stamp
    assert stamp[1:] == ((stat.st_mtime, stat.st_size),)
