"""The shelf of strategies: the built-in ones, the operator's files, and what others are told."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.backtest.parameters import choose_strategy
from app.domain.backtest.strategies import STRATEGIES
from app.errors import BadInput, ConfigError
from app.services.backtest.backtest_store import find_report
from app.services.backtest.strategies import get_strategy, list_strategies
from app.services.backtest.strategy_shelf import load_shelf, set_up_shelf
from tests.backtests import ask, make_market, work
from tests.people import make_user

EXAMPLE = re.search(
    r"```python\n(.+?)```",
    (Path(__file__).parents[3] / "docs" / "strategies.md").read_text(encoding="utf-8"),
    re.DOTALL,
)[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "channel.py").write_text(EXAMPLE, encoding="utf-8")
    (tmp_path / "again.py").write_text(EXAMPLE, encoding="utf-8")
    (tmp_path / "broken.py").write_text("def (", encoding="utf-8")
    return tmp_path


async def test_the_example_of_the_documentation_is_run_and_certified(env, folder):
    own = replace(env, settings=replace(env.settings, strategy_dir=folder))
    await make_market(own)
    shelf = load_shelf(own.settings)
    assert set(shelf) == {*STRATEGIES, "channel"}  # the broken file and the second of a key are not
    told = await list_strategies(own)
    assert told == [one.info for one in shelf.values()]
    alice = (await make_user(own)).id
    row = await ask(own, alice, strategy="channel", values={"days": 20})
    await work(own)
    report = await find_report(own, alice, row.id)
    assert report["certificate"]["leaks"] == []
    assert report["certificate"]["cuts"] > 50


async def test_a_strategy_is_known_by_its_key(env):
    with pytest.raises(BadInput):
        await get_strategy(env, "sma_cross")  # nobody has told yet
    shelf = await set_up_shelf(env)
    assert await get_strategy(env, "sma_cross") == STRATEGIES["sma_cross"].info
    with pytest.raises(BadInput):
        choose_strategy(shelf, "none")


def test_a_folder_that_is_none_is_told(env, tmp_path):
    settings = replace(env.settings, strategy_dir=tmp_path / "none")
    with pytest.raises(ConfigError, match="SISE_STRATEGY_DIR"):
        load_shelf(settings)
