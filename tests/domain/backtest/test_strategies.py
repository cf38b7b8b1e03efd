"""The built-in strategies decide as their words say."""

from __future__ import annotations

import numpy as np
import polars as pl

from app.domain.backtest.strategies import STRATEGIES
from app.domain.backtest.strategy import check_values
from app.domain.backtest.tape import Tape, prepare
from app.domain.indicators import compute_daily
from app.domain.signal_series import INPUTS
from tests.domain.oracle_bars import sample, walk
from tests.domain.plain_signals import plain_level, plain_votes


def decide(key: str, tape: Tape, **values: float):
    strategy = STRATEGIES[key]
    return strategy.decide(tape.history, check_values(strategy, values))


def test_every_strategy_has_a_key_words_and_defaults_that_it_takes() -> None:
    assert len(STRATEGIES) == 11
    for key, strategy in STRATEGIES.items():
        assert strategy.key == key
        assert strategy.name
        assert strategy.description.endswith(".")
        check_values(strategy, {p.name: p.default for p in strategy.parameters})


def test_the_fused_signal_is_the_products_own() -> None:
    bars = sample().filter(pl.col("symbol") == "IBM")[-800:]
    tape = prepare(bars)
    daily = compute_daily(tape.history.frame)
    rsi, slow_k, histogram = (daily[name].to_list() for name in INPUTS)
    levels = [
        plain_level(plain_votes(rsi[t], slow_k[t], histogram[max(0, t - 3) : t + 1])) or 0
        for t in range(daily.height)
    ]
    for strong, enough in ((True, 2), (False, 1)):
        side, wanted = 0, []
        for level in levels:
            if level >= enough:
                side = 1
            elif level < 0:
                side = 0
            wanted.append(side)
        got = decide("fused_signal", tape, strong_only=strong).side[:, 0]
        assert got.tolist() == wanted
        assert 0 < sum(wanted) < len(wanted)


def test_momentum_holds_the_best_rising_ones_and_ranks_now_and_then() -> None:
    bars = pl.concat([walk(symbol, 120, seed=n) for n, symbol in enumerate("ABCDE")])
    tape = prepare(bars)
    got = decide("momentum", tape, window=20, skip=5, every=10, top=2)
    close = tape.history.close
    assert not got.side[:20].any()
    for t in range(20, 120):
        if (t - 20) % 10:
            assert (got.side[t] == got.side[t - 1]).all()
        else:
            rank = close[t - 5] / close[t - 20] - 1
            best = [k for k in np.argsort(-rank)[:2] if rank[k] > 0]
            assert sorted(np.flatnonzero(got.side[t]).tolist()) == sorted(best)
    assert got.slots == 2


def test_rsi_reversion_buys_low_and_sells_high() -> None:
    tape = prepare(walk("A", 300, seed=4))
    got = decide("rsi_reversion", tape, window=2, buy_below=10, sell_above=60, short=False)
    rsi, side = got.inputs["rsi(2)"][:, 0], 0
    for t in range(300):
        side = 1 if rsi[t] < 10 else 0 if rsi[t] > 60 else side
        assert got.side[t, 0] == side


def test_crosses_go_short_where_they_may() -> None:
    tape = prepare(walk("A", 300, seed=4))
    got = decide("ema_cross", tape, fast=5, slow=20, short=True)
    fast, slow = (got.inputs[name][19:, 0] for name in ("ema(5)", "ema(20)"))
    assert (got.side[19:, 0] == np.sign(fast - slow)).all()


def test_buy_and_hold_begins_with_the_first_close() -> None:
    late = walk("B", 10, seed=1)[4:]
    assert (
        decide("buy_and_hold", prepare(pl.concat([walk("A", 10, seed=1), late]))).side[:, 1].sum()
        == 6
    )
