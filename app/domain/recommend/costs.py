"""What buying and selling again costs in a market, as a part of the value.

The commission of the `online` profile twice, and on the sale the taxes and fees of its day: those
of KOSPI in Korea, where KOSDAQ's come to the same.
"""

from __future__ import annotations

import numpy as np

from app.domain.recommend.panel import Days, Floats
from app.domain.trading.costs import PROFILES
from app.domain.trading.tables import SEC_FEES, SELL_TAXES, Market, in_force


def round_trip_costs(days: Days, currency: str) -> Floats:
    """The cost of each day: two commissions, and the taxes or fees of a sale."""
    commission = 2 * float(PROFILES["online"].commissions[currency].rate)
    if currency == "KRW":
        taxes = [float(sum(in_force(SELL_TAXES[Market.KOSPI], day))) for day in days.tolist()]
    else:
        taxes = [float(in_force(SEC_FEES, day)) for day in days.tolist()]
    return commission + np.array(taxes)
