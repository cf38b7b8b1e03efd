"""`sise backtest` prints the very figures of a stored backtest."""

from __future__ import annotations

import argparse

import orjson
import pytest

from app.commands import backtest
from app.config import Settings
from app.errors import BadInput
from app.services.backtest.backtest_store import find_report
from app.services.backtest.strategy_shelf import load_shelf
from tests.backtests import ask, make_market, work
from tests.people import make_user


def read(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    backtest.add_arguments(parser)
    return parser.parse_args(words)


ONE = ("sma_cross", "AAPL", "-p", "fast=3", "-p", "slow=9", "--cash", "100000")


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (ONE, {}),
        (("sma_cross", "AAPL", "-p", "fast=2,3,4", "-p", "slow=8,12", "--cash", "100000"),
         {"values": {}, "axes": {"fast": (2, 3, 4), "slow": (8, 12)}}),
        (("sma_cross", "AAPL", "MSFT", *ONE[2:]), {"symbols": ("AAPL", "MSFT")}),
    ],
)  # fmt: skip
async def test_figures_are_those_of_the_worker(env, words, more):
    await make_market(env, "AAPL", "MSFT")
    alice = (await make_user(env)).id
    row = await ask(env, alice, **more)
    await work(env)
    stored = await find_report(env, alice, row.id)
    here = await backtest.compute(env, load_shelf(env.settings), read(*words))
    for part in ("figures", "columns", "trips", "benchmarks", "overfitting"):
        assert here[part] == stored[part], part
    told = "\n".join(backtest.list_lines(here))
    assert f"{stored['figures']['final_equity']:,.2f}" in told
    assert here.get("each") == stored.get("each")
    for symbol, final in zip(*(stored.get("each", {}).get(n, ()) for n in ("symbol", "final_equity")),
                             strict=True):  # fmt: skip
        assert f"{symbol}{260:>29}{final:>15,.2f}" in told
    assert "Look-ahead: 0 of" in told
    assert "A signal at the close is filled at the next open." in told
    orjson.dumps(here)


async def test_what_cannot_be_run_is_told(env):
    await make_market(env)
    shelf = load_shelf(env.settings)
    for words in (("none", "AAPL"), ("sma_cross", "NONE"), (*ONE, "-p", "x=1"), ("sma_cross",)):
        with pytest.raises(BadInput):
            await backtest.compute(env, shelf, read(*words))


@pytest.mark.parametrize(
    ("words", "said"),
    [(("--cash", "abc"), "'abc' is no amount"), (("--from", "31.1.2024"), "'31.1.2024' is no day")],
)
def test_what_cannot_be_read_is_named(words, said, capsys):
    with pytest.raises(SystemExit):
        read(*ONE, *words)
    assert said in capsys.readouterr().err


def test_without_a_strategy_all_are_listed(settings: Settings, capsys):
    assert backtest.run(settings, read()) == 0
    assert "sma_cross" in capsys.readouterr().out
