"""Votes in words: every vote in both languages, with its figures."""

from __future__ import annotations

from itertools import product

import pytest

from app.domain.signals import Vote, VoteDirection, VoteIndicator
from app.graphql.sentences import vote_sentence

EVERY = list(product(VoteIndicator, VoteDirection))


@pytest.mark.parametrize(("indicator", "direction"), EVERY)
def test_every_vote_is_said_in_both_languages(indicator, direction):
    threshold = None if direction is VoteDirection.NEUTRAL else 30.0
    vote = Vote(indicator, direction, 27.34, threshold)
    english, korean = vote_sentence(vote, "en"), vote_sentence(vote, "ko")
    assert "%" not in english.replace("%K", "")
    assert any("가" <= letter <= "힣" for letter in korean)
    if indicator is not VoteIndicator.MACD_CROSS:
        assert "27.3" in english
        assert "27.3" in korean


def test_a_sentence_has_the_value_and_the_threshold():
    vote = Vote(VoteIndicator.STOCHASTIC, VoteDirection.BUY, 12.0, 20.0)
    assert vote_sentence(vote, "en") == "Slow %K is 12.0, below 20: a vote to buy."
