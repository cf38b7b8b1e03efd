"""Crossings: when a rule fires. Edge-triggered, with a band to go back through and a cooldown.

    NEW ──first figure, on the near side──► ARMED ──on or beyond the level──► SPENT   (fires)
     └───first figure, beyond───────────► SPENT ──back through the band, cooled down──► ARMED

So a figure that lies beyond its level when the rule is made fires nothing, one that flaps about its
level fires once, and a crossing is a number of its rule that is never given twice. A figure that is
not newer than the last one that moved the rule is left out: what comes twice or late moves nothing.
Figures are compared as floats: rounding to a float keeps the order of decimals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.alerts.rules import BELOW, EXTREMES, AlertKind, is_price_like


class Phase(StrEnum):
    """How a rule stands: it has seen nothing yet, waits for its crossing, or has had it."""

    NEW = "NEW"
    ARMED = "ARMED"
    SPENT = "SPENT"


@dataclass(frozen=True, slots=True)
class Watch:
    """What of a rule decides when it fires; `level` and `band` in the unit of the figure."""

    kind: AlertKind
    level: float
    band: float
    cooldown: timedelta
    wanted: str | None = None

    @classmethod
    def of(
        cls,
        kind: AlertKind,
        measure: str | None,
        level: float,
        band: float,
        cooldown: timedelta,
    ) -> Watch:
        """From a rule's row: a band in percent becomes one of the level's unit."""
        width = abs(level) * band / 100 if is_price_like(kind, measure) else band
        return cls(kind, level, width, cooldown, measure)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a rule stands; instants are those of the figures. `word` is the last signal seen."""

    phase: Phase = Phase.NEW
    crossings: int = 0
    seen_at: datetime | None = None
    armed_at: datetime | None = None
    fired_at: datetime | None = None
    word: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A figure of an instant: a value, or for a signal a word.

    `ordered` is False for a replay: its figures of a day share an instant, and after its last day
    it begins again, so they count as they come.
    """

    at: datetime
    value: float = 0.0
    word: str | None = None
    ordered: bool = True


def step(watch: Watch, standing: Standing, seen: Seen) -> Standing:
    """How the rule stands once it has seen that; it has fired if `crossings` is one more.

    The very same object comes back when nothing has changed.
    """
    if seen.ordered and standing.seen_at is not None and seen.at <= standing.seen_at:
        return standing
    if watch.kind is AlertKind.SIGNAL_CHANGE:
        return _step_word(watch, standing, seen)
    beyond = is_beyond(watch, seen.value)
    if standing.phase is Phase.ARMED:
        return _fire(standing, seen) if beyond else standing
    if standing.phase is Phase.NEW:
        return _spend(standing, seen) if beyond else _arm(standing, seen)
    back = not beyond and _distance(watch, seen.value) >= watch.band
    return _arm(standing, seen) if back and _cooled(watch, standing, seen.at) else standing


def walk(watch: Watch, standing: Standing, path: Iterable[Seen]) -> tuple[Standing, list[Seen]]:
    """All steps of a path: how the rule stands at its end, and the figures at which it fired."""
    fired = []
    for seen in path:
        after = step(watch, standing, seen)
        if after.crossings > standing.crossings:
            fired.append(seen)
        standing = after
    return standing, fired


def is_beyond(watch: Watch, value: float) -> bool:
    """Whether a figure is on the far side: a level is reached, a high or low is passed."""
    if watch.kind in EXTREMES:
        return _distance(watch, value) < 0
    return _distance(watch, value) <= 0


def _distance(watch: Watch, value: float) -> float:
    """How far a figure is from its level on the near side; negative beyond it."""
    return value - watch.level if watch.kind in BELOW else watch.level - value


def _step_word(watch: Watch, standing: Standing, seen: Seen) -> Standing:
    if seen.word is None or seen.word == standing.word:
        return standing
    known = replace(standing, phase=Phase.ARMED, seen_at=seen.at, word=seen.word)
    wanted = watch.wanted is None or watch.wanted == seen.word
    if standing.word is None or not wanted or not _cooled(watch, standing, seen.at):
        return known
    return replace(known, crossings=standing.crossings + 1, fired_at=seen.at)


def _cooled(watch: Watch, standing: Standing, at: datetime) -> bool:
    """Whether the cooldown is over; a replay that has begun again is before it."""
    fired = standing.fired_at
    return fired is None or not fired <= at < fired + watch.cooldown


def _fire(standing: Standing, seen: Seen) -> Standing:
    number = standing.crossings + 1
    return replace(standing, phase=Phase.SPENT, crossings=number, seen_at=seen.at, fired_at=seen.at)


def _spend(standing: Standing, seen: Seen) -> Standing:
    return replace(standing, phase=Phase.SPENT, seen_at=seen.at)


def _arm(standing: Standing, seen: Seen) -> Standing:
    return replace(standing, phase=Phase.ARMED, seen_at=seen.at, armed_at=seen.at)
