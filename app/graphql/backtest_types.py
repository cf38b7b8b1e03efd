"""Types of the schema on backtests: strategies, settings, results and what stands beside them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

import strawberry

from app.domain.backtest.parameters import Kind, StrategyInfo, Value
from app.domain.backtest.request import Mode, Request
from app.domain.backtest.setup import Fill, Size
from app.domain.market import currency_digits
from app.errors import argument
from app.graphql.backtest_words import flag_word, parameter_word, strategy_words
from app.graphql.describing import described
from app.graphql.enums import register_enum
from app.graphql.scalars import Series
from app.translations import Locale

register_enum(Fill, "FillTime")
register_enum(Kind, "ParameterKind")
register_enum(Mode, "BacktestMode")
register_enum(Size, "SizingKind")


def show_value(value: Value) -> str:
    """A value as a form takes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def value_word(value: Value, locale: Locale) -> str:
    """A value as one reads it: a flag is yes or no."""
    return flag_word(on=value, locale=locale) if isinstance(value, bool) else show_value(value)


def money(value: float, currency: str) -> Decimal:
    """An amount in its currency's smallest unit."""
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-currency_digits(currency)))


@described
@strawberry.type
class StrategyParameter:
    """A parameter of a strategy: bounds of a number, or the words to choose from."""

    name: str
    label: str
    kind: Kind
    default: str
    min: float | None
    max: float | None
    choices: list[str]


@described
@strawberry.type(name="StrategyInfo")
class StrategyType:
    """A strategy that can be tested, in the reader's language."""

    key: str
    name: str
    description: str
    parameters: list[StrategyParameter]

    @classmethod
    def of(cls, info: StrategyInfo, locale: Locale) -> StrategyType:
        """From its description."""
        name, description = strategy_words(info.key, info.name, info.description, locale)
        parameters = [
            StrategyParameter(
                name=one.name,
                label=parameter_word(one.name, locale),
                kind=one.kind,
                default=show_value(one.default),
                min=one.least,
                max=one.most,
                choices=list(one.choices),
            )
            for one in info.parameters
        ]
        return cls(key=info.key, name=name, description=description, parameters=parameters)


@described
@strawberry.type
class ParameterValue:
    """A parameter and its value."""

    name: str
    label: str
    value: str


@described
@strawberry.type
class SweepAxis:
    """A parameter that was varied, and its values in order."""

    name: str
    label: str
    values: list[str]

    @classmethod
    def of(cls, name: str, values: Any, locale: Locale) -> SweepAxis:
        """From what is stored."""
        shown = [show_value(value) for value in values]
        return cls(name=name, label=parameter_word(name, locale), values=shown)


@described
@strawberry.type
class WalkForwardPlan:
    """Sessions of training, of testing, and between them; anchored: training from the start."""

    train: int
    test: int
    embargo: int
    anchored: bool


@described
@strawberry.type
class BacktestSettings:
    """What was asked for. `stop`, `target` and `trailing` are parts of a price.

    `taxed`, `ticks`, `limits` and `whole` say which rules of the market were kept.
    """

    parameters: list[ParameterValue]
    cash: Decimal
    costs: str
    fill: Fill
    slippage: float
    sizing: Size
    fraction: float
    slots: int | None
    stop: float | None
    target: float | None
    trailing: float | None
    interest: float
    borrowing: float
    volume_cap: float | None
    shorts: bool
    taxed: bool
    ticks: bool
    limits: bool
    whole: bool
    benchmark: str | None
    sweep: list[SweepAxis]
    walk_forward: WalkForwardPlan | None

    @classmethod
    def of(cls, request: Request, locale: Locale) -> BacktestSettings:
        """From a stored request."""
        setup, plan = request.setup, request.plan
        same = ("cash", "fill", "slippage", "interest", "borrowing", "volume_cap", "shorts")
        switches = ("taxed", "ticks", "limits", "whole")
        return cls(
            parameters=list_values(request.values, locale),
            costs=setup.costs.key,
            sizing=setup.sizing.kind,
            fraction=setup.sizing.fraction,
            slots=setup.sizing.slots,
            stop=setup.exits.stop,
            target=setup.exits.target,
            trailing=setup.exits.trailing,
            benchmark=request.benchmark,
            sweep=[SweepAxis.of(name, values, locale) for name, values in request.axes.items()],
            walk_forward=None if plan is None else WalkForwardPlan(**asdict(plan)),
            **{name: getattr(setup, name) for name in (*same, *switches)},
        )


def list_values(values: Any, locale: Locale) -> list[ParameterValue]:
    """Parameters with their values, for the reader."""
    return [
        ParameterValue(name=name, label=parameter_word(name, locale), value=show_value(value))
        for name, value in values.items()
    ]


@described
@strawberry.type
class BenchmarkResult:
    """What the same capital would have become elsewhere, and how the backtest relates to it.

    `name` is BUY_AND_HOLD (with costs), EQUAL_WEIGHT (each session anew, without costs and
    dividends), or a symbol. Alpha is a year's.
    """

    name: str
    final_equity: Decimal
    roi: float
    cagr: float | None
    sharpe_ratio: float | None
    max_drawdown: float
    volatility: float | None
    alpha: float | None
    beta: float | None

    @classmethod
    def of(cls, name: str, stored: dict[str, Any], currency: str) -> BenchmarkResult:
        """From a report."""
        same = ("roi", "cagr", "sharpe_ratio", "max_drawdown", "volatility", "alpha", "beta")
        facts = {key: stored[key] for key in same}
        return cls(name=name, final_equity=money(stored["final_equity"], currency), **facts)


@described
@strawberry.type
class LookAheadLeak:
    """What changed when later sessions were taken away: an input, or sides, sizes or fills.

    `day` is the first session about which something else was said, `cut` the last that was known.
    """

    name: str
    day: date
    cut: date


@described
@strawberry.type
class LookAheadCertificate:
    """Whether the strategy looked ahead: at how many of so many cuts something changed.

    `complete` is false while the cuts are being made.
    """

    complete: bool
    cuts: int
    changed: int
    leaks: list[LookAheadLeak]

    @classmethod
    def of(cls, stored: dict[str, Any] | None) -> LookAheadCertificate:
        """From a report."""
        if stored is None:
            return cls(complete=False, cuts=0, changed=0, leaks=[])
        leaks = [
            LookAheadLeak(
                name=one["name"],
                day=date.fromisoformat(one["day"]),
                cut=date.fromisoformat(one["cut"]),
            )
            for one in stored["leaks"]
        ]
        return cls(complete=True, cuts=stored["cuts"], changed=stored["changed"], leaks=leaks)


@described
@strawberry.type(name="Overfitting")
class OverfittingResult:
    """What is left of the Sharpe ratio: `psr` is its probability of being above zero.

    `dsr`: above the best of so many `trials` by chance; trials are all that you tried on
    overlapping instruments and days, deleted ones too. `pbo`: how often the best half is no better
    than the median in the other half.
    """

    trials: int
    psr: float | None
    dsr: float | None
    pbo: float | None


@described
@strawberry.type
class DrawdownSpan:
    """A fall from a peak until equity is back; `recovered` is null while it is not."""

    depth: float
    peak: date
    trough: date
    recovered: date | None

    @classmethod
    def of(cls, stored: dict[str, Any]) -> DrawdownSpan:
        """From a report."""
        days = {n: stored[n] and date.fromisoformat(stored[n]) for n in ("peak", "trough")}
        back = stored["recovered"]
        return cls(depth=stored["depth"], recovered=back and date.fromisoformat(back), **days)


@described
@strawberry.type
class Trade:
    """A round trip, from nothing held to nothing held; prices in shares of the last day."""

    symbol: str
    direction: str
    opened: date
    closed: date
    quantity: float
    entry_price: float
    exit_price: float
    profit: Decimal
    costs: Decimal
    reason: str

    @classmethod
    def of(cls, row: dict[str, Any], currency: str) -> Trade:
        """From a row of a report."""
        days = {name: date.fromisoformat(row[name]) for name in ("opened", "closed")}
        amounts = {name: money(row[name], currency) for name in ("profit", "costs")}
        return cls(**{**row, **days, **amounts})


@described
@strawberry.type
class WalkForwardResult:
    """Values chosen on each past and traded on what follows; Sharpe ratios a year.

    `inSampleSharpe` and `inSampleRoi` are those of the last choice over all sessions: what one
    would have been shown without walking forward. `folds` are columns: first, last, values,
    inSample, outOfSample.
    """

    in_sample_sharpe: float | None
    in_sample_roi: float
    folds: Series

    @classmethod
    def of(cls, stored: dict[str, Any], locale: Locale) -> WalkForwardResult:
        """From a report."""
        folds, inside = stored["folds"], stored["in_sample"]
        shown = [
            ", ".join(
                f"{parameter_word(n, locale)} {value_word(v, locale)}" for n, v in values.items()
            )
            for values in folds["values"]
        ]
        columns = {
            "first": folds["first"],
            "last": folds["last"],
            "values": shown,
            "inSample": folds["in_sample"],
            "outOfSample": folds["out_of_sample"],
        }
        return cls(
            in_sample_sharpe=inside["sharpe_ratio"],
            in_sample_roi=inside["roi"],
            folds=Series(columns),
        )


def camel_columns(columns: dict[str, list[Any]]) -> Series:
    """Columns under the names that the schema gives."""
    return Series({argument(name): values for name, values in columns.items()})
