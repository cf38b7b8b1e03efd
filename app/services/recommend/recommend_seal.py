"""The chain of issues: each digest takes in the rows of its issue and the digest before it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import text

from app.env import Env

FACTS: Final = (
    "source", "market", "model", "day", "simulated", "data_version", "base_rate", "evidence",
)  # fmt: skip
"""What is sealed of an issue."""

LINE: Final = (
    "symbol", "action", "rank", "technical", "value", "probability", "close", "stop", "target",
    "low", "high", "reasons",
)  # fmt: skip
"""What is sealed of each of its rows, which are taken by symbol."""


def seal(before: str, facts: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> str:
    """The digest of an issue and its rows after the digest before it: SHA-256 in hex."""
    told = [facts[name] for name in FACTS]
    rows = [[line[name] for name in LINE] for line in lines]
    body = orjson.dumps([before, told, rows], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(body).hexdigest()


async def find_broken_seal(env: Env) -> int | None:
    """The first issue whose rows are not those that were sealed; None when all are.

    Raises:
        Unavailable: the database does not answer.
    """
    before: dict[tuple[str, str, str], str] = {}
    async with env.db.read() as db:
        for issue in (await db.execute(text(_ISSUES))).mappings():
            chain = (issue["source"], issue["market"], issue["model"])
            rows = (await db.execute(text(_ROWS), {"issue": issue["id"]})).mappings()
            digest = seal(before.get(chain, ""), dict(issue), [dict(row) for row in rows])
            if digest != issue["digest"]:
                return int(issue["id"])
            before[chain] = digest
    return None


_ISSUES: Final = f"SELECT id, digest, {', '.join(FACTS)} FROM recommendation_issue ORDER BY id"
_PRICES: Final = ("close", "stop", "target")
_ROWS: Final = f"""
    SELECT {", ".join(f"{n}::float8" if n in _PRICES else n for n in LINE)}
    FROM recommendation WHERE issue_id = :issue ORDER BY symbol COLLATE "C"
"""
