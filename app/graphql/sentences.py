"""Rules in words, in the reader's language: what a vote reads, and when an order fills.

Each sentence says what the rule reads, never what to do.
"""

from __future__ import annotations

from typing import Final

from app.domain.signals import Vote, VoteDirection, VoteIndicator
from app.domain.trading.orders import OrderType
from app.translations import N_, Locale, load_translations

_SENTENCES: Final = {
    (VoteIndicator.RSI, VoteDirection.BUY): N_(
        "RSI(14) is %(value).1f, below %(threshold)g: a vote to buy."
    ),
    (VoteIndicator.RSI, VoteDirection.SELL): N_(
        "RSI(14) is %(value).1f, above %(threshold)g: a vote to sell."
    ),
    (VoteIndicator.RSI, VoteDirection.NEUTRAL): N_("RSI(14) is %(value).1f: no vote."),
    (VoteIndicator.STOCHASTIC, VoteDirection.BUY): N_(
        "Slow %%K is %(value).1f, below %(threshold)g: a vote to buy."
    ),
    (VoteIndicator.STOCHASTIC, VoteDirection.SELL): N_(
        "Slow %%K is %(value).1f, above %(threshold)g: a vote to sell."
    ),
    (VoteIndicator.STOCHASTIC, VoteDirection.NEUTRAL): N_("Slow %%K is %(value).1f: no vote."),
    (VoteIndicator.MACD_CROSS, VoteDirection.BUY): N_(
        "MACD crossed above its signal line within the last three sessions: a vote to buy."
    ),
    (VoteIndicator.MACD_CROSS, VoteDirection.SELL): N_(
        "MACD crossed below its signal line within the last three sessions: a vote to sell."
    ),
    (VoteIndicator.MACD_CROSS, VoteDirection.NEUTRAL): N_(
        "MACD did not cross its signal line within the last three sessions: no vote."
    ),
}


def vote_sentence(vote: Vote, locale: Locale) -> str:
    """The vote in one sentence."""
    text = load_translations(locale).gettext(_SENTENCES[vote.indicator, vote.direction])
    return text % {"value": vote.value, "threshold": vote.threshold}


_FILL_RULES: Final = {
    OrderType.MARKET: N_(
        "It takes the first price of the market after it was placed; if the exchange is closed, "
        "that of the next session."
    ),
    OrderType.LIMIT: N_(
        "It fills at its limit once the market has gone through it, or at the first price after it "
        "was placed if that is better; a touch is no fill."
    ),
    OrderType.STOP: N_(
        "Once the market has reached the stop it fills there, or at the first price beyond it."
    ),
}


def fill_rule(order_type: OrderType, locale: Locale) -> str:
    """When and at which price an order of that type fills, in one sentence."""
    return load_translations(locale).gettext(_FILL_RULES[order_type])
