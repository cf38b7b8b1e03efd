"""A signal as the schema has it: its votes in words, and what signals like it were worth."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import strawberry

from app.domain.signals import STRENGTHS, SignalStrength, VoteDirection, VoteIndicator
from app.domain.signals import Signal as SignalRow
from app.graphql.context import Info
from app.graphql.describing import described
from app.graphql.sentences import count_votes, vote_sentence, worth_sentence
from app.services.signals.signal_worth import WorthRow
from app.translations import Locale


@described
@strawberry.type
class Vote:
    """What one indicator says, with its value and the threshold it passed, if it passed one."""

    indicator: VoteIndicator
    direction: VoteDirection
    value: float
    threshold: float | None
    dissents: bool = strawberry.field(description="Whether it says buy or sell, the whole not.")
    sentence: str = strawberry.field(description="The vote in words, in the reader's language.")


@described
@strawberry.type
class SignalWorth:
    """What all earlier signals of that strength in that market were worth; past, and before costs.

    Entered at the close after the signal, left `horizon` sessions later. `hitRate` of the `count`
    outcomes beat the mean of the market's `instruments`; `baseRate` did so of all days, whatever
    the signal. `excess` is by how much, a fraction. Intervals are of 95 %, clustered by date; null
    where there is too little to say.
    """

    currency: str
    strength: SignalStrength
    horizon: int
    count: int
    days: int
    instruments: int
    hit_rate: float
    hit_low: float | None
    hit_high: float | None
    excess: float
    excess_low: float | None
    excess_high: float | None
    base_rate: float
    first_day: date
    last_day: date
    sentence: str = strawberry.field(description="The same in words, in the reader's language.")

    @classmethod
    def tell(cls, row: WorthRow, locale: Locale) -> SignalWorth:
        """From a service's row."""
        names = {field.name for field in fields(cls)} - {"sentence", "strength"}
        values = {name: getattr(row, name) for name in names}
        strength = STRENGTHS[row.strength]
        return cls(**values, strength=strength, sentence=worth_sentence(row, locale))


@described
@strawberry.type
class Signal:
    """Three votes and what they come to. A count of votes: no measure of how likely a move is.

    `day` is that of the prices. `agreeing` of the three say what the strength says, for HOLD those
    that say nothing; `summary` is the same in words, in the reader's language.
    """

    currency: strawberry.Private[str]
    day: date
    strength: SignalStrength
    agreeing: int
    summary: str
    votes: list[Vote]

    @classmethod
    def of(cls, day: date, found: SignalRow, currency: str, locale: Locale) -> Signal:
        """From a service's signal of an instrument in that currency."""
        votes = [
            Vote(
                indicator=vote.indicator,
                direction=vote.direction,
                value=vote.value,
                threshold=vote.threshold,
                dissents=found.dissents(vote),
                sentence=vote_sentence(vote, locale),
            )
            for vote in found.votes
        ]
        return cls(
            currency=currency,
            day=day,
            strength=found.strength,
            agreeing=found.agreeing,
            summary=count_votes(found, locale),
            votes=votes,
        )

    @strawberry.field
    async def worth(self, info: Info) -> list[SignalWorth]:
        """What signals of this strength were worth in its market, after 5 and after 20 sessions.

        Empty until it has been computed, or where a market has too few instruments.
        """
        rows = await info.context.loaders.worth.load((self.currency, self.strength.level))
        return [SignalWorth.tell(row, info.context.locale) for row in rows or ()]
