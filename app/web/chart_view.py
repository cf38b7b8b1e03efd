"""What a chart shows, as the address says it: range, interval, indicators, scale, comparison.

Everything that differs from the default stands in the query, so that reload and share give the same
view. A range is counted back from the newest day that there is, not from today: the sample's last
day lies in the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Final
from urllib.parse import quote, urlencode

from app.errors import BadInput

DEFAULT_RANGE: Final = "1Y"
_DAYS: Final = {"1D": 0, "1W": 6, "1M": 31, "1Y": 366, "5Y": 5 * 365 + 2}
_INTERVALS: Final = {"1D": "MINUTE_5", "1W": "MINUTE_15", "5Y": "WEEK", "MAX": "MONTH"}


@dataclass(frozen=True)
class ChartView:
    """One chart as its address describes it; `path` is the page it stands on.

    `symbol` is the instrument drawn; `named` says whether the query has to name it, as on the
    dashboard, which also shows the `watchlist` of that id beside it.
    """

    path: str
    symbol: str
    named: bool = False
    range: str = DEFAULT_RANGE
    interval: str = "DAY"
    panes: tuple[str, ...] = ("volume", "rsi", "macd")
    mas: tuple[str, ...] = ("20", "60")
    scale: str = "linear"
    basis: str = "SPLIT_ADJUSTED"
    compare: tuple[str, ...] = ()
    watchlist: str = ""

    RANGES: ClassVar = ("1D", "1W", "1M", "YTD", "1Y", "5Y", "MAX")
    INTRADAY: ClassVar = ("1D", "1W")
    INTERVALS: ClassVar = ("DAY", "WEEK", "MONTH")
    PANES: ClassVar = ("volume", "rsi", "macd", "bollinger", "signals")
    AVERAGES: ClassVar = ("5", "20", "60", "120")
    SCALES: ClassVar = ("linear", "log")
    BASES: ClassVar = ("SPLIT_ADJUSTED", "TOTAL_RETURN", "AS_TRADED")
    MOST_COMPARED: ClassVar = 5

    def query(self, *, without: str = "", **changes: str) -> dict[str, str]:
        """The parameters of the address; `without` leaves one group out, `changes` replaces.

        A change of the interval leaves an intraday range, and a change of the range the interval:
        each range has an interval of its own that fits it.
        """
        values = {"symbol": self.symbol if self.named else ""}
        values |= {
            "range": "" if self.range == DEFAULT_RANGE else self.range,
            "interval": "" if self.interval == default_interval(self.range) else self.interval,
            "panes": _list_value(self.panes, ChartView.panes),
            "mas": _list_value(self.mas, ChartView.mas),
            "scale": "" if self.scale == "linear" else self.scale,
            "basis": "" if self.basis == "SPLIT_ADJUSTED" else self.basis,
            "compare": ",".join(self.compare),
            "watchlist": self.watchlist,
        }
        if without == "range":
            values["interval"] = ""
        if without == "interval" and self.range in self.INTRADAY:
            values["range"] = ""
        values |= changes
        return {name: value for name, value in values.items() if value and name != without}

    def address(self, **changes: str) -> str:
        """The address of the same view with these parameters changed."""
        changed = self.query(**changes)
        if "symbol" in changes:
            changed["symbol"] = changes["symbol"]
        return f"{self.path}?{urlencode(changed)}" if changed else self.path

    @property
    def suffix(self) -> str:
        """The query of the same view on the page of the instrument itself."""
        values = self.query(without="symbol", watchlist="")
        return f"?{urlencode(values)}" if values else ""

    @property
    def source(self) -> str:
        """Where chart.js gets the columns from."""
        values = {"range": self.range, "interval": self.interval}
        values |= {"basis": self.basis, "mas": ",".join(self.mas)}
        values["panes"] = ",".join(pane for pane in self.panes if pane != "volume")
        return f"/api/candles/{quote(self.symbol, safe='')}?{urlencode(values)}"

    @property
    def example(self) -> str:
        """Two symbols to compare with, none of them this one."""
        known = ("MSFT", "IBM") if "." not in self.symbol else ("000660.KS", "069500.KS")
        return ",".join(s for s in known if s != self.symbol)

    def drawn(self, kind: str) -> tuple[str, ...]:
        """The panes that there is something to draw in: minutes have no indicators.

        A currency pair has closes and nothing else.
        """
        if kind == "FX":
            return ()
        whole_days = self.interval in self.INTERVALS
        return self.panes if whole_days else tuple({"volume"} & set(self.panes))

    def toggled(self, group: str, value: str) -> str:
        """The list of a group with one value put in or taken out; `none` when nothing is left."""
        chosen: tuple[str, ...] = getattr(self, group)
        every: tuple[str, ...] = self.PANES if group == "panes" else self.AVERAGES
        after = [v for v in every if (v in chosen) != (v == value)]
        return ",".join(after) or "none"


def read_view(path: str, symbol: str, query: Mapping[str, str], *, named: bool) -> ChartView:
    """The view that an address describes.

    Raises:
        BadInput: a parameter with a value that it cannot have.
    """
    range_ = one_of(query, "range", ChartView.RANGES, DEFAULT_RANGE)
    intervals = (default_interval(range_),) if range_ in ChartView.INTRADAY else ChartView.INTERVALS
    return ChartView(
        path=path,
        symbol=symbol,
        named=named,
        range=range_,
        interval=one_of(query, "interval", intervals, default_interval(range_)),
        panes=_many(query, "panes", ChartView.PANES, ChartView.panes),
        mas=_many(query, "mas", ChartView.AVERAGES, ChartView.mas),
        scale=one_of(query, "scale", ChartView.SCALES, "linear"),
        basis=one_of(query, "basis", ChartView.BASES, "SPLIT_ADJUSTED"),
        compare=_compared(query, symbol),
        watchlist=query.get("watchlist", "") if named else "",
    )


def default_interval(range_: str) -> str:
    """The bars that suit a range: minutes within days, weeks and months over years."""
    return _INTERVALS.get(range_, "DAY")


def first_day(range_: str, newest: date) -> date | None:
    """The first day of a range that ends with the newest one; None: all there is."""
    if range_ == "MAX":
        return None
    if range_ == "YTD":
        return date(newest.year, 1, 1)
    return newest - timedelta(days=_DAYS[range_])


def one_of(query: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    """A parameter that has one of a few values, however it is written.

    Raises:
        BadInput: it has another one.
    """
    value = query.get(name) or default
    matching = next((choice for choice in choices if choice.lower() == value.lower()), None)
    if matching is None:
        raise BadInput(
            "%(name)s is %(value).40r; it must be one of %(choices)s",
            field=name,
            name=name,
            value=value,
            choices=", ".join(choices),
        )
    return matching


def _many(
    query: Mapping[str, str], name: str, choices: tuple[str, ...], default: tuple[str, ...]
) -> tuple[str, ...]:
    if name not in query:
        return default
    wanted = {item.strip().lower() for item in query[name].split(",") if item.strip()} - {"none"}
    if unknown := wanted - set(choices):
        raise BadInput(
            "%(name)s has %(value).40r; it may hold %(choices)s",
            field=name,
            name=name,
            value=min(unknown),
            choices=", ".join(choices),
        )
    return tuple(choice for choice in choices if choice in wanted)


def _compared(query: Mapping[str, str], symbol: str) -> tuple[str, ...]:
    listed = query.get("compare", "").replace(" ", ",").upper().split(",")
    symbols = tuple(dict.fromkeys(s for s in listed if s and s != symbol))
    if len(symbols) > ChartView.MOST_COMPARED:
        raise BadInput(
            "compare has %(value)d symbols; it may have at most %(bound)d",
            field="compare",
            value=len(symbols),
            bound=ChartView.MOST_COMPARED,
        )
    return symbols


def _list_value(chosen: tuple[str, ...], default: tuple[str, ...]) -> str:
    return "" if chosen == default else ",".join(chosen) or "none"
