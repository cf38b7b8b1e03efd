"""The track record out of the stored rows: nothing hidden, issued and simulated apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text

from app.db.frames import read_frame
from app.domain.recommend.calibration import WINDOWS
from app.domain.recommend.record import CURVE, PLAIN, SUMS, Record, summarise
from app.env import Env
from app.errors import BadInput
from app.services.market.prices import horizon
from app.services.settings import SOURCE_KEY, find_setting

STEPS: Final = {False: 1, True: 5}
"""Sessions from one issue to the next: each day when issued, each week when simulated."""


@dataclass(frozen=True)
class CurveRow:
    """A tenth of the forecasts: what was said in the mean, and how often it came true."""

    forecast: float
    seen: float
    count: int


@dataclass(frozen=True)
class RecordRow:
    """The record of a market, of what was issued or of what was simulated.

    Of `issued` rows `scored` have an outcome with figures, `unpriced` are over without prices that
    would tell, the others are not over yet. `record` is None until something was scored, and there
    is no curve before twelve windows were forecast.
    """

    market: str
    simulated: bool
    first_day: date
    last_day: date
    issued: int
    scored: int
    unpriced: int
    record: Record | None
    curve: list[CurveRow]

    @property
    def enough(self) -> bool:
        """Whether twelve windows of the horizon have ended."""
        return self.record is not None and self.record.windows >= WINDOWS


async def list_records(
    env: Env, model: str | None = None, first_day: date | None = None, last_day: date | None = None
) -> list[RecordRow]:
    """The records of a model (None: all) over what was issued between two days.

    Raises:
        BadInput: the days are in the wrong order.
        Unavailable: the database does not answer.
    """
    if first_day is not None and last_day is not None and first_day > last_day:
        message = "from is %(first)s and lies after to, which is %(last)s"
        raise BadInput(message, field="from", first=first_day, last=last_day)
    shown = await horizon(env) or date.max
    params = {
        "source": await find_setting(env, SOURCE_KEY),
        "model": model,
        "first": first_day or date.min,
        "last": last_day or date.max,
        "shown": shown,
    }
    found = []
    async with env.db.read() as db:
        for row in (await db.execute(text(_COUNTS), params)).mappings().all():
            own = params | {"market": row["market"], "simulated": row["simulated"]}
            sums = await read_frame(db, _SUMS_SQL, own, SUMS)
            plain = await read_frame(db, _PLAIN_SQL, own, PLAIN)
            curve = await read_frame(db, _CURVE_SQL, own, CURVE)
            record = summarise(sums, plain, curve, STEPS[row["simulated"]])
            told = record is not None and record.error is not None
            lines = [CurveRow(*line) for line in curve.iter_rows()] if told else []
            found.append(RecordRow(**row, record=record, curve=lines))
    return found


_WHERE: Final = """
    i.source = :source AND (CAST(:model AS text) IS NULL OR i.model = :model)
    AND i.day BETWEEN :first AND :last AND i.day <= :shown
"""
_OUTCOME: Final = """
    LEFT JOIN recommendation_outcome AS o
        ON o.issue_id = r.issue_id AND o.symbol = r.symbol AND o.day <= :shown
"""
_COUNTS: Final = f"""
    SELECT i.market, i.simulated, min(i.day) AS first_day, max(i.day) AS last_day,
        count(*) AS issued, count(*) FILTER (WHERE o.state = 'SCORED') AS scored,
        count(*) FILTER (WHERE o.state = 'NO_PRICES') AS unpriced
    FROM recommendation_issue AS i JOIN recommendation AS r ON r.issue_id = i.id {_OUTCOME}
    WHERE {_WHERE} GROUP BY i.market, i.simulated ORDER BY i.simulated, i.market
"""
_SCORED: Final = f"""
    FROM recommendation_issue AS i JOIN recommendation AS r ON r.issue_id = i.id
    JOIN recommendation_outcome AS o ON o.issue_id = r.issue_id AND o.symbol = r.symbol
    WHERE {_WHERE} AND i.market = :market AND i.simulated = :simulated
        AND o.state = 'SCORED' AND o.day <= :shown
"""
_SUMS_SQL: Final = f"""
    SELECT i.day, r.action, count(*) AS count, sum(o.beat::int) AS beat, sum(o.excess) AS excess,
        sum(o.net) AS net, sum(o.returned) AS returned, count(o.inside) AS banded,
        coalesce(sum(o.inside::int), 0) AS inside, count(r.probability) AS forecast,
        coalesce(sum((r.probability - o.beat::int) ^ 2), 0) AS brier,
        coalesce(sum((i.base_rate - o.beat::int) ^ 2)
                 FILTER (WHERE r.probability IS NOT NULL), 0) AS brier_base,
        min(o.held) AS held
    {_SCORED} GROUP BY i.day, r.action ORDER BY i.day, r.action
"""
_PLAIN_SQL: Final = f"""
    SELECT day, baseline, count(*) AS count, sum(beat::int) AS beat, sum(excess) AS excess,
        sum(net) AS net, sum(returned) AS returned
    FROM (SELECT r.issue_id, r.symbol, i.day, o.beat, o.excess, o.net, o.returned {_SCORED}) AS own
    JOIN baseline_choice USING (issue_id, symbol)
    GROUP BY 1, 2 ORDER BY 1, 2
"""
_CURVE_SQL: Final = f"""
    SELECT avg(p) AS forecast, avg(beat) AS seen, count(*) AS count FROM (
        SELECT r.probability AS p, o.beat::int AS beat,
            ntile(10) OVER (ORDER BY r.probability, i.day, r.symbol) AS bin
        {_SCORED} AND r.probability IS NOT NULL) AS forecasts
    GROUP BY bin ORDER BY bin
"""
