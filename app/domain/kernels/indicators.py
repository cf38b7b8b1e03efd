"""The indicators of one series of observed bars, compiled: one fused pass and a few short ones.

Formulas and seeds are those of TA-Lib (RSI, MACD, STOCH, SMA, BBANDS), sums and averages in its
order of operations, so that the last bits agree too:

- RSI(14), Wilder: the plain mean of the first 14 changes, then avg = avg * 13/14 + x/14.
- MACD(12, 26, 9): EMA(n) = EMA + (x - EMA) * 2/(n + 1); EMA26 starts with the mean of closes
  0..25, EMA12 with that of closes 14..25, the signal with that of the first 9 values of MACD.
- Slow stochastic(14, 3, 3): fast %K = 100 * (C - LL14) / (HH14 - LL14); %K and %D are means of 3.
- SMA(n) from a running sum.
- Bollinger(20, 2): the population's deviation (ddof = 0) from running sums of x - anchor and its
  square, where the anchor is renewed when it no longer lies near the window.

NaN stands for "no value": warm-up, RSI before the first change, a stochastic window without range
or with an unknown high or low. Closes are known.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from app.domain.kernels.compiled import compiled

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]

RSI, MACD, SIGNAL, K, D, SMA_20, SMA_50, SMA_200, UPPER, LOWER, HISTOGRAM = range(11)
"""Rows of a result. The middle Bollinger band is SMA_20."""

RESULTS: Final = 11
PAD: Final = 200
"""Zeros before the first close, so that running sums need no special case in their warm-up."""

_FIRST_ROWS: Final = np.array([14, 33, 33, 17, 17, 19, 49, 199, 19, 19, 33])
"""The first row with a value, of each result."""

# Integers from an array have one type; literal ones would each be compiled for.
_SEEDS: Final = np.array([0, 15, 26, 34])
_ANCHORED: Final = 640
_UP, _DOWN, _FAST, _SLOW, _SIGNAL, _SUM_20, _SUM_50, _SUM_200 = range(8)


class Bars(NamedTuple):
    """Bars of many symbols, one symbol after the other; NaN where a price is unknown."""

    high: Floats
    low: Floats
    close: Floats
    bounds: Ints  # symbol i has the rows bounds[i] to bounds[i + 1]
    order: Ints  # the rows of each symbol by day; nothing where all lie so


class Room(NamedTuple):
    """Buffers for the longest symbol, of n rows; overwritten."""

    places: Ints  # n: which row each observed one is; from the end on, those without a close
    prices: Table  # 3 x n: of the observed rows
    results: Table  # RESULTS x n: of the observed rows
    work: Table  # 4 x (PAD + n)


def make_room(rows: int) -> Room:
    """Buffers for symbols of up to so many rows."""
    places = np.empty(rows, dtype=np.int64)
    prices, results = np.empty((3, rows)), np.empty((RESULTS, rows))
    return Room(places, prices, results, np.empty((4, PAD + rows)))


@compiled
def compute_all(bars: Bars, out: Table, at: int, room: Room) -> None:
    """Writes the results of all bars into `out` (RESULTS x rows), from column `at` on.

    A row without a close is left out of the calculation and gets NaN.
    """
    for i in range(len(bars.bounds) - 1):
        a, b = bars.bounds[i], bars.bounds[i + 1]
        high, low, close = bars.high[a:b], bars.low[a:b], bars.close[a:b]
        order = bars.order[a:b]
        plain = True
        for value in close:
            plain &= not np.isnan(value)
        for j in range(len(order)):
            plain &= order[j] == a + j
        if plain:
            _compute_one(high, low, close, out, at + a, room.work)
        else:
            _compute_observed(bars, a, b, out, at, room)


@compiled
def _compute_observed(  # noqa: PLR0913, PLR0917 - as compute_all, for a span
    bars: Bars, a: int, b: int, out: Table, at: int, room: Room
) -> None:
    """`compute_all` for the symbol of rows a..b, which has gaps or lies in another order."""
    places, prices, results = room.places, room.prices, room.results
    n = 0
    for i in range(a, b):
        row = bars.order[i] if len(bars.order) else i
        observed = not np.isnan(bars.close[row])
        places[n if observed else n + b - i - 1] = at + row
        prices[0, n], prices[1, n], prices[2, n] = bars.high[row], bars.low[row], bars.close[row]
        n += observed
    _compute_one(prices[0, :n], prices[1, :n], prices[2, :n], results, _SEEDS[0], room.work)
    for k in range(RESULTS):
        for j in range(n):
            out[k, places[j]] = results[k, j]
        for j in range(n, b - a):
            out[k, places[j]] = np.nan


@compiled
def compute_strips(cells: Floats, held: Flags, bounds: Ints, room: Room) -> None:
    """Replaces high, low and close of each cell by its results.

    A cell has RESULTS places in `cells`, of which the first three hold them; `held` says whether it
    has a row. Symbol i has the cells bounds[i] to bounds[i + 1], by day.
    """
    places, prices, results = room.places, room.prices, room.results
    for i in range(len(bounds) - 1):
        n = 0
        for cell in range(bounds[i], bounds[i + 1]):
            place = cell * RESULTS
            if held[cell]:
                if np.isnan(cells[place + 2]):
                    cells[place : place + RESULTS] = np.nan
                else:
                    places[n] = place
                    for k in range(3):
                        prices[k, n] = cells[place + k]
                    n += 1
        _compute_one(prices[0, :n], prices[1, :n], prices[2, :n], results, _SEEDS[0], room.work)
        for j in range(n):
            for k in range(RESULTS):
                cells[places[j] + k] = results[k, j]


@compiled
def _compute_one(  # noqa: PLR0913, PLR0917 - columns, where they go, a buffer
    high: Floats, low: Floats, close: Floats, out: Table, at: int, work: Table
) -> None:
    """All rows of `out` for one symbol of known closes, from column `at` on."""
    if len(close) == 0:
        return
    end = at + len(close)
    _recur_all(close, out, at, work)
    _variances(close, out[UPPER, at:end])
    _bands(out, at, end)
    _stochastic(high, low, close, out[K, at:end], out[D, at:end], work)
    for k in range(RESULTS):
        for i in range(at, min(end, at + _FIRST_ROWS[k])):
            out[k, i] = np.nan


@compiled
def _recur_all(close: Floats, out: Table, at: int, work: Table) -> None:
    """The recursions over all rows, stopping where one of them gets its seed."""
    n = len(close)
    padded = work[0]
    padded[:PAD] = 0.0
    for i in range(n):
        padded[PAD + i] = close[i]
    state = np.zeros(8)
    start, rsi_seed, macd_seed, signal_seed = _SEEDS[0], _SEEDS[1], _SEEDS[2], _SEEDS[3]
    _recur(padded, start, min(n, rsi_seed), state, out, at)
    if n > 14:
        rises = falls = 0.0
        for i in range(1, 15):
            change = close[i] - close[i - 1]
            rises += max(change, 0.0)
            falls += max(-change, 0.0)
        state[_UP], state[_DOWN] = rises / 14.0, falls / 14.0
        out[RSI, at + 14] = _share(state[_UP], state[_DOWN])
    _recur(padded, rsi_seed, min(n, macd_seed), state, out, at)
    if n > 25:
        state[_SLOW] = _mean(close[:26])
        state[_FAST] = _mean(close[14:26])
        out[MACD, at + 25] = state[_FAST] - state[_SLOW]
    _recur(padded, macd_seed, min(n, signal_seed), state, out, at)
    if n > 33:
        out[SIGNAL, at + 33] = state[_SIGNAL] = _mean(out[MACD, at + 25 : at + 34])
        out[HISTOGRAM, at + 33] = out[MACD, at + 33] - out[SIGNAL, at + 33]
    _recur(padded, signal_seed, n, state, out, at)


@compiled
def _mean(values: Floats) -> float:
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


@compiled
def _share(up: float, fall: float) -> float:
    """RSI: the share of rises among all changes, in percent."""
    both = up + fall
    return 100.0 * (up / both) if both > 0.0 else np.nan


@compiled
def _recur(  # noqa: PLR0913, PLR0917 - one pass touches them all
    padded: Floats, start: int, stop: int, state: Floats, out: Table, at: int
) -> None:
    """One pass over the rows start..stop: every running sum and average beside the others.

    They do not wait for one another, so together they cost little more than the slowest alone; the
    divisions, which no later row waits for, are done meanwhile.
    """
    if stop <= start:
        return
    now, before = padded[PAD + start : PAD + stop], padded[PAD + start - 1 :]
    old_20, old_50 = padded[PAD + start - 19 :], padded[PAD + start - 49 :]
    old_200 = padded[PAD + start - 199 :]
    a, b = at + start, at + stop
    rsi, macds, signals = out[RSI, a:b], out[MACD, a:b], out[SIGNAL, a:b]
    histogram, sma_20 = out[HISTOGRAM, a:b], out[SMA_20, a:b]
    sma_50, sma_200 = out[SMA_50, a:b], out[SMA_200, a:b]
    up, fall, fast, slow = state[_UP], state[_DOWN], state[_FAST], state[_SLOW]
    signal, sum_20, sum_50 = state[_SIGNAL], state[_SUM_20], state[_SUM_50]
    sum_200 = state[_SUM_200]
    for i in range(len(now)):
        x = now[i]
        change = (x - before[i]) * (1 / 14)
        up = up * (13 / 14) + max(change, 0.0)
        fall = fall * (13 / 14) + max(-change, 0.0)
        fast = (x - fast) * (2 / 13) + fast
        slow = (x - slow) * (2 / 27) + slow
        macd = fast - slow
        signal = (macd - signal) * 0.2 + signal
        sum_20 += x
        sum_50 += x
        sum_200 += x
        rsi[i] = _share(up, fall)
        macds[i], signals[i], histogram[i] = macd, signal, macd - signal
        sma_20[i], sma_50[i], sma_200[i] = sum_20 / 20.0, sum_50 / 50.0, sum_200 / 200.0
        sum_20 -= old_20[i]
        sum_50 -= old_50[i]
        sum_200 -= old_200[i]
    state[_UP], state[_DOWN], state[_FAST], state[_SLOW] = up, fall, fast, slow
    state[_SIGNAL], state[_SUM_20], state[_SUM_50] = signal, sum_20, sum_50
    state[_SUM_200] = sum_200


@compiled
def _variances(close: Floats, out: Floats) -> None:
    """The population's variance of each 20 closes; rows before the first whole window are left.

    The anchor is renewed after 32 windows, when its distance takes more than 6 digits from the
    variance, or when a far value has just left the sums: TA-Lib's rule, so that both agree.
    """
    if len(close) < 20:
        return
    old, new, variances = close, close[19:], out[19:]
    anchor, total, squares = close[0], 0.0, 0.0
    for i in range(19):
        x = close[i] - anchor
        total += x
        squares += x * x
    i = 0
    while i < len(new):
        limit = i + _ANCHORED
        stop = min(limit, len(new))
        stale = False
        while i < stop and not stale:
            x = new[i] - anchor
            total += x
            squares += x * x
            mean = total * (1 / 20)
            variance = squares * (1 / 20) - mean * mean
            variances[i] = variance
            x = old[i] - anchor
            total -= x
            x *= x
            squares -= x
            stale = variance < 1e-6 * (squares * (1 / 20)) or x > 1e6 * squares
            i += 1
        if stale or i == limit:
            anchor, total, squares, variances[i - 1] = _anchor(close[i - 1 : i + 19])


@compiled
def _anchor(window: Floats) -> tuple[float, float, float, float]:
    """The mean of 20 closes, the sums about it without the first close, and the variance."""
    total = 0.0
    for x in window:
        total += x
    anchor = total * (1 / 20)
    total = squares = 0.0
    for value in window:
        x = value - anchor
        total += x
        squares += x * x
    mean = total * (1 / 20)
    variance = squares * (1 / 20) - mean * mean
    if variance < 1e-12 * (squares * (1 / 20)):
        variance = 0.0
    x = window[0] - anchor
    return anchor, total - x, squares - x * x, variance


@compiled
def _bands(out: Table, start: int, stop: int) -> None:
    """The Bollinger bands, where the variances lie: the processor takes several roots at a time."""
    middle, upper, lower = out[SMA_20, start:stop], out[UPPER, start:stop], out[LOWER, start:stop]
    for i in range(len(middle)):
        band = 2.0 * np.sqrt(upper[i])
        upper[i], lower[i] = middle[i] + band, middle[i] - band


@compiled
def _stochastic(  # noqa: PLR0913, PLR0917 - columns in, columns out, a buffer
    high: Floats, low: Floats, close: Floats, k: Floats, d: Floats, work: Table
) -> None:
    """Slow %K and %D: fast %K of rows 13.., means of 3 of it, means of 3 of those.

    The extreme of 14 rows is that of four groups of 4 rows, so nothing is searched for.
    """
    n = len(close)
    if n <= 17:
        return
    top, bottom, fast = work[1], work[2], work[3]
    for i in range(n - 3):
        top[i] = max(high[i], high[i + 1], high[i + 2], high[i + 3])
        bottom[i] = min(low[i], low[i + 1], low[i + 2], low[i + 3])
    for i in range(n - 13):
        highest = max(top[i], top[i + 4], top[i + 8], top[i + 10])
        lowest = min(bottom[i], bottom[i + 4], bottom[i + 8], bottom[i + 10])
        size = highest - lowest
        fast[i] = 100.0 * (close[i + 13] - lowest) / size if size != 0.0 else np.nan
    _forget_unknown(high, low, fast[: n - 13])
    for i in range(n - 15):
        k[i + 15] = (fast[i] + fast[i + 1] + fast[i + 2]) / 3.0
    for i in range(n - 17):
        d[i + 17] = (k[i + 15] + k[i + 16] + k[i + 17]) / 3.0


@compiled
def _forget_unknown(high: Floats, low: Floats, fast: Floats) -> None:
    """Windows that hold an unknown high or low have no fast %K; fast[j] looks at rows j..j+13."""
    unknown = 0
    for i in range(len(high)):
        unknown += np.isnan(high[i]) | np.isnan(low[i])
    if unknown == 0:
        return
    for i in range(len(high)):
        if np.isnan(high[i]) or np.isnan(low[i]):
            fast[max(i - 13, 0) : min(i + 1, len(fast))] = np.nan
