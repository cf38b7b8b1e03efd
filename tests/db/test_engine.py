"""Units of work: committed or rolled back, read-only when read, and an error that says what to do."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from app.db.engine import EVERYONE, Database, driver_connection
from app.embedded import Urls
from app.env import Env
from app.errors import Unavailable

PUT = text("INSERT INTO setting VALUES ('colour', '\"red\"')")
COUNT = text("SELECT count(*) FROM setting")
SLEEP = text("SELECT pg_sleep(:seconds)")
ONE = text("SELECT CAST(:one AS int)")
CONNECTIONS = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sise-idle'")
WHOSE = text("SELECT current_setting('app.uid', true)")
ADD_USER = text(
    'INSERT INTO "user" (username, username_key, email, created_at)'
    " VALUES (:name, :name, '', now()) RETURNING id"
)
ADD_CODE = text("INSERT INTO recovery_code VALUES (:id, 'x')")


async def test_a_write_is_committed_at_the_end(env: Env) -> None:
    async with env.db.write() as db:
        await db.execute(PUT)
    async with env.db.read() as db:
        assert await db.scalar(COUNT) == 1


async def test_an_exception_rolls_everything_back(env: Env) -> None:
    async def fail() -> None:
        async with env.db.write() as db:
            await db.execute(PUT)
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await fail()
    async with env.db.read() as db:
        assert await db.scalar(COUNT) == 0


async def test_a_read_cannot_write(env: Env) -> None:
    async def write() -> None:
        async with env.db.read() as db:
            await db.execute(PUT)

    with pytest.raises(DBAPIError, match="read-only"):
        await write()


async def test_a_broken_constraint_is_not_called_an_outage(env: Env) -> None:
    async def twice() -> None:
        async with env.db.write() as db:
            await db.execute(PUT)
            await db.execute(PUT)

    with pytest.raises(IntegrityError):
        await twice()


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    database = Database("postgresql://sise_app@127.0.0.1:1/sise")
    with pytest.raises(Unavailable, match="does not answer"):
        async with database.read():
            pass
    await database.close()


@pytest.mark.parametrize("directly", [False, True])
async def test_a_killed_connection_is_unavailable_and_the_next_one_works(
    env: Env, superuser: Database, *, directly: bool
) -> None:
    async def sleep() -> None:
        if directly:
            await env.db.call(SLEEP, {"seconds": 600.0})
        async with env.db.read() as db:
            await db.execute(SLEEP, {"seconds": 600.0})

    task = asyncio.create_task(sleep())
    killed = 0
    while not killed:
        await asyncio.sleep(0.05)
        async with superuser.write() as db:
            killed = await db.scalar(
                text(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE query LIKE 'SELECT pg_sleep%' AND usename = 'sise_app'"
                )
            )
    with pytest.raises(Unavailable):
        await task
    async with env.db.read() as db:
        assert await db.scalar(text("SELECT 1")) == 1
    assert await env.db.call(ONE, {"one": 1}) == 1


async def test_connections_that_nobody_uses_end_and_the_next_one_works(
    servers: Urls, superuser: Database
) -> None:
    database = Database(servers.database_url, application="sise-idle", idle=0.2)

    async def count() -> int:
        async with superuser.read() as db:
            return int(await db.scalar(CONNECTIONS) or 0)

    async with database.read() as one, database.read() as two:
        assert await one.scalar(ONE, {"one": 1}) == await two.scalar(ONE, {"one": 1})
        assert await count() == 2
    while await count():
        await asyncio.sleep(0.05)
    async with database.read() as db:
        assert await db.scalar(ONE, {"one": 1}) == 1
    await database.close()


async def test_a_call_is_a_transaction_by_itself(env: Env, superuser: Database) -> None:
    """Values by name, JSON read, an error of the database as the driver has it."""
    put = text("INSERT INTO setting VALUES (:key, CAST(:value AS jsonb)) RETURNING value")
    told = {"value": '{"a": [1]}', "key": "colour"}
    assert await env.db.call(put, told) == {"a": [1]}
    async with env.db.read() as db:
        assert await db.scalar(COUNT) == 1
    with pytest.raises(asyncpg.UniqueViolationError):
        await env.db.call(put, told)
    assert await env.db.call(ONE, {"one": 1}) == 1
    gone = Database("postgresql://sise_app@127.0.0.1:1/sise")
    with pytest.raises(Unavailable):
        await gone.call(ONE, {"one": 1})


@pytest.mark.parametrize("statement", ["SELECT 1 FROM nowhere", "SELECT colour FROM setting"])
async def test_a_database_of_another_release_is_said_with_what_to_do(env, statement):
    for ask in (env.db.read, env.db.write):
        with pytest.raises(Unavailable, match=r"`sise migrate`\. \(.*does not exist"):
            async with ask() as db:
                await db.execute(text(statement))
    with pytest.raises(Unavailable, match="`sise migrate`"):
        await env.db.call(text(statement), {})


async def test_a_database_that_refuses_does_not_tell_every_reader_whom(env):
    url = make_url(env.settings.database_url).set(username="nobody")
    database = Database(url.render_as_string(hide_password=False), pool_size=1)
    try:
        for ask in (lambda: database.read().__aenter__(), lambda: database.call(ONE, {"one": 1})):
            with pytest.raises(Unavailable, match="refuses the connection: `sise doctor`") as told:
                await ask()
            assert "nobody" not in str(told.value)
    finally:
        await database.close()


async def test_the_driver_connection_is_inside_the_transaction(env: Env) -> None:
    async with env.db.write() as db:
        connection = await driver_connection(db)
        await connection.execute("INSERT INTO setting VALUES ('colour', '\"red\"')")
        await db.rollback()
    async with env.db.read() as db:
        assert await db.scalar(COUNT) == 0


async def test_rows_of_a_user_are_seen_by_a_transaction_for_that_user_alone(env):
    async with env.db.write(uid=EVERYONE) as db:
        owner = await db.scalar(ADD_USER, {"name": "alice"})
        other = await db.scalar(ADD_USER, {"name": "charlie"})
        await db.execute(ADD_CODE, {"id": owner})
    seen = []
    for uid in (owner, other, EVERYONE, None):
        async with env.db.read(uid=uid) as db:
            seen.append(await db.scalar(text("SELECT count(*) FROM recovery_code")))
    assert seen == [1, 0, 1, 0]
    async with env.db.write(uid=other) as db:
        changed = await db.execute(text("DELETE FROM recovery_code"))
        assert changed.rowcount == 0
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with env.db.write(uid=other) as db:
            await db.execute(ADD_CODE, {"id": owner})


async def test_the_user_of_a_transaction_is_forgotten_with_it(env):
    for _ in range(10):
        async with env.db.read(uid=7) as db:
            assert await db.scalar(WHOSE) == "7"
        async with env.db.read() as db:
            assert not await db.scalar(WHOSE)


async def test_an_error_of_the_database_holds_none_of_the_bound_values(env):
    async def add() -> None:
        async with env.db.write() as db:
            await db.execute(ADD_USER, {"name": "planted"})

    await add()
    with pytest.raises(IntegrityError) as refused:
        await add()
    told, _, _ = str(refused.value).partition("DETAIL")  # PostgreSQL's own, which names the key
    assert "planted" not in told
