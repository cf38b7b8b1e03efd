"""Parameters have kinds and bounds; what does not fit is named."""

from __future__ import annotations

import pytest

from app.domain.backtest.parameters import choose_strategy
from app.domain.backtest.strategies import STRATEGIES, Momentum, RsiReversion, SmaCross
from app.domain.backtest.strategy import Kind, Parameter, Strategy, Value, check_values
from app.errors import BadInput


def test_what_is_not_given_is_the_default() -> None:
    assert check_values(SmaCross(), {"fast": 5}) == {"fast": 5, "slow": 60, "short": False}


@pytest.mark.parametrize(
    ("strategy", "values", "words"),
    [
        (SmaCross(), {"fats": 5}, "no parameter fats; it has: fast, slow, short"),
        (SmaCross(), {"fast": 5.5}, r"fast is 5\.5; it must be a whole number from 1 to 2000"),
        (SmaCross(), {"fast": 0}, "fast is 0"),
        (SmaCross(), {"fast": True}, "fast is True"),
        (SmaCross(), {"fast": 60}, "fast is 60; it must be below slow"),
        (SmaCross(), {"short": 1}, "short is 1; it must be true or false"),
        (RsiReversion(), {"buy_below": float("nan")}, "buy_below is nan"),
        (Momentum(), {"skip": 200}, "skip is 200; it must be below window"),
    ],
)
def test_what_does_not_fit_is_named(
    strategy: Strategy, values: dict[str, Value], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        check_values(strategy, values)


def test_an_unknown_strategy_is_refused_with_those_there_are() -> None:
    assert choose_strategy(STRATEGIES, "sma_cross") is STRATEGIES["sma_cross"]
    with pytest.raises(BadInput, match="There is no strategy 'sma'; there are: sma_cross, "):
        choose_strategy(STRATEGIES, "sma")
    with pytest.raises(BadInput, match="there are: -"):
        choose_strategy({}, "sma")


def test_a_choice_is_one_of_its_words() -> None:
    mode = Parameter("mode", Kind.CHOICE, "a", choices=("a", "b"))
    assert mode.check("b") == "b"
    with pytest.raises(BadInput, match="mode is c; it must be a, b"):
        mode.check("c")
