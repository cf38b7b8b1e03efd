"""What belongs to somebody: fetched with the owner in the same WHERE as the id, and its name.

What belongs to somebody else answers exactly as what does not exist. Row-level security is the
second wall: the session of the transaction was opened for the owner (`env.db.read(uid=…)`).
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Base
from app.errors import BadInput, NotFound

LONGEST_NAME: Final = 60
_DIGITS: Final = 18
"""Digits of an id: it fits into 64 bits."""


M = TypeVar("M", bound=Base)


async def get_owned(
    db: AsyncSession, model: type[M], id_text: str, user_id: int, *conditions: Any
) -> M:
    """The user's object of that id, for as long as the transaction: locked against others.

    Raises:
        NotFound: there is none, or it is somebody else's, or the id is none.
    """
    table: Any = model  # one with `id` and `user_id`
    whose = (table.id == read_id(id_text), table.user_id == user_id)
    found = await db.scalar(select(model).where(*whose, *conditions).with_for_update())
    if found is None:
        raise missing()
    return found


def read_id(id_text: str) -> int:
    """The number of an id that a client sends.

    Raises:
        NotFound: it cannot be an id of ours.
    """
    if not (id_text.isascii() and id_text.isdigit() and len(id_text) <= _DIGITS):
        raise missing()
    return int(id_text)


def missing() -> NotFound:
    """The one answer for what is not there and what is not the caller's."""
    return NotFound("There is nothing of that id, or it is not yours.")


def check_name(name: str) -> str:
    """The name without blanks around it.

    Raises:
        BadInput: empty, too long or not printable.
    """
    plain = name.strip()
    if not 1 <= len(plain) <= LONGEST_NAME or not plain.isprintable():
        message = "name is %(value).80r; it may have 1 to %(bound)d printable characters"
        raise BadInput(message, field="name", value=name, bound=LONGEST_NAME)
    return plain
