"""Chart series: columns of bars, averages and indicators of one instrument.

Days come from the stored bars on the basis asked for, weeks and months are made from them; minutes
are asked of the exchange's sources in turn and kept for a minute. Numbers are floats with ten
significant digits, for drawing. `time` holds ISO days, within a day UNIX seconds. A currency pair
has closes only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
import polars as pl
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.prices import DIVIDEND_SCHEMA, SPLIT_SCHEMA, Failure, Intraday, NoData
from app.db.frames import read_frame
from app.domain.bars import COLUMNS, PRICES, Interval, PriceBasis, adjust, resample
from app.domain.chart_studies import sma
from app.domain.indicator_columns import INDICATOR_COLUMNS
from app.domain.period_indicators import compute_period_indicators
from app.env import Env
from app.errors import BadInput, Unavailable
from app.services.market.instruments import InstrumentRow, get_instrument, refusal
from app.services.market.prices import horizon
from app.services.sources.source_order import list_intraday

Series = dict[str, list[Any]]

_INTRADAY_DAYS: Final = {5: 1, 15: 5}  # sessions that are asked for, by minutes
_KEEP_INTRADAY: Final = 60.0  # seconds
_AVERAGE: Final = re.compile(r"sma_([1-9][0-9]{0,2})")
_LONGEST_AVERAGE: Final = 250
_DAYS_IN: Final = {Interval.DAY: 1, Interval.WEEK: 6, Interval.MONTH: 24}  # at most, and one over
_DIGITS: Final = 10


@dataclass(frozen=True)
class _Wanted:
    """A series that has been checked; `averages` are windows in bars of the interval."""

    symbol: str
    start: date | None
    end: date | None
    newest: date | None
    last: int | None
    interval: Interval
    basis: PriceBasis
    indicators: tuple[str, ...]
    averages: tuple[int, ...]

    @property
    def study_names(self) -> list[str]:
        """The columns of the averages."""
        return [f"sma_{window}" for window in self.averages]

    @property
    def params(self) -> dict[str, Any]:
        """What the queries ask for.

        `before`: days ahead of the first one shown, for averages and for a whole first period;
        None, for all there are, when indicators of a longer period are computed.
        `read_to`: TOTAL_RETURN is anchored at the newest bar, so it reads on to that one.
        """
        days = _DAYS_IN[self.interval]
        until = self.end or date.max
        through = self.newest or date.max
        return {
            "symbol": self.symbol,
            "start": self.start or date.min,
            "until": until,
            "read_to": max(until, through) if self.basis is PriceBasis.TOTAL_RETURN else until,
            "last": None if self.last is None else self.last * days,
            "before": self._before,
        }

    @property
    def _before(self) -> int | None:
        days = _DAYS_IN[self.interval]
        if self.interval is Interval.DAY:
            return max(self.averages, default=1) - 1
        return None if self.indicators else max(self.averages, default=1) * days


async def get_series(  # noqa: PLR0913 - what a chart may ask for
    env: Env,
    symbol: str,
    *,
    start: date | None = None,
    end: date | None = None,
    last: int | None = None,
    interval: Interval = Interval.DAY,
    basis: PriceBasis = PriceBasis.SPLIT_ADJUSTED,
    indicators: Sequence[str] = (),
    studies: Sequence[str] = (),
) -> Series:
    """Columns of equal length, null where unknown: time, open, high, low, close, volume and more.

    `start` and `end` are included, `last` keeps the newest bars of that span. `indicators` are
    columns of `domain/indicator_columns`, always on SPLIT_ADJUSTED: for days the stored ones, for
    weeks and months those of the interval's own bars. `studies` are averages of the close over
    bars of the interval on its basis, such as `sma_60`. Minutes: the last session (5) or the last
    five (15), without indicators; empty where the source has none.

    Raises:
        NotFound: no such instrument.
        BadInput: a span turned round, an unknown column.
        RateLimited, Unavailable: minutes were asked for and the source does not give them now.
    """
    _check_span(start, end, last)
    averages, columns = _windows(studies), _known(indicators)
    instrument = await get_instrument(env, symbol)
    if interval.minutes is not None:
        bars = await _intraday(env, instrument, interval.minutes)
        return _columns(_with_averages(bars, averages))
    through = end is None or basis is PriceBasis.TOTAL_RETURN
    newest = await horizon(env) if through else None
    wanted = _Wanted(
        symbol=instrument.symbol,
        start=start,
        end=end or newest,
        newest=newest,
        last=last,
        interval=interval,
        basis=basis,
        indicators=columns,
        averages=averages,
    )
    async with env.db.read() as db:
        if instrument.kind == "FX":
            return _columns(await _rates(db, wanted))
        return _columns(await _bars(db, wanted))


async def _bars(db: AsyncSession, wanted: _Wanted) -> pl.DataFrame:
    """The bars of the interval, with averages and indicators."""
    indicators = [name for name in wanted.indicators if name not in wanted.study_names]
    daily = indicators if wanted.interval is Interval.DAY else []
    stored = await read_frame(db, _bar_query(daily), wanted.params, _bar_schema(daily))
    symbol = {"symbol": wanted.symbol}
    events = await read_frame(db, _EVENTS, symbol, _EVENT_SCHEMA)
    splits = events.filter(events["amount"].is_null()).select(SPLIT_SCHEMA.names())
    dividends = events.filter(events["amount"].is_not_null()).select(DIVIDEND_SCHEMA.names())
    until = pl.col("day") <= (wanted.end or date.max)

    def on(basis: PriceBasis) -> pl.DataFrame:
        return adjust(stored.select(COLUMNS), splits, dividends, basis)

    if wanted.interval is Interval.DAY:
        bars = on(wanted.basis).with_columns(stored.select(daily)).filter(until)
    else:
        bars = resample(on(wanted.basis).filter(until), wanted.interval)
        if indicators:
            adjusted = resample(on(PriceBasis.SPLIT_ADJUSTED).filter(until), wanted.interval)
            bars = bars.with_columns(compute_period_indicators(adjusted, indicators))
    return _cut(_with_averages(bars, wanted.averages), wanted)


async def _rates(db: AsyncSession, wanted: _Wanted) -> pl.DataFrame:
    """A currency pair's closes, with averages; it has no indicators."""
    schema = pl.Schema({"day": pl.Date, "close": pl.Float64})
    rates = await read_frame(db, _RATES, wanted.params, schema)
    if wanted.interval is not Interval.DAY:
        rates = resample(rates.with_columns(_nulls(COLUMNS, rates.columns)), wanted.interval)
    nulls = _nulls(wanted.indicators, wanted.study_names)
    rates = rates.select("day", "close").with_columns(nulls)
    return _cut(_with_averages(rates, wanted.averages), wanted)


async def _intraday(env: Env, instrument: InstrumentRow, minutes: int) -> pl.DataFrame:
    """Bars within days: from the cache, else from the first source of the order that has them."""
    failed: tuple[str, Failure] | None = None
    for source in await list_intraday(env, instrument.mic, minutes):
        name = f"sise:intraday:{source.provider}:{instrument.symbol}:{minutes}"
        with suppress(Unavailable):
            kept = await env.bus.cached(name)
            if kept is not None:
                return pl.DataFrame(orjson.loads(kept), schema=_INTRADAY_SCHEMA)
        days = _INTRADAY_DAYS[minutes]
        answer = await source.intraday(instrument.symbol, minutes=minutes, days=days)
        if isinstance(answer, Intraday):
            seconds = pl.col("at").dt.epoch("s").alias("time")
            bars = answer.bars.select(seconds, *PRICES, "volume")
            with suppress(Unavailable):
                kept = orjson.dumps(bars.to_dict(as_series=False))
                await env.bus.cache(name, kept, _KEEP_INTRADAY)
            return bars
        failed = failed or (source.name, answer)
    if failed is None or isinstance(failed[1], NoData):
        return pl.DataFrame(schema=_INTRADAY_SCHEMA)
    raise refusal(failed[1], failed[0], instrument.symbol)


def _with_averages(bars: pl.DataFrame, windows: Sequence[int]) -> pl.DataFrame:
    return bars.with_columns(sma(bars["close"], n).alias(f"sma_{n}") for n in windows)


def _cut(bars: pl.DataFrame, wanted: _Wanted) -> pl.DataFrame:
    """What is shown of the bars that were read: a period is shown by the day of its label."""
    shown = bars.filter(pl.col("day") >= (wanted.start or date.min))
    return shown if wanted.last is None else shown.tail(wanted.last)


def _columns(bars: pl.DataFrame) -> Series:
    """The frame as JSON has it."""
    floats = [
        pl.col(name).round_sig_figs(_DIGITS) for name, t in bars.schema.items() if t.is_float()
    ]
    bars = bars.with_columns(floats)
    if "day" in bars.columns:
        bars = bars.with_columns(pl.col("day").dt.to_string("%Y-%m-%d")).rename({"day": "time"})
    return bars.to_dict(as_series=False)


def _nulls(names: Iterable[str], but: Iterable[str] = ()) -> list[pl.Expr]:
    return [pl.lit(None, dtype=pl.Float64).alias(name) for name in names if name not in set(but)]


def _check_span(start: date | None, end: date | None, last: int | None) -> None:
    if start is not None and end is not None and start > end:
        msg = "from is %(start)s and to is %(end)s: from must not be after to"
        raise BadInput(msg, field="from", start=start, end=end)
    if last is not None and last < 1:
        raise BadInput("last is %(value)d; it must be at least 1", field="last", value=last)


def _windows(studies: Sequence[str]) -> tuple[int, ...]:
    windows = []
    for name in studies:
        match = _AVERAGE.fullmatch(name)
        if match is None or int(match[1]) > _LONGEST_AVERAGE:
            msg = "There is no study %(study).40r; averages are sma_1 to sma_%(bound)d"
            raise BadInput(msg, field="studies", study=name, bound=_LONGEST_AVERAGE)
        windows.append(int(match[1]))
    return tuple(dict.fromkeys(windows))


def _known(indicators: Sequence[str]) -> tuple[str, ...]:
    for name in indicators:
        if name not in INDICATOR_COLUMNS:
            msg = "There is no indicator %(name).40r; there are %(known)s"
            known = ", ".join(INDICATOR_COLUMNS)
            raise BadInput(msg, field="indicators", name=name, known=known)
    return tuple(dict.fromkeys(indicators))


def _bar_schema(indicators: Sequence[str]) -> pl.Schema:
    prices = dict.fromkeys(PRICES, pl.Float64)
    return pl.Schema(
        {"day": pl.Date, **prices, "volume": pl.Int64, **dict.fromkeys(indicators, pl.Float64)}
    )


def _bar_query(indicators: Sequence[str]) -> str:
    """Bars with the named columns of `indicator_daily` beside them."""
    names = "".join(f", i.{name}" for name in indicators)
    return f"""
        {_EDGES.format(table="bar", whose="symbol = :symbol")}
        SELECT b.day, b.open, b.high, b.low, b.close, b.volume{names}
        FROM bar AS b LEFT JOIN indicator_daily AS i ON i.symbol = b.symbol AND i.day = b.day
        WHERE b.symbol = :symbol AND b.day >= (SELECT day FROM edge) AND b.day <= :read_to
        ORDER BY b.day
    """


_INTRADAY_SCHEMA: Final = pl.Schema(
    {"time": pl.Int64, **dict.fromkeys(PRICES, pl.Float64), "volume": pl.Int64}
)

_EDGES: Final = """
    WITH shown AS (
        SELECT day FROM {table} WHERE {whose} AND day >= :start AND day <= :until
        ORDER BY day DESC LIMIT :last
    ), ahead AS (
        SELECT day FROM {table} WHERE {whose} AND day < (SELECT min(day) FROM shown)
        ORDER BY day DESC LIMIT :before
    ), edge AS (
        SELECT least((SELECT min(day) FROM shown), (SELECT min(day) FROM ahead)) AS day
    )
"""
_PAIR: Final = "base = substr(:symbol, 1, 3) AND quote = substr(:symbol, 4, 3)"
_RATES: Final = f"""
    {_EDGES.format(table="fx_rate", whose=_PAIR)}
    SELECT day, rate AS close FROM fx_rate
    WHERE {_PAIR} AND day >= (SELECT day FROM edge) AND day <= :read_to
    ORDER BY day
"""
_EVENT_SCHEMA: Final = pl.Schema({**SPLIT_SCHEMA, **DIVIDEND_SCHEMA})
_EVENTS: Final = """
    SELECT day, numerator, denominator, NULL AS amount FROM split WHERE symbol = :symbol
    UNION ALL
    SELECT day, NULL, NULL, amount FROM dividend WHERE symbol = :symbol
    ORDER BY day
"""
