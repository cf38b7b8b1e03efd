"""The dated tables of the Korean and US markets: ticks, limits, settlement, taxes and fees.

A table is a tuple of (first day, rule), oldest first; `in_force` reads it. A market's rules change
by a line here. Where a source is not named in words beside a line, the value is general knowledge
and unverified; `unverified` says so again where a reader may rely on it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

from app.errors import BadInput

Rule = TypeVar("Rule")
ANY_DAY: Final = date(1990, 1, 1)


class Market(StrEnum):
    """Whose rules hold: a board of the Korea Exchange, or the United States."""

    KOSPI = "KOSPI"
    KOSDAQ = "KOSDAQ"
    KONEX = "KONEX"
    US = "US"


def in_force(table: Sequence[tuple[date, Rule]], day: date) -> Rule:
    """The rule of the table that holds on that day.

    Raises:
        BadInput: a day before the table begins.
    """
    place = bisect_right(table, day, key=lambda row: row[0])
    if not place:
        message = "%(day)s lies before %(first)s, the first day of the known market rules"
        raise BadInput(message, field="day", day=day, first=table[0][0])
    return table[place - 1][1]


class Steps(NamedTuple):
    """Ticks by price: `ticks[i]` holds for prices below `bounds[i]`, the last one above all."""

    bounds: tuple[Decimal, ...]
    ticks: tuple[Decimal, ...]


def _steps(bounds: Sequence[int], ticks: Sequence[str]) -> Steps:
    return Steps(tuple(map(Decimal, bounds)), tuple(map(Decimal, ticks)))


# Korea: until 2023-01-24 the two boards differed at the top (since 2010-10-04, unverified). From
# 2023-01-25 one table for both (press reports of the Korea Exchange's announcement).
_KOSPI_2010: Final = _steps(
    (1_000, 5_000, 10_000, 50_000, 100_000, 500_000), ("1", "5", "10", "50", "100", "500", "1000")
)
_KOSDAQ_2010: Final = _steps((1_000, 5_000, 10_000, 50_000), ("1", "5", "10", "50", "100"))
_KRX_2023: Final = _steps(
    (2_000, 5_000, 20_000, 50_000, 200_000, 500_000), ("1", "5", "10", "50", "100", "500", "1000")
)
_US: Final = _steps((1,), ("0.0001", "0.01"))  # SEC Rule 612: cents, below a dollar 1/100 cent

SHARE_TICKS: Final = {
    Market.KOSPI: ((date(2010, 10, 4), _KOSPI_2010), (date(2023, 1, 25), _KRX_2023)),
    Market.KOSDAQ: ((date(2010, 10, 4), _KOSDAQ_2010), (date(2023, 1, 25), _KRX_2023)),
    Market.KONEX: ((date(2013, 7, 1), _KOSDAQ_2010), (date(2023, 1, 25), _KRX_2023)),
    Market.US: ((ANY_DAY, _US),),  # decimal prices began in 2001; earlier days are taken alike
}
"""Ticks of shares. KONEX follows KOSDAQ's (unverified)."""

_FUND: Final = _steps((), ("5",))
_FUND_2023: Final = _steps((2_000,), ("1", "5"))  # announced on 2023-10-05 for December
KOREAN_FUND_TICKS: Final = ((ANY_DAY, _FUND), (date(2023, 12, 11), _FUND_2023))
"""Ticks of ETF and ETN: 5 won; 1 won below 2,000 since December 2023 (the day is unverified)."""

_KRX_LIMITS: Final = ((date(1998, 12, 7), Decimal("0.15")), (date(2015, 6, 15), Decimal("0.30")))
PRICE_LIMITS: Final = {
    Market.KOSPI: _KRX_LIMITS,
    Market.KOSDAQ: ((date(2005, 3, 28), Decimal("0.15")), (date(2015, 6, 15), Decimal("0.30"))),
    Market.KONEX: ((date(2013, 7, 1), Decimal("0.15")),),
}
"""Daily limits as a part of the base price: ±15 %, and ±30 % since 2015-06-15; KONEX stays at 15 %
(the starts of the 15 % are unverified). A fund's limit is its multiple of the index times this."""

SETTLEMENT_CYCLES: Final = {
    Market.KOSPI: ((ANY_DAY, 2),),
    Market.KOSDAQ: ((ANY_DAY, 2),),
    Market.KONEX: ((ANY_DAY, 2),),
    # SEC Rule 15c6-1 and its changes; three days before 2017-09-05 (unverified)
    Market.US: ((ANY_DAY, 3), (date(2017, 9, 5), 2), (date(2024, 5, 28), 1)),
}
"""Settlement days from the trade to the exchange of shares and money, by the day of the trade."""


class SellTax(NamedTuple):
    """Korean taxes on what a sale brings, as parts of it: securities transaction, rural special."""

    transaction: Decimal
    rural: Decimal


def _tax(transaction_percent: str, rural_percent: str = "0") -> SellTax:
    return SellTax(Decimal(transaction_percent) / 100, Decimal(rural_percent) / 100)


SELL_TAXES: Final = {
    Market.KOSPI: (
        (ANY_DAY, _tax("0.15", "0.15")),
        (date(2019, 6, 3), _tax("0.10", "0.15")),  # finance ministry, 2019-05-21
        (date(2021, 1, 1), _tax("0.08", "0.15")),  # enforcement decree, art. 5
        (date(2023, 1, 1), _tax("0.05", "0.15")),
        (date(2024, 1, 1), _tax("0.03", "0.15")),
        (date(2025, 1, 1), _tax("0", "0.15")),  # brokers' notices: sales made from 2024-12-27
        (date(2026, 1, 1), _tax("0.05", "0.15")),
    ),
    Market.KOSDAQ: (
        (ANY_DAY, _tax("0.30")),
        (date(2019, 6, 3), _tax("0.25")),
        (date(2021, 1, 1), _tax("0.23")),
        (date(2023, 1, 1), _tax("0.20")),
        (date(2024, 1, 1), _tax("0.18")),
        (date(2025, 1, 1), _tax("0.15")),
        (date(2026, 1, 1), _tax("0.20")),
    ),
    Market.KONEX: ((ANY_DAY, _tax("0.30")), (date(2019, 6, 3), _tax("0.10"))),
}
"""By the day of settlement, which is the day of transfer. ETF and ETN pay none."""

SEC_FEES: Final = tuple(
    (date.fromisoformat(day), Decimal(per_million) / 1_000_000)
    for day, per_million in (
        ("1990-01-01", "33.33"), ("2001-12-28", "15.00"), ("2002-04-01", "30.10"),
        ("2003-03-22", "25.20"), ("2003-04-01", "46.80"), ("2004-02-22", "39.00"),
        ("2004-04-01", "23.40"), ("2005-01-07", "32.90"), ("2005-04-01", "41.80"),
        ("2005-12-22", "30.70"), ("2007-03-17", "15.30"), ("2008-01-25", "11.00"),
        ("2008-04-01", "5.60"), ("2009-04-10", "25.70"), ("2010-01-15", "12.70"),
        ("2010-04-01", "16.90"), ("2011-01-21", "19.20"), ("2012-02-21", "18.00"),
        ("2012-04-01", "22.40"), ("2013-05-25", "17.40"), ("2014-03-18", "22.10"),
        ("2015-02-14", "18.40"), ("2016-02-16", "21.80"), ("2017-07-04", "23.10"),
        ("2018-05-22", "13.00"), ("2019-04-16", "20.70"), ("2020-02-18", "22.10"),
        ("2021-02-25", "5.10"), ("2022-05-14", "22.90"), ("2023-02-27", "8.00"),
        ("2024-05-22", "27.80"), ("2025-05-14", "0"), ("2026-04-04", "20.60"),
    )
)  # fmt: skip
"""The SEC's fee of section 31 on what a sale brings, by the day of the trade (published per million
dollars). Notices of FINRA were read for 2014, 2019, 2021 and 2025, a history of the rates up to
2005; the other lines, 2026 above all, are unverified."""


class TradingActivityFee(NamedTuple):
    """FINRA's fee on a sale: dollars per share, and the most it takes of one trade."""

    per_share: Decimal
    most: Decimal


TRADING_ACTIVITY_FEES: Final = tuple(
    (date.fromisoformat(day), TradingActivityFee(Decimal(per_share), Decimal(most)))
    for day, per_share, most in (
        ("1990-01-01", "0", "0"),
        ("2002-10-01", "0.00005", "2.50"),
        ("2004-11-01", "0.000075", "3.75"),
        ("2012-07-01", "0.000119", "5.95"),
        ("2022-01-01", "0.000130", "6.49"),
        ("2023-01-01", "0.000145", "7.27"),
        ("2024-01-01", "0.000166", "8.30"),
        ("2026-01-01", "0.000195", "9.79"),
    )
)
"""By the day of the trade. FINRA's notices were not read except for 2012: unverified."""

WITHHOLDING: Final = {"KRW": Decimal("0.154"), "USD": Decimal("0.15")}
"""Tax kept back from a dividend, by its currency: Korea 14 % and the local tenth of it, the United
States 15 % by treaty (both unverified)."""
