"""Recommendations walked forward, each figure beside its goal.

`python -m benchmarks.recommend --prices FOLDER` walks the first engine over real prices
(`bars_us_astraded_2016_2021.parquet` and `bars_kr.parquet` of the folder; said so when they are
absent) and sets its purchases beside plain rules, all in equal parts, and SPY held (out of
`../small/bars.parquet`); then over seeded panels: with a planted edge, of random walks, with
shuffled outcomes, and with a stock many times over. `--panels` says how many of each and
`--symbols` of how many instruments, `--only` which part.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from app.domain.indicators import compute_daily
from app.domain.recommend.actions import Action, choose_action, to_rank
from app.domain.recommend.baselines import choose_plainly
from app.domain.recommend.calibration import WINDOWS, calibrate
from app.domain.recommend.costs import round_trip_costs
from app.domain.recommend.engine import RuleEngine
from app.domain.recommend.evidence import Evidence
from app.domain.recommend.outcomes import HORIZON
from app.domain.recommend.panel import Floats, Panel, make_panel
from app.domain.recommend.record import CURVE, PLAIN, SUMS, Record, summarise
from app.domain.recommend.statistics import (
    Mean,
    brier_skill,
    calibration_error,
    cluster_mean,
    reliability,
    t_value,
)
from app.domain.recommend.walk import DIGITS, Walk, stand, walk_forward
from app.domain.signal_series import compute_signals
from app.domain.signals import VoteIndicator
from tests.panels import planted, random_walks

FILES: Final = {"US": "bars_us_astraded_2016_2021.parquet", "Korea": "bars_kr.parquet"}
HELD: Final = ("US", "SPY", "../small/bars.parquet")
SYMBOLS, SESSIONS = 200, 1_900  # of a seeded panel: fewer than the real ones have
FULL_YEAR: Final = 200  # sessions with a band that make a year full
CONSOLE: Final = Console(width=160)


@dataclass(frozen=True)
class Line:
    """A figure beside its goal; without bounds it is shown for the reader alone."""

    what: str
    value: float
    low: float | None = None
    high: float | None = None

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        above = self.low is None or self.value >= self.low
        return above and (self.high is None or self.value <= self.high)


def load_held(path: Path, market: str) -> pl.DataFrame | None:
    """Total-return closes of the market's benchmark, where there are any."""
    whose, symbol, name = HELD
    file = path.parent / name
    if market != whose or not file.is_file():
        return None
    bars = pl.read_parquet(file).filter(pl.col("ticker") == symbol)
    return bars.select(day="date", close="adj_close")


def load_panel(path: Path, market: str) -> Panel:
    """The panel of a file of bars: as traded with `split`, or adjusted already."""
    bars = pl.read_parquet(path).rename({"ticker": "symbol", "date": "day"}).sort("symbol", "day")
    factor = pl.lit(1.0)
    if "split" in bars.columns:
        later = pl.col("split").reverse().cum_prod().shift(1, fill_value=1.0).reverse()
        factor = later.over("symbol")
    prices = [(pl.col(name) / factor).alias(name) for name in ("open", "high", "low", "close")]
    bars = bars.with_columns(prices)
    same = bars["adj_close"].null_count() > 0
    bars = bars.with_columns(total=pl.col("close") if same else pl.col("adj_close"))
    indicators = compute_daily(
        bars.select("symbol", "day", "open", "high", "low", "close", "volume")
    )
    by_symbol = indicators.partition_by("symbol", maintain_order=True)
    signals = [compute_signals(one, VoteIndicator.MACD_CROSS)["strength"] for one in by_symbol]
    frame = bars.with_columns(signal=pl.concat(signals).cast(pl.Float64))
    told = frame.select("symbol", "day", "close", "total", "signal")
    return make_panel(told, None, load_held(path, market), HELD[1])


def walk_of(panel: Panel, currency: str = "USD") -> Walk:
    return walk_forward(panel, RuleEngine(), round_trip_costs(panel.days, currency))


def forecasts(walk: Walk) -> tuple[Floats, Floats, Floats]:
    """Probability, base rate and outcome of all that was forecast and is known."""
    p, beat = walk.calibration.probability, walk.outcomes.beat
    known = np.isfinite(p) & np.isfinite(beat)
    base = np.broadcast_to(walk.calibration.base[:, None], p.shape)
    return p[known], base[known], beat[known]


def skill_lines(walk: Walk) -> Iterator[Line]:
    p, base, beat = forecasts(walk)
    known = np.isfinite(walk.calibration.probability) & np.isfinite(walk.outcomes.beat)
    windows = known.any(axis=1).sum() // HORIZON
    enough = windows >= WINDOWS
    yield Line("windows forecast" if enough else "windows forecast: too few for a goal", windows)
    error, skill = calibration_error(reliability(p, beat)), brier_skill(p, base, beat)
    yield Line("ECE", error, high=0.03 if enough else None)
    yield Line("Brier skill", skill, low=-0.002 if enough else None)
    yield Line("probability, 5 %", float(np.quantile(p, 0.05)))
    yield Line("probability, 95 %", float(np.quantile(p, 0.95)))
    yield Line("base rate", float(base.mean()))
    ic = walk.daily.ic[np.isfinite(walk.daily.ic)]
    yield Line("IC", float(ic.mean()))
    yield Line("t of IC", t_value(ic))
    for name, hurdle in walk.daily.hurdles.items():
        yield Line(f"IC of {name}", float(np.nanmean(hurdle)))


def band_lines(walk: Walk) -> Iterator[Line]:
    move, bands = walk.outcomes.move, walk.bands
    known = np.isfinite(move) & np.isfinite(bands.low) & np.isfinite(bands.high)
    inside = (move >= bands.low) & (move <= bands.high)
    yield Line("band coverage", float(inside[known].mean()), 0.77, 0.83)
    years = walk.panel.days.astype("datetime64[Y]").astype(int) + 1970
    for year in np.unique(years):
        own = known & (years == year)[:, None]
        full = own.any(axis=1).sum() >= FULL_YEAR
        if own.any():
            bounds = (0.70, 0.92) if full else (None, None)
            label = f"coverage {year}" + ("" if full else " (part)")
            yield Line(label, float(inside[own].mean()), *bounds)
    for group in range(5):
        own = known & (bands.group == group)
        if own.any():
            label = f"coverage, volatility {group + 1} of 5"
            yield Line(label, float(inside[own].mean()), 0.74, 0.86)


def real(folder: Path | None) -> bool:
    """The parts on real prices."""
    met = True
    for market, name in FILES.items():
        path = folder / name if folder else None
        if path is None or not path.is_file():
            CONSOLE.print(f"[yellow]NO REAL PRICES of {market}: {path or 'no --prices'} is absent")
            continue
        panel = load_panel(path, market)
        currency = "USD" if market == "US" else "KRW"
        walk = walk_of(panel, currency)
        lines = [*skill_lines(walk), *band_lines(walk)]
        standing = stand(walk, len(panel.days) - 1)
        CONSOLE.print(f"{market}: {standing}")
        met &= show(f"{market}, {len(panel.symbols)} instruments", lines)
        show_beside(market, record_of(walk, round_trip_costs(panel.days, currency)))
    return met


def record_of(walk: Walk, cost: Floats) -> Record | None:
    """The record of what each session of a walk recommends, as the page on it tells it."""
    ranks = to_rank(walk.scores.place)
    issued = np.isfinite(ranks) & np.isfinite(walk.calibration.base)[:, None]
    at = np.nonzero(issued & np.isfinite(walk.outcomes.excess))
    rows = at[0]
    p, base = walk.calibration.probability[at], walk.calibration.base[rows]
    move, beat = walk.outcomes.move[at], walk.outcomes.beat[at]
    low, high = walk.bands.low[at], walk.bands.high[at]
    ended = {
        "day": walk.panel.days[rows],
        "action": [choose_action(round(rank, DIGITS)).value for rank in ranks[at].tolist()],
        "count": np.ones(len(rows)),
        "beat": beat,
        "excess": walk.outcomes.excess[at],
        "net": walk.outcomes.excess[at] - cost[rows],
        "returned": walk.outcomes.returns[at],
        "banded": np.isfinite(low + high),
        "inside": (move >= low) & (move <= high),
        "forecast": np.isfinite(p),
        "brier": np.nan_to_num((p - beat) ** 2),
        "brier_base": np.where(np.isfinite(p), (base - beat) ** 2, 0.0),
        "held": walk.outcomes.held[rows],
    }
    frame = pl.DataFrame(ended).cast(SUMS).with_columns(pl.col("held").fill_nan(None))
    plain = [
        frame.filter(pl.Series(chosen[at])).with_columns(baseline=pl.lit(baseline.value))
        for baseline, chosen in choose_plainly(walk.scores.values, issued).items()
    ]
    sums = pl.exclude("held").sum(), pl.col("held").first()
    return summarise(
        frame.group_by("day", "action", maintain_order=True).agg(sums).select(SUMS.names()),
        pl.concat(plain)
        .group_by("day", "baseline", maintain_order=True)
        .agg(pl.col(PLAIN.names()[2:]).sum()),
        pl.DataFrame(schema=CURVE),
        1,
    )


def show_beside(market: str, record: Record | None) -> None:
    """Prints the rule's purchases beside plain rules and what is held."""
    if record is None:
        CONSOLE.print(f"{market}: nothing has ended")
        return
    table = Table(title=f"{market}, purchases for 20 sessions; base rate {_told(record.base)}")
    for name in ("bought", "ended", "beat the market", "more, after costs", "return", "rule ahead"):
        table.add_column(name)
    for one in record.actions:
        if one.action is Action.BUY:
            told = [_told(mean) for mean in (one.beat, one.net, record.bought)]
            table.add_row("the rule", f"{one.count:,}", *told, "")
    for plain in record.baselines:
        told = [_told(mean) for mean in (plain.beat, plain.net, plain.bought, plain.lead)]
        table.add_row(plain.baseline.value, f"{plain.count:,}", *told)
    table.add_row("all in equal parts", "", "", "", _told(record.equal_weight), "")
    table.add_row(f"{HELD[1]}, held" if record.held else "none held", *[""] * 3, _told(record.held))
    CONSOLE.print(table)


def _told(mean: Mean | None) -> str:
    """A mean in percent with its interval."""
    if mean is None:
        return ""
    if mean.low is None or mean.high is None:
        return f"{mean.value:.2%}"
    return f"{mean.value:.2%} ({mean.low:.2%} to {mean.high:.2%})"


def shuffled(walk: Walk, seed: int) -> float:
    """The spread of probabilities when the outcomes of each day are dealt out anew."""
    random = np.random.default_rng(seed)
    beat = walk.outcomes.beat.copy()
    for row in beat:
        known = np.flatnonzero(np.isfinite(row))
        row[known] = row[random.permutation(known)]
    p = calibrate(walk.scores.place, beat, walk.panel.few).probability
    return float(np.nanquantile(p, 0.95) - np.nanquantile(p, 0.05))


def seeded(panels: int, symbols: int) -> bool:
    """The parts on seeded panels."""
    met = True
    for label, make in (("planted edge", planted), ("random walks", random_walks)):
        proven, weak, skills, ics, spreads, dealt = 0, 0, [], [], [], []
        for seed in range(panels):
            walk = walk_of(make(seed, symbols, SESSIONS))
            p, base, beat = forecasts(walk)
            skills.append(brier_skill(p, base, beat))
            ics.append(float(np.nanmean(walk.daily.ic)))
            spreads.append(float(np.quantile(p, 0.95) - np.quantile(p, 0.05)))
            dealt.append(shuffled(walk, seed))
            evidence = stand(walk, len(walk.panel.days) - 1).evidence
            proven += evidence is Evidence.PROVEN
            weak += evidence is Evidence.WEAK
        edge = make is planted
        lines = [
            Line("IC, mean", float(np.mean(ics))),
            Line("Brier skill, mean", float(np.mean(skills)), 0.003 if edge else -0.002),
            Line("Brier skill, lowest", float(np.min(skills))),
            Line("PROVEN", proven / panels, 0.9 if edge else None, None if edge else 0.05),
            Line("WEAK", weak / panels),
            Line("spread of probabilities, 5 to 95 %", float(np.mean(spreads))),
            Line(
                "the same, outcomes shuffled, by it",
                float(np.mean(dealt) / np.mean(spreads)),
                high=0.25 if edge else None,
            ),
            Line("the same, shuffled, absolute", float(np.mean(dealt)), high=0.02),
        ]
        met &= show(f"{panels} panels of {symbols}, {label}", lines)
    return met


def cloned() -> bool:
    """The interval of what one stock did beside that of 500 copies of it."""
    walk = walk_of(random_walks(3, symbols=1, days=1_900))
    beat = walk.outcomes.beat[np.isfinite(walk.outcomes.beat) & np.isfinite(walk.scores.place)]
    widths = []
    for copies in (1.0, 500.0):
        mean = cluster_mean(beat * copies, np.full(len(beat), copies), step=1, horizon=HORIZON)
        widths.append((mean.high or 0.0) - (mean.low or 0.0))
    lines = [
        Line("interval of one stock", widths[0]),
        Line("interval of 500 copies, by it", widths[1] / widths[0], 0.999, 1.001),
    ]
    return show("copies of one stock", lines)


def show(title: str, lines: list[Line]) -> bool:
    """Prints a table; whether every goal in it is met."""
    table = Table(title=title)
    for name in ("figure", "value", "goal", ""):
        table.add_column(name)
    for line in lines:
        bounds = [
            f"{sign} {bound:g}"
            for sign, bound in (("≥", line.low), ("≤", line.high))
            if bound is not None
        ]
        table.add_row(
            line.what,
            f"{line.value:.4f}",
            " and ".join(bounds),
            ("met" if line.met else "[red]MISSED") if bounds else "",
        )
    CONSOLE.print(table)
    return all(line.met for line in lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prices", type=Path)
    parser.add_argument("--panels", type=int, default=50)
    parser.add_argument("--symbols", type=int, default=SYMBOLS)
    parser.add_argument("--only", choices=("real", "seeded", "cloned"))
    chosen = parser.parse_args()
    parts: dict[str, Callable[[], bool]] = {
        "real": lambda: real(chosen.prices),
        "seeded": lambda: seeded(chosen.panels, chosen.symbols),
        "cloned": cloned,
    }
    met = [part() for name, part in parts.items() if chosen.only in {None, name}]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
