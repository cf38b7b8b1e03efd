"""Ranks and actions."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.recommend.actions import ADVICE, Action, choose_action, to_rank


@pytest.mark.parametrize(
    ("rank", "action"),
    [(100, "BUY"), (80, "BUY"), (79.9999, "HOLD"), (40, "HOLD"), (39.9, "REDUCE"), (20, "REDUCE"),
     (19.9, "SELL"), (0, "SELL")],
)  # fmt: skip
def test_the_action_of_a_rank(rank, action):
    assert choose_action(rank) == action


def test_a_rank_lies_between_nought_and_a_hundred():
    assert to_rank(np.array([-1.0, 0.0, 1.0, 1.2])).tolist() == [0, 50, 100, 100]


def test_every_action_says_what_it_means_for_a_position():
    assert set(ADVICE) == set(Action)
