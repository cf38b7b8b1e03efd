"""Strategy files: the documented example runs, and what is wrong with another is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.domain.backtest.engine import run
from app.domain.backtest.loader import load_strategies
from app.domain.backtest.tape import prepare
from app.errors import BadInput
from tests.domain.oracle_bars import walk

ROOT = Path(__file__).resolve().parents[3]
BASE = "from app.domain.backtest.strategy import Strategy\n"


def example() -> str:
    text = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_documented_example_is_a_strategy_that_trades() -> None:
    (channel,) = load_strategies(example(), "channel.py")
    got = run(prepare(walk("A", 400, seed=2)), channel, {"days": 20})
    assert len(got.fills) > 2


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def", "mine.py cannot be run: SyntaxError"),
        ("import no_such_module", "cannot be run: ModuleNotFoundError"),
        ("x = 1", "defines no class of Strategy"),
        (BASE + "class A(Strategy):\n    pass", "A in mine.py has no key"),
        (BASE + "class A(Strategy):\n    key = name = description = 'a'", "has no decide"),
        (
            BASE + "class A(Strategy):\n    key = name = description = 'macd'\n    decide = None",
            "has the key macd, which another strategy has",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said(source: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        load_strategies(source, "mine.py")


def test_what_goes_wrong_in_a_decision_is_told_with_its_line() -> None:
    source = example().replace("history.close\n", "history.close // (n - n)\n", 1)
    (channel,) = load_strategies(source, "channel.py")
    line = next(n for n, text in enumerate(source.splitlines(), 1) if "(n - n)" in text)
    told = re.escape(f"The strategy file channel.py, line {line}: ")
    with pytest.raises(BadInput, match=told):
        run(prepare(walk("A", 40, seed=2)), channel, {"days": 20})
