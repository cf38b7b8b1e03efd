"""Choices of the installation that outlive a restart: rows of `setting`, values as JSON."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Setting
from app.env import Env
from app.errors import BadInput, Unavailable

SOURCE_KEY: Final = "source"
REPLAY_KEY: Final = "replay"
SOURCES: Final = ("yahoo", "sample")
REMOVED_KEY: Final = "removed"
"""Defaults that the operator has removed: a later start does not bring them back."""


async def get_source(env: Env) -> str:
    """The price source of this installation: `yahoo` or `sample`.

    Raises:
        Unavailable: none has been chosen yet; the first start does that.
    """
    source, _ = await read_mode(env)
    return require_source(source)


def require_source(source: str | None) -> str:
    """The source that was read.

    Raises:
        Unavailable: none has been chosen yet.
    """
    if source is None:
        raise Unavailable("No price source has been chosen yet. Start with `sise up`.")
    return source


async def choose_source(env: Env, name: str) -> None:
    """Writes the choice of the source; its prices are another matter (`source_switch`).

    Raises:
        BadInput: there is no such source.
    """
    check_source(name)
    await put_setting(env, SOURCE_KEY, name)


def check_source(name: str) -> None:
    """Returns when there is a source of that name.

    Raises:
        BadInput: there is none.
    """
    if name not in SOURCES:
        msg = "There is no price source %(name).40r; there are %(sources)s"
        raise BadInput(msg, field="source", name=name, sources=", ".join(SOURCES))


async def read_mode(env: Env) -> tuple[str | None, Any]:
    """The chosen source and where the replay stands: asked by everything, read once at a time."""

    async def read() -> tuple[str | None, Any]:
        chosen = select(Setting.key, Setting.value).where(Setting.key.in_((SOURCE_KEY, REPLAY_KEY)))
        async with env.db.read() as db:
            kept = {row.key: row.value for row in await db.execute(chosen)}
        return kept.get(SOURCE_KEY), kept.get(REPLAY_KEY)

    return await env.flights.ask(read_mode, read)


async def find_setting(env: Env, key: str) -> Any:
    """The value under a key, None when there is none."""
    async with env.db.read() as db:
        return await db.scalar(select(Setting.value).where(Setting.key == key))


async def put_setting(env: Env, key: str, value: Any) -> None:
    """Writes the value under a key, new or not."""
    async with env.db.write() as db:
        await write_setting(db, key, value)


async def write_setting(db: AsyncSession, key: str, value: Any) -> None:
    """`put_setting` as a part of the caller's transaction."""
    row = insert(Setting).values(key=key, value=value)
    await db.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


async def hold_source(db: AsyncSession) -> str | None:
    """The chosen source, which cannot be switched before the caller's transaction ends."""
    row = select(Setting.value).where(Setting.key == SOURCE_KEY).with_for_update(read=True)
    source: str | None = await db.scalar(row)
    return source


async def note_removed(db: AsyncSession, symbol: str) -> None:
    """Remembers that a default was removed, as a part of the caller's transaction."""
    removed = set(await read_removed(db)) | {symbol}
    await write_setting(db, REMOVED_KEY, sorted(removed))


async def read_removed(db: AsyncSession) -> list[str]:
    """The removed defaults."""
    return list(await db.scalar(select(Setting.value).where(Setting.key == REMOVED_KEY)) or ())
