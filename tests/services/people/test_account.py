"""One's own account: a new password ends what was open, and deleting leaves no name behind."""

from __future__ import annotations

import io
import zipfile

import pytest
from sqlalchemy import text

from app.db.engine import EVERYONE
from app.db.models import Base
from app.domain.access import Role
from app.errors import BadInput, Conflict, Unauthenticated
from app.services.people.account import THEIRS, change_password, delete_account, reset_password
from app.services.people.account_export import export_account
from app.services.people.authentication import find_again
from app.services.people.sign_in import sign_in
from app.services.people.users import find_user, has_users
from tests.belongings import belongings, give_everything
from tests.people import PASSWORD, by_access_token, by_api_token, by_session, make_user

FRESH = "another long password"
LEDGER = {
    "account",
    "dismissed_action",
    "equity_daily",
    "equity_state",
    "fill",
    "order",
    "order_event",
    "portfolio",
    "posting",
    "txn",
}
"""What stays of somebody: figures."""


async def test_a_new_password_keeps_this_sign_in_and_ends_the_others(env):
    user = await make_user(env)
    here, there = await by_session(env, user), await by_session(env, user)
    program, bot = await by_access_token(env, user), await by_api_token(env, user)
    with pytest.raises(Unauthenticated):
        await change_password(env, here, "wrong", FRESH)
    with pytest.raises(BadInput):
        await change_password(env, here, PASSWORD, "short")
    await change_password(env, here, PASSWORD, FRESH)
    alive = [await find_again(env, i) is not None for i in (here, there, program, bot)]
    assert alive == [True, False, False, True]
    assert await sign_in(env, "alice", FRESH)
    with pytest.raises(Unauthenticated):
        await sign_in(env, "alice", PASSWORD)


async def test_a_reset_ends_every_sign_in(env):
    user = await make_user(env)
    here = await by_session(env, user)
    await reset_password(env, user, FRESH)
    assert await find_again(env, here) is None
    assert await sign_in(env, "alice", FRESH)


async def test_a_deleted_account_leaves_its_ledger_under_a_number_and_no_word_of_a_person(env):
    """Somebody who has owned a row of every table: export and end look at all of them."""
    await make_user(env, "root", Role.ADMIN)
    user = await make_user(env)
    await give_everything(env, user)
    assert [table for table, number in (await count_rows(env)).items() if not number] == []
    exported = zipfile.ZipFile(io.BytesIO(await export_account(env, user.id)))
    assert [n for n in exported.namelist() if len(exported.read(n)) < len("[{}]")] == []
    means = [await make(env, user) for make in (by_session, by_access_token, by_api_token)]
    with pytest.raises(Unauthenticated):
        await delete_account(env, means[0], "wrong")
    await delete_account(env, means[0], PASSWORD)
    assert [await find_again(env, identity) for identity in means] == [None, None, None]
    assert await find_user(env, user.id) is None
    assert {table for table, number in (await count_rows(env)).items() if number} == LEDGER
    assert await find_word(env, "alice") == []
    for name in ("alice", f"deleted {user.id}"):
        with pytest.raises(Unauthenticated):
            await sign_in(env, name, PASSWORD)
    assert await make_user(env, "alice")


async def count_rows(env) -> dict[str, int]:
    """How many rows each table of belongings has."""
    async with env.db.read(uid=EVERYONE) as db:
        counted = {t: await db.scalar(text(f'SELECT count(*) FROM "{t}"')) for t in belongings()}
    return {table: number or 0 for table, number in counted.items()}


async def find_word(env, word: str) -> list[str]:
    """The tables of the whole database that have it anywhere."""
    async with env.db.read(uid=EVERYONE) as db:
        return [
            table.name
            for table in Base.metadata.sorted_tables
            if await db.scalar(
                text(f'SELECT count(*) FROM "{table.name}" AS t WHERE t::text ILIKE :word'),
                {"word": f"%{word}%"},
            )
        ]


def test_whatever_is_somebody_s_goes_with_the_account_but_for_the_ledger():
    with_theirs = {"refresh_token", "notification", "backtest_data", "txn_note"}
    gone = {table.__tablename__ for table in THEIRS}
    assert belongings() == gone | with_theirs | LEDGER


async def test_the_only_administrator_stays_while_others_do(env):
    admin = await by_session(env, await make_user(env, "root", Role.ADMIN))
    user = await by_session(env, await make_user(env))
    with pytest.raises(Conflict, match="only administrator"):
        await delete_account(env, admin, PASSWORD)
    await delete_account(env, user, PASSWORD)
    await delete_account(env, admin, PASSWORD)
    assert await has_users(env)  # nobody becomes the first again
