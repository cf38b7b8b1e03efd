"""Recommendations: what a rule says of each instrument, how likely, and what its record is worth.

- panel: prices, signals and fundamentals of one market, sessions x instruments
- features: what a rule looks at, from the past alone
- ranking: places among the instruments of a day, from -1 to 1
- engine: the rule itself; a learning model joins behind the same protocol
- outcomes: what became of each day: the excess over the market, the move of the price
- calibration: from a place to a probability, on closed history only
- bands: target and stop: what eight of ten moves stayed within
- statistics: Newey-West, Brier, ECE, intervals clustered by date
- evidence: NONE, WEAK or PROVEN
- actions: BUY, HOLD, REDUCE, SELL, and what that means for a position
- reasons: what pushed a rank up and down
- costs, markets: what a round trip takes; Korea and the United States
- walk: all of it, walked forward over the history
- record: the track record of what was issued
"""
