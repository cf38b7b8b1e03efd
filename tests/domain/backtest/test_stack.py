"""A stack has every instrument's own arrays, each of them once, whatever lies beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from app.domain.backtest.engine import compute_sizes
from app.domain.backtest.market import find_scene
from app.domain.backtest.setup import Setup, Size, Sizing
from app.domain.backtest.stack import Stack
from app.domain.backtest.strategies import SmaCross
from app.domain.backtest.strategy import Decision
from app.domain.backtest.surveying import survey
from app.domain.backtest.tape import Tape, prepare
from app.domain.kernels.account import World
from app.domain.kernels.sweeping import CLOSE, FRACTION
from app.errors import BadInput
from tests.domain.backtest.cases import make_case
from tests.domain.oracle_bars import sample, walk

SETUP = Setup(sizing=Sizing(Size.VOLATILITY, 0.2, 5), interest=0.02)


@pytest.fixture(scope="module")
def tapes() -> list[Tape]:
    """Instruments of every kind, each alone."""
    cases = map(make_case, range(40), range(60, 100))
    return [case.tape for case in cases if len(case.tape.symbols) == 1]


def test_every_instrument_has_its_own_arrays(tapes: list[Tape]) -> None:
    flat, spans, agreed = Stack(tapes).lay(SETUP)
    with_events = with_limits = gathered = 0
    for tape, places, terms in zip(tapes, spans, agreed, strict=True):
        scene = find_scene(tape, SETUP)
        own = [values[a:b] for values, (a, b) in zip(flat, places, strict=True)]
        theirs: Any
        for mine, theirs in zip(own, scene.world, strict=False):
            assert mine.dtype == theirs.dtype
            assert np.array_equal(mine, theirs, equal_nan=True)
        sizes = compute_sizes(tape.history, SETUP, Decision(np.zeros((1, 1), dtype=np.int8)))
        assert np.array_equal(own[FRACTION], sizes)
        assert tuple(terms) == scene.terms
        if places[CLOSE, 0] >= 0:
            assert np.array_equal(own[CLOSE], tape.history.columns[0][2])
            gathered += 1
        else:
            assert np.array_equal(tape.history.close, tape.prices["close"])
        with_events += len(scene.world.event_bar) > 0
        with_limits += len(scene.world.upper) > 0
    assert with_events > 0
    assert 0 < with_limits < len(tapes)
    assert 0 < gathered < len(tapes)


def test_what_all_share_is_there_once() -> None:
    ibm, msft = (prepare(walk(symbol, 300, seed=n)) for n, symbol in enumerate(("IBM", "MSFT")))
    flat, spans, _ = Stack([ibm, msft, ibm]).lay(Setup())
    shared = [name for k, name in enumerate(World._fields) if (spans[0, k] == spans[1, k]).all()]
    assert {"period", "dated", "ticks", "bounds"} <= set(shared)
    assert not {"open", "high", "low", "close"} & set(shared)
    assert len(flat[FRACTION]) == 300
    assert len(flat[0]) == 600
    assert (spans[0] == spans[2]).all()


def test_what_was_put_together_is_kept_for_its_setup(tapes: list[Tape]) -> None:
    stack, other = Stack(tapes), Setup(slippage=0.01)
    kept = stack.lay(SETUP)
    assert stack.lay(SETUP) is kept
    first = survey(stack, SmaCross(), {"fast": 2, "slow": 5}, SETUP)
    again = survey(stack, SmaCross(), {"fast": 2, "slow": 5}, other)
    assert not first.equals(again)
    assert first.equals(survey(tapes, SmaCross(), {"fast": 2, "slow": 5}, SETUP))


def test_an_instrument_beside_others_is_no_stack(tapes: list[Tape]) -> None:
    both = prepare(sample().filter(pl.col("symbol").is_in(["IBM", "MSFT"])))
    with pytest.raises(BadInput, match="has 2 instruments; it must have one"):
        Stack([tapes[0], both])
