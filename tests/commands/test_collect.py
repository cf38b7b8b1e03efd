"""`sise collect` against a local Yahoo."""

from __future__ import annotations

import subprocess

from sqlalchemy import text

from app.config import Settings
from app.env import Env
from app.services.market.calendar_refresh import refresh_sessions
from app.services.settings import choose_source
from tests.factories import make_instrument
from tests.fakes.yahoo import FakeYahoo
from tests.processes import bare_environ, sise


def collect(settings: Settings, *symbols: str) -> subprocess.CompletedProcess[str]:
    """Runs the command as a user would, beside the test's own servers."""
    environ = bare_environ(
        SISE_DATABASE_URL=settings.database_url,
        SISE_MIGRATION_URL=settings.migration_url,
        SISE_REDIS_URL=settings.redis_url,
        SISE_SECRET=settings.secret,
        SISE_YAHOO_URL=settings.yahoo_url,
    )
    return subprocess.run(
        sise("collect", *symbols), env=environ, capture_output=True, text=True, check=False
    )


async def count(env: Env, table: str, symbol: str) -> int:
    """Rows of one instrument."""
    async with env.db.read() as db:
        query = text(f"SELECT count(*) FROM {table} WHERE symbol = :symbol")
        return int(await db.scalar(query, {"symbol": symbol}) or 0)


async def test_all_watched_instruments_or_the_named_ones_are_collected(
    env: Env, yahoo: FakeYahoo
) -> None:
    await refresh_sessions(env)
    await choose_source(env, "yahoo")
    await make_instrument(env, "AAPL")
    await make_instrument(env, "MSFT")

    done = collect(env.settings, "aapl")
    assert done.returncode == 0, done.stderr
    assert await count(env, "bar", "AAPL") > 1000
    assert await count(env, "indicator_daily", "AAPL") == await count(env, "bar", "AAPL")
    assert await count(env, "bar", "MSFT") == 0

    done = collect(env.settings)
    assert done.returncode == 0, done.stderr
    assert await count(env, "bar", "MSFT") > 1000
    assert await count(env, "indicator_daily", "MSFT") == await count(env, "bar", "MSFT")


async def test_what_fails_is_said_by_name_and_the_rest_is_stored(
    env: Env, yahoo: FakeYahoo
) -> None:
    await refresh_sessions(env)
    await choose_source(env, "yahoo")
    await make_instrument(env, "AAPL")

    done = collect(env.settings, "AAPL", "NOSUCH")
    assert done.returncode == 1
    assert "NOSUCH: There is no instrument 'NOSUCH'." in done.stderr
    assert await count(env, "bar", "AAPL") > 1000


async def test_before_a_source_is_chosen_it_says_how_to_choose_one(env: Env) -> None:
    for symbols in ((), ("AAPL",)):
        done = collect(env.settings, *symbols)
        assert done.returncode == 1
        assert "`sise source yahoo`" in done.stderr
        assert done.stderr.count("\n") == 1


def test_text_that_is_no_symbol_is_refused_before_anything_is_asked(settings: Settings) -> None:
    done = collect(settings, "no such; symbol")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
