"""Crossings: each alerts exactly once, whatever the path, through restarts and reorderings."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alerts.crossing import Phase, Seen, Standing, Watch, is_beyond, step, walk
from app.domain.alerts.rules import AlertKind

START = datetime(2026, 3, 4, tzinfo=UTC)
NONE = timedelta(0)
PRICES = st.lists(st.integers(90, 110), min_size=1, max_size=60)
KINDS = st.sampled_from([AlertKind.PRICE_ABOVE, AlertKind.PRICE_BELOW, AlertKind.NEW_HIGH])


def path(*values: float) -> list[Seen]:
    """A figure a minute."""
    return [Seen(START + timedelta(minutes=i), float(v)) for i, v in enumerate(values)]


def watch(kind=AlertKind.PRICE_ABOVE, band=2.0, cooldown=NONE) -> Watch:
    return Watch(kind, 100.0, band, cooldown)


def count_by_regions(rule: Watch, values: list[int]) -> int:
    """The crossings of a path in order, by the regions that it goes through: far, near, between."""
    sign = -1 if rule.kind is AlertKind.PRICE_BELOW else 1
    letters = []
    for value in values:
        over = sign * (value - rule.level)
        far = over > 0 if rule.kind is AlertKind.NEW_HIGH else over >= 0
        letters.append("B" if far else "A" if -over >= rule.band else "-")
    began = "B" if letters[0] == "B" else "A"
    return (began + "".join(letters[1:]).replace("-", "")).count("AB")


@given(KINDS, PRICES, st.integers(0, 5))
def test_a_path_in_order_fires_at_each_crossing_once(kind, values, band):
    rule = watch(kind, float(band))
    end, fired = walk(rule, Standing(), path(*values))
    assert len(fired) == end.crossings == count_by_regions(rule, values)


@given(PRICES, st.integers(0, 60), st.integers(0, 60), st.integers(0, 5))
def test_a_restart_that_sees_figures_again_fires_none_twice(values, stop, back, band):
    rule, whole = watch(band=float(band)), path(*values)
    before, first = walk(rule, Standing(), whole[:stop])
    kept = replace(before)  # what the table has, read anew
    end, second = walk(rule, kept, whole[max(0, stop - back) :])
    assert {seen.at for seen in first}.isdisjoint(seen.at for seen in second)
    assert end.crossings == len(first) + len(second)


@given(KINDS, PRICES, st.integers(0, 5), st.randoms(use_true_random=False))
def test_in_any_order_and_however_often_a_crossing_is_one_alert(kind, values, band, chance):
    rule, whole = watch(kind, float(band)), path(*values)
    told = [*whole, *chance.choices(whole, k=len(whole))]
    chance.shuffle(told)
    _, fired = walk(rule, Standing(), told)
    assert all(is_beyond(rule, seen.value) for seen in fired)
    for one, other in pairwise(fired):  # between two alerts the figure had gone back
        assert one.at < other.at
        sign = -1 if kind is AlertKind.PRICE_BELOW else 1
        between = [seen.value for seen in whole if one.at < seen.at < other.at]
        assert any(sign * (rule.level - value) >= band for value in between)


@given(PRICES, st.integers(1, 30))
def test_within_the_cooldown_nothing_fires_again(values, minutes):
    rule = watch(band=0.0, cooldown=timedelta(minutes=minutes))
    _, fired = walk(rule, Standing(), path(*values))
    assert all(b.at - a.at >= rule.cooldown for a, b in pairwise(fired))


def test_a_price_that_flaps_about_its_level_is_one_alert():
    chance = random.Random(8)
    values = [95.0, *(100 + chance.uniform(-1.5, 1.5) for _ in range(500))]
    assert len(walk(watch(), Standing(), path(*values))[1]) == 1


def test_a_figure_that_lies_beyond_when_the_rule_is_made_has_to_come_back_first():
    end, fired = walk(watch(), Standing(), path(101, 103, 99, 101))
    assert (end.phase, fired) == (Phase.SPENT, [])
    assert len(walk(watch(), end, [*path(0, 0, 0, 0, 98, 100)][4:])[1]) == 1


def test_the_level_itself_is_reached_but_a_high_has_to_be_passed():
    assert len(walk(watch(), Standing(), path(99, 100))[1]) == 1
    assert walk(watch(AlertKind.NEW_HIGH), Standing(), path(99, 100))[1] == []


def test_a_signal_fires_when_it_changes_or_comes_to_what_was_wanted():
    def words(*names: str) -> list[Seen]:
        return [Seen(START + timedelta(days=i), word=name) for i, name in enumerate(names)]

    told = words("HOLD", "HOLD", "BUY", "BUY", "STRONG_BUY", "HOLD")
    any_change = Watch(AlertKind.SIGNAL_CHANGE, 0.0, 0.0, NONE)
    assert [s.word for s in walk(any_change, Standing(), told)[1]] == ["BUY", "STRONG_BUY", "HOLD"]
    strong = replace(any_change, wanted="STRONG_BUY")
    assert [s.word for s in walk(strong, Standing(), told)[1]] == ["STRONG_BUY"]


def test_a_replay_counts_as_it_comes_and_may_begin_again():
    rule = watch(cooldown=timedelta(days=2))
    days = [
        Seen(START + timedelta(days=d), v, ordered=False) for d, v in ((5, 90), (5, 101), (9, 90))
    ]
    begun_again = [Seen(START, v, ordered=False) for v in (90.0, 101.0)]
    assert len(walk(rule, Standing(), [*days, *begun_again])[1]) == 2


@pytest.mark.parametrize(
    ("kind", "measure", "level", "band"),
    [
        (AlertKind.PRICE_ABOVE, None, 200.0, 1.0),
        (AlertKind.INDICATOR_BELOW, "sma_200", 200.0, 1.0),
        (AlertKind.INDICATOR_BELOW, "rsi_14", 30.0, 0.5),
        (AlertKind.CHANGE_BELOW, None, -3.0, 0.5),
    ],
)
def test_a_band_is_percent_of_a_price_and_else_in_the_figure_s_unit(kind, measure, level, band):
    assert Watch.of(kind, measure, level, 0.5, NONE).band == pytest.approx(band)


def test_what_changes_nothing_is_the_very_same_standing():
    standing = Standing(Phase.ARMED, seen_at=START)
    assert step(watch(), standing, Seen(START + timedelta(1), 90.0)) is standing
