"""What the plain rules would have bought of what was issued: appended once beside each issue.

Issues that were made before there were plain rules get theirs at the next walk, from the same
figures that the engine was given.
"""

from __future__ import annotations

import asyncio
from typing import Final

import numpy as np
import polars as pl

from app.db.frames import merge_frame, read_frame
from app.domain.recommend.baselines import choose_plainly
from app.domain.recommend.walk import Walk
from app.env import Env
from app.services.recommend.recommend_data import MarketData, locate
from app.services.settings import hold_source

AT_ONCE: Final = 50  # issues of one transaction

_ISSUED: Final = pl.Schema({"issue_id": pl.Int64, "symbol": pl.String, "issued_for": pl.Date})


async def append_choices(env: Env, data: MarketData, walk: Walk) -> int:
    """Appends what the plain rules choose of issues that have no choices yet; how many rows.

    Raises:
        Unavailable: the database does not answer.
    """
    params = {"source": data.source, "market": data.market, "model": walk.engine.name}
    async with env.db.read() as db:
        issued = await read_frame(db, _UNCHOSEN, params, _ISSUED)
    chosen = await asyncio.to_thread(_choose, issued, walk)
    issues = chosen["issue_id"].unique().sort()
    written = 0
    for start in range(0, len(issues), AT_ONCE):
        part = issues[start : start + AT_ONCE].implode()
        async with env.db.write() as db:
            if await hold_source(db) != data.source:
                return written
            rows = chosen.filter(pl.col("issue_id").is_in(part))
            written += await merge_frame(db, "baseline_choice", rows)
    return written


def _choose(issued: pl.DataFrame, walk: Walk) -> pl.DataFrame:
    """A row for each recommendation and plain rule that would have bought it."""
    row, column, known = locate(issued, walk.panel)
    table = np.zeros(walk.panel.close.shape, dtype=bool)
    table[row[known], column[known]] = True
    parts = [
        issued.filter(pl.Series(known & chosen[row, column])).select(
            "issue_id", "symbol", baseline=pl.lit(baseline.value)
        )
        for baseline, chosen in choose_plainly(walk.scores.values, table).items()
    ]
    return pl.concat(parts)


_UNCHOSEN: Final = """
    SELECT r.issue_id, r.symbol, i.day AS issued_for
    FROM recommendation AS r JOIN recommendation_issue AS i ON i.id = r.issue_id
    WHERE i.source = :source AND i.market = :market AND i.model = :model
        AND NOT EXISTS (SELECT FROM baseline_choice AS b WHERE b.issue_id = i.id)
    ORDER BY r.issue_id, r.symbol
"""
