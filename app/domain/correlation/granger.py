"""Granger's test, all pairs at once: what the past of a cause tells beyond an effect's own past.

With p lags, y_t on a constant, its own p lags and the p lags of x; F is that of the last p
coefficients being zero (Granger 1969). Frisch and Waugh: with everything first freed of the
constant and of y's own lags, the fall of the residual sum is b' A⁻¹ b, with A the products of x's
lags and b theirs with y. So an effect is freed once for all causes, and all of it is one product of
matrices; pair by pair it is the same number.

F takes the size of the moves as even. Prices have spells of large moves, which come to all at the
same time, and then F finds what is not there. The robust F beside it weighs each day by the
effect's own rest on that day: b' M⁻¹ b / p with M = Σ e² x x' (the score test with White's
covariance, 1980).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from app.domain.correlation.fisher import f_tail

Numbers = np.ndarray[Any, np.dtype[np.float64]]

NOTHING_LEFT: Final = 1e-9
"""Below this part of its movement, a cause says nothing that the effect's own past does not."""


@dataclass(frozen=True)
class Granger:
    """For each cause (row) and effect (column); NaN where a pair cannot be tested."""

    f: Numbers
    p: Numbers
    robust: Numbers
    """F that allows for spells of large moves."""
    strength: Numbers
    """The partial correlation: √(share of the rest explained), with the sign of Σ coefficients."""
    bic: float
    """Of all models together: to compare numbers of lags on the same rows."""
    rows: int
    lags: int

    @property
    def free(self) -> int:
        """Degrees of freedom of the rest."""
        return self.rows - 2 * self.lags - 1

    @property
    def robust_p(self) -> Numbers:
        """The p of the robust F."""
        return f_tail(self.robust, self.lags, self.free)


@dataclass(frozen=True)
class Causes:
    """The lags of the causes, prepared once for many sets of effects."""

    lags: int
    first: int
    past: Numbers  # rows by (causes * lags), each column with mean 0 and spread 1
    squares: Numbers  # rows by (causes * lags * lags): the products of lags on each row
    products: Numbers  # causes by lags by lags: their sums


def prepare(causes: Numbers, lags: int, first: int | None = None) -> Causes:
    """The causes (rows by causes) for a test with `lags`; row `first` is the first that is told."""
    begin = lags if first is None else first
    spread = causes.std(axis=0)
    about = (causes - causes.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    past = _lag(about, lags, begin)
    rows = len(past)
    squares = past[:, :, :, None] * past[:, :, None, :]
    products = squares.sum(axis=0)
    return Causes(lags, begin, past.reshape(rows, -1), squares.reshape(rows, -1), products)


def compare(causes: Causes, effects: Numbers) -> Granger:
    """Every cause against every effect (rows by effects, the rows of the causes).

    An effect that does not move, and a cause that repeats the effect's past (itself), are NaN.
    """
    lags, rows = causes.lags, len(causes.past)
    spread = effects.std(axis=0)
    about = (effects - effects.mean(axis=0)) / np.where(spread > 0.0, spread, np.nan)
    about = np.nan_to_num(about)
    own = _lag(about, lags, causes.first).transpose(1, 0, 2)
    constant = np.ones((len(own), rows, 1))
    basis = np.linalg.qr(np.concatenate([constant, own], axis=2)).Q
    told = about[causes.first :].T
    rest = told - (basis @ (basis.transpose(0, 2, 1) @ told[:, :, None]))[:, :, 0]
    rest_sum = np.einsum("en,en->e", rest, rest)

    count, width = len(own), lags + 2
    sides = np.concatenate([basis, rest[:, :, None]], axis=2).transpose(0, 2, 1)
    shares = (sides.reshape(count * width, rows) @ causes.past).reshape(count, width, -1, lags)
    along, b = shares[:, :-1], shares[:, -1]
    left = causes.products - np.einsum("eqci,eqcj->ecij", along, along, optimize=True)
    usable = _is_usable(left, causes.products) & (rest_sum > NOTHING_LEFT * rows)[:, None]
    left = np.where(usable[:, :, None, None], left, np.eye(lags))
    coefficients = np.linalg.solve(left, b[..., None])[..., 0]
    fall = np.einsum("eci,eci->ec", b, coefficients)

    spread = _weigh(causes, basis, rest, along)
    spread = np.where(usable[:, :, None, None], spread, np.eye(lags))
    weighed = np.einsum("eci,eci->ec", b, np.linalg.solve(spread, b[..., None])[..., 0]) / lags
    robust = np.where(usable, weighed, np.nan)
    whole = np.where(usable, rest_sum[:, None], np.nan)
    free = rows - 2 * lags - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        f = (fall / lags / ((whole - fall) / free)).T
        strength = (np.sign(coefficients.sum(axis=2)) * np.sqrt(fall / whole)).T
        bic = rows * np.log((whole - fall) / rows) + (2 * lags + 1) * np.log(rows)
    return Granger(f, f_tail(f, lags, free), robust.T, strength, float(np.nansum(bic)), rows, lags)


def _weigh(causes: Causes, basis: Numbers, rest: Numbers, along: Numbers) -> Numbers:
    """M of each effect and cause, expanded, so that no pair is freed by itself.

    With x' = x - Q c, Σ e² x' x'' = Σ e² x x - (Σ e² x Q) c - ... + c' (Σ e² Q Q) c.
    """
    lags, rows = causes.lags, len(causes.past)
    count, _, width = basis.shape
    weights = rest**2
    of_past = (weights @ causes.squares).reshape(count, -1, lags, lags)
    weighted = (basis * weights[:, :, None]).transpose(0, 2, 1)
    mixed = (weighted.reshape(count * width, rows) @ causes.past).reshape(count, width, -1, lags)
    crossing = np.einsum("eqci,eqcj->ecij", mixed, along, optimize=True)
    inner = np.einsum("eqr,erci->eqci", weighted @ basis, along, optimize=True)
    spread: Numbers = np.einsum("eqci,eqcj->ecij", along, inner, optimize=True)
    spread += of_past - crossing - crossing.swapaxes(2, 3)
    return spread


def _lag(values: Numbers, lags: int, first: int) -> Numbers:
    """(rows - first) by columns by lags: the values 1, 2, … rows before each row, from `first`."""
    past = [values[first - n : len(values) - n] for n in range(1, lags + 1)]
    return np.stack(past, axis=2)


def _is_usable(left: Numbers, products: Numbers) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether every lag of a cause still moves when it is freed of the effect's own past."""
    remains = np.diagonal(left, axis1=2, axis2=3)
    before = np.diagonal(products, axis1=1, axis2=2)
    return np.asarray((remains > NOTHING_LEFT * before).all(axis=2))
