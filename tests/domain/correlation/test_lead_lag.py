"""What precedes what: little where there is nothing, the planted arrows, and two wrong nulls."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.correlation.granger import compare, prepare
from app.domain.correlation.lead_lag import Panel, find_lead_lags, score
from app.domain.correlation.returns import Returns
from app.errors import BadInput
from tests.comovers import make_panel, make_returns, plant

ARROWS = [(0, 5), (1, 6), (2, 7), (3, 8)]


def find(values, **options):
    result = find_lead_lags([make_panel(values)], **options)
    return {(int(p.cause[1:]), int(p.effect[1:])) for p in result.pairs if p.found}, result


def test_in_nothing_nothing_is_found(full):
    panels, count, days, runs = (20, 20, 2520, 199) if full else (5, 10, 800, 39)
    found = [
        bool(find(make_returns(np.random.default_rng(s), days, count), runs=runs, seed=s)[0])
        for s in range(panels)
    ]
    assert sum(found) <= panels // 10


def test_planted_arrows_are_found_and_point_the_right_way(full):
    panels, count, r, runs = (20, 20, 0.15, 199) if full else (3, 10, 0.25, 39)
    hits = turned = 0
    for seed in range(panels):
        values = plant(make_returns(np.random.default_rng(100 + seed), 2520, count), ARROWS, r)
        found, _ = find(values, runs=runs, seed=seed)
        hits += len(found & set(ARROWS))
        turned += len(found & {(effect, cause) for cause, effect in ARROWS})
    assert hits >= 0.8 * panels * len(ARROWS)
    assert turned == 0


def test_a_pair_says_what_it_rests_on():
    values = plant(make_returns(np.random.default_rng(7), 1200, 10), ARROWS, 0.3)
    _, result = find(values, runs=39)
    first = result.pairs[0]
    assert first.found
    assert (first.lags, first.rows) == (1, 599)
    assert first.strength > 0.2
    assert first.later_strength > 0.2
    assert first.q <= 0.05
    half = values[:600]
    plain = compare(prepare(half, 1), half)
    cause, effect = int(first.cause[1:]), int(first.effect[1:])
    assert (first.f, first.p) == pytest.approx((plain.f[cause, effect], plain.p[cause, effect]))
    assert len(result.pairs) == 90
    assert find(values, runs=39)[1] == result


def test_what_is_true_only_in_the_first_half_is_not_confirmed():
    values = make_returns(np.random.default_rng(8), 1200, 10)
    values[:600] = plant(values[:600], ARROWS, 0.4)
    found, result = find(values, runs=39)
    assert not found & set(ARROWS)
    assert sum(pair.q <= 0.05 for pair in result.pairs) >= 3


def test_the_clock_is_no_lead():
    """Seoul follows New York's night; each market's rows hold what was known before its return."""
    generator = np.random.default_rng(9)
    night = generator.standard_t(4, 1500)
    seoul = 0.5 * night + generator.standard_t(4, 1500)
    us, kr = np.column_stack([night, generator.standard_t(4, 1500)]), seoul[:, None]
    days = make_panel(us).returns.days
    symbols = ("AAPL", "MSFT", "005930.KS")
    on_seouls = Panel(Returns(symbols, days, np.hstack([us, kr])), ("005930.KS",))
    earlier = np.vstack([kr[:1], kr[:-1]])
    in_new_york = Panel(Returns(symbols, days, np.hstack([us, earlier])), ("AAPL", "MSFT"))
    result = find_lead_lags([on_seouls, in_new_york], runs=39)
    assert not [pair for pair in result.pairs if pair.found]
    by_date = in_new_york.returns.values
    assert compare(prepare(by_date, 1), by_date).p[0, 2] < 1e-6  # the trap


def test_series_that_wander_are_left_out_and_named():
    values = make_returns(np.random.default_rng(10), 600, 4)
    values[:, 2] = np.cumsum(values[:, 2])
    _, result = find(values, runs=19)
    assert result.wandering == ("S02",)
    assert {p.cause for p in result.pairs} == {"S00", "S01", "S03"}
    _, result = find(np.cumsum(values, axis=0), runs=19)
    assert result.pairs == ()


@pytest.mark.parametrize(
    ("days", "lags", "field"), [(119, 1, "from"), (500, 0, "maxLag"), (500, 11, "maxLag")]
)
def test_what_cannot_be_asked_is_refused(days, lags, field):
    values = make_returns(np.random.default_rng(11), days, 3)
    with pytest.raises(BadInput) as caught:
        find(values, max_lag=lags)
    assert caught.value.field == field


def count_small(causes, effects, threshold):
    p = compare(causes, effects).robust_p
    return int((p[~np.eye(len(p), dtype=bool)] < threshold).sum())


def test_a_step_for_each_series_is_the_wrong_null():
    """Shifts of a day apart turn what moves together on a day into a lead."""
    values = score(make_returns(np.random.default_rng(12), 1000, 30, factor=0.8))
    causes = prepare(values, 1)
    generator = np.random.default_rng(13)
    steps = generator.integers(-3, 4, size=30)
    own = np.column_stack([np.roll(c, 300 + n) for c, n in zip(values.T, steps, strict=True)])
    wrong = count_small(prepare(own, 1), own, 1e-6)
    right = count_small(causes, np.roll(values, 300, axis=0), 1e-6)
    assert right == 0
    assert wrong > 50


def test_taking_the_mean_of_the_market_away_finds_more_than_there_is():
    """Some follow the market a day late; what is left of the others then carries that day as well."""
    values = make_returns(np.random.default_rng(14), 2000, 30, factor=0.9)
    late = values.copy()
    late[1:, :10] = 0.4 * values[1:, :10] + 0.6 * values[:-1, 10:].mean(axis=1, keepdims=True)
    plain, less = score(late), score(late - late.mean(axis=1, keepdims=True))
    prompt, rest = plain[:, 10:], less[:, 10:]
    assert count_small(prepare(prompt, 1), prompt, 1e-4) <= 1
    assert count_small(prepare(rest, 1), rest, 1e-4) > 30
