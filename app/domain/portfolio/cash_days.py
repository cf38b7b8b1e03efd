"""When money that has not settled may leave: day by day, never what purchases have drawn on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import accumulate

from app.domain.money import ZERO


def settling_days(
    balance: Decimal, coming: Mapping[date, Decimal], today: date
) -> list[tuple[date, Decimal]]:
    """What becomes free on which day, the first one first.

    `balance` is in the account now; `coming` what its postings that settle on a later day amount
    to, below 0 where purchases of that day have drawn more. What is free on a day is the least that
    the account falls to from then on; what is due already comes `today`.
    """
    days = [today, *sorted(coming)]
    due = balance - sum(coming.values(), ZERO)
    levels = list(accumulate((coming[day] for day in days[1:]), initial=due))
    free = list(accumulate(reversed(levels), min))[::-1]
    steps = zip(days, free, [ZERO, *free], strict=False)
    return [
        (day, amount)
        for day, now, before in steps
        if (amount := max(now, ZERO) - max(before, ZERO))
    ]
