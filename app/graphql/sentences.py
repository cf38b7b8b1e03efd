"""Rules in words, in the reader's language: what a vote reads, its worth, when an order fills.

Each sentence says what the rule reads, never what to do.
"""

from __future__ import annotations

from typing import Final

from app.domain.signals import Signal, Vote, VoteDirection, VoteIndicator
from app.domain.trading.orders import OrderType
from app.services.signals.signal_worth import WorthRow
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
    (VoteIndicator.MACD_STATE, VoteDirection.BUY): N_(
        "MACD lies above its signal line: a vote to buy."
    ),
    (VoteIndicator.MACD_STATE, VoteDirection.SELL): N_(
        "MACD lies below its signal line: a vote to sell."
    ),
    (VoteIndicator.MACD_STATE, VoteDirection.NEUTRAL): N_("MACD lies on its signal line: no vote."),
}


def vote_sentence(vote: Vote, locale: Locale) -> str:
    """The vote in one sentence."""
    text = load_translations(locale).gettext(_SENTENCES[vote.indicator, vote.direction])
    return text % {"value": vote.value, "threshold": vote.threshold}


_COUNTS: Final = {
    (VoteDirection.BUY, 0): N_("%(agreeing)d of 3 vote to buy."),
    (VoteDirection.BUY, 1): N_("%(agreeing)d of 3 vote to buy, one votes to sell."),
    (VoteDirection.SELL, 0): N_("%(agreeing)d of 3 vote to sell."),
    (VoteDirection.SELL, 1): N_("%(agreeing)d of 3 vote to sell, one votes to buy."),
    (VoteDirection.NEUTRAL, 0): N_("Not one of the three votes to buy or to sell."),
    (VoteDirection.NEUTRAL, 2): N_("One votes to buy and one to sell."),
}


def count_votes(signal: Signal, locale: Locale) -> str:
    """How many of the three say what the signal says, and how many the opposite."""
    dissenting = sum(signal.dissents(vote) for vote in signal.votes)
    text = load_translations(locale).gettext(_COUNTS[signal.strength.direction, dissenting])
    return text % {"agreeing": signal.agreeing}


_WORTH: Final = N_(
    "%(count)d times before: %(hits).1f %% beat their market over %(horizon)d sessions; of all "
    "days %(base).1f %% did."
)
_TOO_FEW: Final = N_("That is too little to say anything.")
_NO_DIFFERENCE: Final = N_("That is no difference that could be told from chance.")
_MORE: Final = N_("That is more than chance.")
_LESS: Final = N_("That is less than chance.")


def worth_sentence(row: WorthRow, locale: Locale) -> str:
    """What signals were worth over a horizon, beside the base rate, and whether it is more."""
    if row.hit_low is None or row.hit_high is None:
        verdict = _TOO_FEW
    elif row.hit_low <= row.base_rate <= row.hit_high:
        verdict = _NO_DIFFERENCE
    else:
        verdict = _MORE if row.hit_rate > row.base_rate else _LESS
    values = {
        "count": row.count,
        "hits": row.hit_rate * 100,
        "horizon": row.horizon,
        "base": row.base_rate * 100,
    }
    gettext = load_translations(locale).gettext
    return f"{gettext(_WORTH) % values} {gettext(verdict)}"


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
