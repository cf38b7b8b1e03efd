"""Lists of symbols that ship with the release: who was in an index on a day, as a mere fact.

A file of `app/data/lists` has the list's name, its date, then a symbol a line, as the source spells
it. Index members change every few months: the date says how old the list is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sqlalchemy import func, select

from app.db.models import Instrument
from app.env import Env
from app.errors import NotFound

FOLDER: Final = Path(__file__).resolve().parents[2] / "data" / "lists"
_DATED: Final = "# as of "


@dataclass(frozen=True)
class SymbolList:
    """A list by its key: its symbols in order, and the day for which they are right."""

    key: str
    name: str
    as_of: date
    symbols: tuple[str, ...]


@dataclass(frozen=True)
class ListStatus:
    """A list beside what is watched: how many symbols it has, and how many of them are watched."""

    key: str
    name: str
    as_of: date
    count: int
    tracked: int


@cache
def load_lists() -> Mapping[str, SymbolList]:
    """All lists by key; read once per process."""
    return MappingProxyType({f.stem: _read(f) for f in sorted(FOLDER.glob("*.txt"))})


def get_list(key: str) -> SymbolList:
    """The list of that key.

    Raises:
        NotFound: there is none.
    """
    found = load_lists().get(key)
    if found is None:
        raise NotFound("There is no list %(key).40r.", key=key)
    return found


async def list_symbol_lists(env: Env) -> list[ListStatus]:
    """Every list with how much of it is watched."""
    found = []
    for known in load_lists().values():
        watched = select(func.count()).where(
            Instrument.tracked, Instrument.symbol.in_(known.symbols)
        )
        async with env.db.read() as db:
            tracked = int(await db.scalar(watched) or 0)
        found.append(ListStatus(known.key, known.name, known.as_of, len(known.symbols), tracked))
    return found


def _read(file: Path) -> SymbolList:
    name, dated, *symbols = file.read_text(encoding="utf-8").splitlines()
    day = date.fromisoformat(dated.removeprefix(_DATED))
    return SymbolList(file.stem, name.removeprefix("# "), day, tuple(symbols))
