"""Saved screens: a person's own, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from app.db.models import SavedScreen
from app.domain.screening import ScreenPreset, dump_filter, load_filter
from app.env import Env
from app.errors import Conflict
from app.services.owned import check_name, get_owned
from app.services.screening.hits import Screen, check_screen

MOST_SCREENS: Final = 50  # of one person


@dataclass(frozen=True)
class SavedScreenRow:
    """A screen with its name."""

    id: int
    name: str
    screen: Screen

    @classmethod
    def of(cls, row: SavedScreen) -> SavedScreenRow:
        """From the table."""
        return cls(row.id, row.name, _load(row.screen))


async def list_screens(env: Env, user_id: int) -> list[SavedScreenRow]:
    """The user's screens by name."""
    query = select(SavedScreen).where(SavedScreen.user_id == user_id)
    async with env.db.read(uid=user_id) as db:
        return [
            SavedScreenRow.of(row) for row in await db.scalars(query.order_by(SavedScreen.name))
        ]


async def save_screen(env: Env, user_id: int, name: str, screen: Screen) -> SavedScreenRow:
    """Keeps a screen under a name, in the place of one that has it.

    Raises:
        BadInput: a name, filter or order that cannot be.
        Conflict: there are too many already.
    """
    kept = _dump(check_screen(screen))
    save = (
        insert(SavedScreen)
        .values(user_id=user_id, name=check_name(name), screen=kept)
        .on_conflict_do_update(index_elements=["user_id", "name"], set_={"screen": kept})
        .returning(SavedScreen)
    )
    count = select(func.count()).where(SavedScreen.user_id == user_id)
    async with env.db.write(uid=user_id) as db:
        row = (await db.scalars(save)).one()
        if (await db.scalar(count) or 0) > MOST_SCREENS:
            message = "There are %(bound)d saved screens already; delete one first."
            raise Conflict(message, bound=MOST_SCREENS)
        return SavedScreenRow.of(row)


async def delete_screen(env: Env, user_id: int, screen_id: str) -> None:
    """Forgets a screen.

    Raises:
        NotFound: it is not there or not the user's.
    """
    async with env.db.write(uid=user_id) as db:
        row = await get_owned(db, SavedScreen, screen_id, user_id)
        await db.execute(delete(SavedScreen).where(SavedScreen.id == row.id))


def _dump(screen: Screen) -> dict[str, Any]:
    return {
        "preset": screen.preset,
        "filter": dump_filter(screen.groups),
        "sort": screen.sort,
        "descending": screen.descending,
    }


def _load(kept: dict[str, Any]) -> Screen:
    preset = None if kept["preset"] is None else ScreenPreset(kept["preset"])
    return Screen(preset, load_filter(kept["filter"]), kept["sort"], kept["descending"])
