"""Votes in words: every vote in both languages, with its figures."""

from __future__ import annotations

from itertools import product

import pytest

from app.domain.signals import Vote, VoteDirection, VoteIndicator, make_signal
from app.graphql.sentences import count_votes, vote_sentence

EVERY = list(product(VoteIndicator, VoteDirection))


@pytest.mark.parametrize(("indicator", "direction"), EVERY)
def test_every_vote_is_said_in_both_languages(indicator, direction):
    threshold = None if direction is VoteDirection.NEUTRAL else 30.0
    vote = Vote(indicator, direction, 27.34, threshold)
    english, korean = vote_sentence(vote, "en"), vote_sentence(vote, "ko")
    assert "%" not in english.replace("%K", "")
    assert any("가" <= letter <= "힣" for letter in korean)
    if indicator in {VoteIndicator.RSI, VoteIndicator.STOCHASTIC}:
        assert "27.3" in english
        assert "27.3" in korean


def test_a_sentence_has_the_value_and_the_threshold():
    vote = Vote(VoteIndicator.STOCHASTIC, VoteDirection.BUY, 12.0, 20.0)
    assert vote_sentence(vote, "en") == "Slow %K is 12.0, below 20: a vote to buy."


@pytest.mark.parametrize(
    ("level", "votes", "words"),
    [
        (2, (1, 1, 1), "3 of 3 vote to buy."),
        (2, (1, -1, 1), "2 of 3 vote to buy, one votes to sell."),
        (1, (0, 0, 1), "1 of 3 vote to buy."),
        (0, (0, 0, 0), "Not one of the three votes to buy or to sell."),
        (0, (1, 0, -1), "One votes to buy and one to sell."),
        (-2, (-1, -1, 1), "2 of 3 vote to sell, one votes to buy."),
        (-1, (0, -1, 0), "1 of 3 vote to sell."),
    ],
)
def test_a_count_names_who_agrees_and_who_does_not(level, votes, words):
    signal = make_signal(level, (50.0, 50.0, 0.5), votes, VoteIndicator.MACD_CROSS)
    assert count_votes(signal, "en") == words
    assert count_votes(signal, "ko") != words
