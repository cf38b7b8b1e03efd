"""The built-in strategies: crosses, oscillators, bands, the product's own signal, momentum."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, ClassVar, Final

import numpy as np

from app.domain.backtest.history import History
from app.domain.backtest.strategy import (
    Decision,
    Kind,
    LineRule,
    LineStrategy,
    Parameter,
    Strategy,
    Values,
)
from app.domain.backtest.value import ValueFilter
from app.domain.indicators import compute_daily
from app.domain.signal_series import INPUTS, fuse, vote_cross, vote_rsi, vote_stochastic

_SHORT: Final = Parameter("short", Kind.FLAG, default=False)


def _bars(name: str, default: int, least: int = 1, most: int = 2_000) -> Parameter:
    return Parameter(name, Kind.INTEGER, default, least, most)


def _depends(**parts: str) -> dict[str, tuple[str, ...]]:
    """What parts of a rule depend on: these parameters, `short` on its own, others on none."""
    parts_of_none = ("plus", "minus", "sign", "enter", "leave")
    nothing: dict[str, tuple[str, ...]] = dict.fromkeys(parts_of_none, ())
    return nothing | {"short": ("short",)} | {part: tuple(n.split()) for part, n in parts.items()}


class _Cross(LineStrategy):
    """Long while the fast average lies above the slow one."""

    average: ClassVar[str]
    parameters = (_bars("fast", 20), _bars("slow", 60), _SHORT)
    ordered = (("fast", "slow"),)
    depends: ClassVar = _depends(plus="fast", minus="slow")

    def rule(self, values: Values) -> LineRule:
        """Fast against slow."""
        fast, slow = ((self.average, values[name]) for name in ("fast", "slow"))
        return LineRule(fast, slow, short=bool(values["short"]))


class SmaCross(_Cross):
    """Simple moving averages."""

    key, name, average = "sma_cross", "SMA cross", "sma"
    description = "Long while the fast simple moving average lies above the slow one."


class EmaCross(_Cross):
    """Exponential moving averages."""

    key, name, average = "ema_cross", "EMA cross", "ema"
    description = "Long while the fast exponential moving average lies above the slow one."


class Macd(LineStrategy):
    """MACD against its signal line."""

    key, name = "macd", "MACD"
    description = "Long while the MACD lies above its signal line."
    parameters = (_bars("fast", 12), _bars("slow", 26), _bars("signal", 9), _SHORT)
    ordered = (("fast", "slow"),)

    depends: ClassVar = _depends(plus="fast slow", minus="fast slow signal")

    def rule(self, values: Values) -> LineRule:
        """MACD against signal."""
        fast, slow, signal = (values[name] for name in ("fast", "slow", "signal"))
        lines = ("macd", fast, slow), ("macd_signal", fast, slow, signal)
        return LineRule(*lines, short=bool(values["short"]))


class RsiReversion(LineStrategy):
    """Buys what fell."""

    key, name = "rsi_reversion", "RSI reversion"
    description = (
        "Buys when the RSI falls below a level, and sells when it has risen above another."
    )
    parameters = (
        _bars("window", 14, 2),
        Parameter("buy_below", Kind.NUMBER, 30.0, 0.0, 100.0),
        Parameter("sell_above", Kind.NUMBER, 50.0, 0.0, 100.0),
        _SHORT,
    )

    depends: ClassVar = _depends(minus="window", enter="buy_below", leave="sell_above")

    def rule(self, values: Values) -> LineRule:
        """50 - RSI against the levels."""
        return _below(("rsi", int(values["window"])), values)


class Stochastic(LineStrategy):
    """Buys at the low end of the range."""

    key, name = "stochastic", "Stochastic"
    description = (
        "Buys when the slow %K falls below a level, sells when it has risen above another."
    )
    parameters = (
        _bars("window", 14, 2),
        _bars("smoothing", 3, 1, 100),
        Parameter("buy_below", Kind.NUMBER, 20.0, 0.0, 100.0),
        Parameter("sell_above", Kind.NUMBER, 80.0, 0.0, 100.0),
        _SHORT,
    )

    depends: ClassVar = _depends(minus="window smoothing", enter="buy_below", leave="sell_above")

    def rule(self, values: Values) -> LineRule:
        """50 - %K against the levels."""
        return _below(("slow_k", int(values["window"]), int(values["smoothing"])), values)


class BollingerBreakout(LineStrategy):
    """Goes with what leaves the band."""

    key, name = "bollinger_breakout", "Bollinger breakout"
    description = (
        "Buys when the close lies above the upper band, sells when it falls below the middle."
    )
    parameters = (_bars("window", 20, 2), Parameter("width", Kind.NUMBER, 2.0, 0.1, 10.0), _SHORT)

    depends: ClassVar = _depends(plus="window", enter="width")

    def rule(self, values: Values) -> LineRule:
        """Deviations above the mean."""
        return _band(values, 1.0)


class BollingerReversion(LineStrategy):
    """Goes against what leaves the band."""

    key, name = "bollinger_reversion", "Bollinger reversion"
    description = (
        "Buys when the close lies below the lower band, sells when it is back at the middle."
    )
    parameters = BollingerBreakout.parameters
    depends: ClassVar = BollingerBreakout.depends

    def rule(self, values: Values) -> LineRule:
        """Deviations below the mean."""
        return _band(values, -1.0)


class FusedSignal(Strategy):
    """The product's signal: three votes."""

    key, name = "fused_signal", "Fused signal"
    description = "Long from a buy signal (strong ones only, if wanted) until a sell signal."
    parameters = (Parameter("strong_only", Kind.FLAG, default=True),)

    def decide(self, history: History, values: Values) -> Decision:
        """Votes of RSI(14), slow %K(14, 3) and a MACD cross of the last three bars."""
        daily = compute_daily(history.frame)
        inputs = {name: history.spread(daily, name) for name in INPUTS}
        rsi, k, histogram = inputs.values()
        votes = [vote_rsi(rsi), vote_stochastic(k), _crosses(history, histogram)]
        level = fuse(np.stack(votes))
        buy, sell = level >= (2 if values["strong_only"] else 1), level < 0
        return Decision(_hold(buy, sell), inputs)


class Momentum(Strategy):
    """Ranks a universe by its return and holds the first ones."""

    key, name = "momentum", "Momentum ranking"
    description = (
        "Holds the instruments with the highest return, and ranks them again every so often."
    )
    parameters = (
        _bars("window", 126, 2),
        _bars("skip", 21, 0, 250),
        _bars("every", 21, 1, 250),
        _bars("top", 3, 1, 500),
    )
    ordered = (("skip", "window"),)

    def decide(self, history: History, values: Values) -> Decision:
        """Return from `window` to `skip` sessions ago; only those with a rising price are held."""
        window, skip, every, top = (int(values[p.name]) for p in self.parameters)
        close = history.close
        rank = np.full(history.shape, np.nan)
        n = len(close)
        if n > window:
            rank[window:] = close[window - skip : n - skip] / close[: n - window] - 1.0
        side = np.zeros(history.shape, dtype=np.int8)
        for t in range(n):
            if t and (t - window) % every:
                side[t] = side[t - 1]
            elif t >= window:
                order = np.argsort(-np.where(rank[t] > 0, rank[t], -np.inf), kind="stable")[:top]
                side[t, order] = rank[t, order] > 0
        return Decision(side, {"momentum": rank}, slots=min(top, history.shape[1]))


class BuyAndHold(Strategy):
    """What everything is compared with."""

    key, name = "buy_and_hold", "Buy and hold"
    description = "Buys every instrument once and keeps it."

    def decide(self, history: History, values: Values) -> Decision:  # noqa: ARG002 - has none
        """Long from the first close on."""
        seen = np.maximum.accumulate(np.isfinite(history.close), axis=0)
        return Decision(seen.astype(np.int8))


STRATEGIES: Final = MappingProxyType(
    {
        strategy.key: strategy
        for strategy in (
            SmaCross(),
            EmaCross(),
            RsiReversion(),
            Macd(),
            BollingerBreakout(),
            BollingerReversion(),
            Stochastic(),
            FusedSignal(),
            Momentum(),
            ValueFilter(),
            BuyAndHold(),
        )
    }
)


def _below(line: tuple[str | float, ...], values: Values) -> LineRule:
    """Long from below one level until above another."""
    low, high = float(values["buy_below"]), float(values["sell_above"])
    return LineRule(("level", 50.0), line, 1.0, 50.0 - low, 50.0 - high, bool(values["short"]))


def _band(values: Values, sign: float) -> LineRule:
    line, width = ("deviation", int(values["window"])), float(values["width"])
    return LineRule(line, sign=sign, enter=width, leave=0.0, short=bool(values["short"]))


def _crosses(history: History, histogram: Any) -> Any:
    """Votes of the crosses of each instrument's bars; a session without a close is none."""
    out = np.full(history.shape, np.nan)
    for k in range(history.shape[1]):
        seen = np.isfinite(history.close[:, k])
        out[seen, k] = vote_cross(histogram[seen, k])
    return out


def _hold(buy: Any, sell: Any) -> Any:
    """1 from a buy until a sell, 0 from there."""
    rows = np.arange(len(buy))[:, None]
    last_buy = np.maximum.accumulate(np.where(buy, rows, -1), axis=0)
    last_sell = np.maximum.accumulate(np.where(sell, rows, -1), axis=0)
    return ((last_buy > last_sell) & (last_buy >= 0)).astype(np.int8)
