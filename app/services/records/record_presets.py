"""Presets for files of transactions: one's own mappings of brokers' columns and words, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from app.db.models import RecordPreset
from app.domain.records.mapping import ColumnMapping, check_mapping, load_mapping
from app.env import Env
from app.errors import Conflict
from app.services.owned import check_name, get_owned

MOST_PRESETS: Final = 50  # of one person


@dataclass(frozen=True)
class PresetRow:
    """A preset as the layers above see one."""

    id: int
    name: str
    mapping: ColumnMapping

    @classmethod
    def of(cls, row: RecordPreset) -> PresetRow:
        """From the table."""
        return cls(row.id, row.name, load_mapping(row.mapping))


async def list_presets(env: Env, user_id: int) -> list[PresetRow]:
    """The user's presets by name."""
    query = select(RecordPreset).where(RecordPreset.user_id == user_id)
    async with env.db.read(uid=user_id) as db:
        return [PresetRow.of(row) for row in await db.scalars(query.order_by(RecordPreset.name))]


async def get_preset(env: Env, user_id: int, preset_id: str) -> PresetRow:
    """One of the user's presets.

    Raises:
        NotFound: it is not there or not the user's.
    """
    async with env.db.write(uid=user_id) as db:
        return PresetRow.of(await get_owned(db, RecordPreset, preset_id, user_id))


async def save_preset(env: Env, user_id: int, name: str, mapping: ColumnMapping) -> PresetRow:
    """Keeps a mapping under a name, in the place of one that has it.

    Raises:
        BadInput: a name or a mapping that cannot be.
        Conflict: there are too many already.
    """
    values = {
        "user_id": user_id,
        "name": check_name(name),
        "mapping": check_mapping(mapping).dump(),
    }
    save = (
        insert(RecordPreset)
        .values(values)
        .on_conflict_do_update(
            index_elements=["user_id", "name"], set_={"mapping": values["mapping"]}
        )
        .returning(RecordPreset)
    )
    count = select(func.count()).where(RecordPreset.user_id == user_id)
    async with env.db.write(uid=user_id) as db:
        row = (await db.scalars(save)).one()
        if (await db.scalar(count) or 0) > MOST_PRESETS:
            message = "There are %(bound)d presets already; delete one first."
            raise Conflict(message, bound=MOST_PRESETS)
        return PresetRow.of(row)


async def delete_preset(env: Env, user_id: int, preset_id: str) -> None:
    """Forgets a preset.

    Raises:
        NotFound: it is not there or not the user's.
    """
    async with env.db.write(uid=user_id) as db:
        row = await get_owned(db, RecordPreset, preset_id, user_id)
        await db.execute(delete(RecordPreset).where(RecordPreset.id == row.id))
