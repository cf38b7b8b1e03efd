"""What the local Yahoo lists: real prices of the sample, stand-ins for the other default symbols.

Prices here are as traded; `tests/fakes/chart.py` makes Yahoo's numbers of them. The stand-ins
(`STAND_INS`) re-serve prices of the sample under another symbol, in another currency or on Korean
days: good for tests, nowhere else.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import zipfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

SPLITS = {
    "AAPL": {date(2000, 6, 21): (2.0, 1.0), date(2005, 2, 28): (2.0, 1.0)},
    "MSFT": {date(2003, 2, 18): (2.0, 1.0)},
}
NAMES = {
    "AAPL": ("Apple Inc.", "NMS"),
    "FB": ("Facebook, Inc.", "NMS"),
    "GOOG": ("Google Inc.", "NMS"),
    "IBM": ("International Business Machines Corporation", "NYQ"),
    "MSFT": ("Microsoft Corporation", "NMS"),
}
# symbol: whose prices, times, rounded to, name, exchange, kind
STAND_INS: dict[str, tuple[str, float, float, str, str, str]] = {
    "005930.KS": ("IBM", 1000, 1000, "Samsung Electronics Co., Ltd.", "KSC", "EQUITY"),
    "000660.KS": ("AAPL", 1000, 1000, "SK hynix Inc.", "KSC", "EQUITY"),
    "035420.KS": ("GOOG", 1000, 1000, "NAVER Corporation", "KSC", "EQUITY"),
    "069500.KS": ("MSFT", 1000, 50, "Samsung Kodex KOSPI 200 ETF", "KSC", "ETF"),
    "^KS11": ("IBM", 10, 0.01, "KOSPI Composite Index", "KSC", "INDEX"),
    "^KQ11": ("MSFT", 20, 0.01, "KOSDAQ Composite Index", "KOE", "INDEX"),
    "NVDA": ("MSFT", 2, 0.01, "NVIDIA Corporation", "NMS", "EQUITY"),
    "TSLA": ("FB", 1.5, 0.01, "Tesla, Inc.", "NMS", "EQUITY"),
    "SPY": ("IBM", 0.75, 0.01, "SPDR S&P 500 ETF Trust", "PCX", "ETF"),
    "^GSPC": ("IBM", 7.5, 0.01, "S&P 500", "SNP", "INDEX"),
    "^IXIC": ("AAPL", 7.1, 0.01, "NASDAQ Composite", "NIM", "INDEX"),
}
KOREAN_FROM = date(2011, 7, 1)
KOREAN_HOLIDAYS = {  # on weekdays, by year: month and day
    2011: ((8, 15), (9, 12), (9, 13), (10, 3), (12, 30)),
    2012: (
        (1, 23),
        (1, 24),
        (3, 1),
        (4, 11),
        (5, 1),
        (5, 28),
        (6, 6),
        (8, 15),
        (10, 1),
        (10, 3),
        (12, 19),
        (12, 25),
        (12, 31),
    ),
    2013: ((1, 1), (2, 11), (3, 1)),
}
KOREAN_EXCHANGES = ("KSC", "KOE")
PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Listing:
    """One instrument as the server knows it: prices, dividends and volumes as traded.

    `live` is one more last row with its own time stamp, as Yahoo sends it while a market is open:
    {"at": seconds, "open", "high", "low", "close", "volume"}. `quote` overrides fields of `meta`.
    `closes`: the instants, in seconds, before which a day's bar is provisional.
    """

    symbol: str
    name: str
    exchange: str
    kind: str
    currency: str
    zone: str
    bars: pl.DataFrame
    splits: dict[date, tuple[float, float]] = field(default_factory=dict)
    dividends: dict[date, float] = field(default_factory=dict)
    intraday: pl.DataFrame | None = None
    live: dict[str, float] | None = None
    quote: dict[str, Any] = field(default_factory=dict)
    closes: dict[date, float] = field(default_factory=dict)

    def split_factor(self, day: date) -> float:
        """Shares of today for one share of that day."""
        factor = 1.0
        for at, (new, old) in self.splits.items():
            if at > day:
                factor *= new / old
        return factor


def load_listings(data: str) -> dict[str, Listing]:
    """`sample`: the sample and the stand-ins; any other word: the folder of real prices it names."""
    if data == "sample":
        listings = {**_sample(), "USDKRW=X": _reference_rates()}
        return listings | {symbol: _stand_in(symbol, listings) for symbol in STAND_INS}
    return _folder(Path(data))


def _package_file(package: str, name: str) -> bytes:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return (Path(spec.submodule_search_locations[0]) / name).read_bytes()


def _sample() -> dict[str, Listing]:
    table = pl.read_csv(
        gzip.decompress(_package_file("bokeh_sampledata", "_data/stocks.csv.gz")),
        try_parse_dates=True,
    ).rename(lambda name: {"Date": "day"}.get(name, name.lower().replace(" ", "_")))
    listings = {}
    for symbol, (name, exchange) in NAMES.items():
        bars = table.filter(pl.col("ticker") == symbol).sort("day")
        splits = SPLITS.get(symbol, {})
        step = pl.col("adj_close") / pl.col("close")
        steps = bars.select("day", "close", step=step / step.shift(1)).filter(
            pl.col("step") > 1.0005
        )
        dividends = {
            day: round((step - 1) * close, 3)
            for day, close, step in steps.iter_rows()
            if day not in splits
        }
        bars = bars.select("day", *PRICES, "volume")
        zone = "America/New_York"
        listings[symbol] = Listing(
            symbol, name, exchange, "EQUITY", "USD", zone, bars, splits, dividends
        )
    return listings


def _reference_rates() -> Listing:
    archive = zipfile.ZipFile(io.BytesIO(_package_file("currency_converter", "eurofxref-hist.zip")))
    table = pl.read_csv(archive.read("eurofxref-hist.csv"), null_values="N/A", try_parse_dates=True)
    rate = (pl.col("KRW") / pl.col("USD")).round(2)
    bars = table.select(
        pl.col("Date").alias("day"),
        *(rate.alias(name) for name in PRICES),
        pl.lit(0).cast(pl.Int64).alias("volume"),
    )
    bars = bars.drop_nulls().sort("day").filter(pl.col("day") <= date(2013, 3, 1))
    return Listing("USDKRW=X", "USD/KRW", "CCY", "CURRENCY", "KRW", "Europe/London", bars)


def _stand_in(symbol: str, listings: dict[str, Listing]) -> Listing:
    origin, times, unit, name, exchange, kind = STAND_INS[symbol]
    korean = exchange in KOREAN_EXCHANGES
    bars = listings[origin].bars.filter(pl.col("day") >= date(2005, 3, 1))
    if korean:
        days = _korean_days()
        bars = bars.tail(len(days)).with_columns(pl.Series("day", days))
    bars = bars.with_columns(((pl.col(PRICES) * times / unit).round() * unit).round(2))
    currency, zone = ("KRW", "Asia/Seoul") if korean else ("USD", "America/New_York")
    return Listing(symbol, name, exchange, kind, currency, zone, bars)


def _korean_days() -> list[date]:
    days = [KOREAN_FROM + timedelta(days=n) for n in range((date(2013, 3, 1) - KOREAN_FROM).days)]
    return [d for d in days if d.weekday() < 5 and (d.month, d.day) not in KOREAN_HOLIDAYS[d.year]]


def _folder(folder: Path) -> dict[str, Listing]:
    """Real prices in Yahoo's convention (split-adjusted), multiplied back here."""
    bars, splits, dividends, intraday = (
        pl.read_parquet(folder / f"{name}.parquet").rename(
            lambda name: {"date": "day", "ts": "at"}.get(name, name)
        )
        for name in ("bars", "splits", "dividends", "intraday")
    )
    listings = {}
    for row in pl.read_csv(folder / "instruments.csv").iter_rows(named=True):
        symbol = row["ticker"]
        mine = pl.col("ticker") == symbol
        events = {
            s["day"]: (s["numerator"], s["denominator"]) for s in splits.filter(mine).to_dicts()
        }
        zone = {"CCY": "Europe/London", "KSC": "Asia/Seoul"}.get(
            row["exchange"], "America/New_York"
        )
        bare = Listing(
            symbol, row["name"], row["exchange"], row["type"], row["currency"], zone, bars, events
        )
        own = bars.filter(mine).sort("day").select("day", *PRICES, "volume")
        factor = pl.Series([bare.split_factor(d) for d in own["day"]], dtype=pl.Float64)
        own = own.with_columns(
            *((own[name] * factor).round(4) for name in PRICES),
            (own["volume"] / factor).round().cast(pl.Int64).alias("volume"),
        )
        paid = {
            d["day"]: round(d["amount"] * bare.split_factor(d["day"]), 6)
            for d in dividends.filter(mine).to_dicts()
        }
        within = intraday.filter(mine).sort("at").select("at", *PRICES, "volume")
        listings[symbol] = Listing(
            symbol, row["name"], row["exchange"], row["type"], row["currency"], zone, own, events,
            paid, within if len(within) else None,
        )  # fmt: skip
    return listings


def change_bars(bars: pl.DataFrame, body: dict[str, Any]) -> pl.DataFrame:
    """Bars merged by day (`bars`), days taken away (`drop`), or all after one (`until`)."""
    if body.get("bars"):
        rows = [[date.fromisoformat(row[0]), *row[1:]] for row in body["bars"]]
        new = pl.DataFrame(rows, schema=bars.schema, orient="row")
        bars = pl.concat([bars.join(new, on="day", how="anti"), new]).sort("day")
    if body.get("drop"):
        bars = bars.filter(~pl.col("day").cast(pl.String).is_in(body["drop"]))
    if body.get("until"):
        bars = bars.filter(pl.col("day") <= date.fromisoformat(body["until"]))
    return bars
