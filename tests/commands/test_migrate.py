"""`sise migrate` on servers of its own."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from sqlalchemy import make_url

from app.commands.migrate import bring_up_to_date
from app.config import Settings
from app.db.revision import newest_revision
from app.errors import ConfigError
from tests.processes import bare_environ, open_place, sise


def migrate(**settings: object) -> subprocess.CompletedProcess[str]:
    """Runs the command."""
    return subprocess.run(
        sise("migrate"), env=bare_environ(**settings), capture_output=True, text=True, check=False
    )


def test_an_empty_database_is_brought_to_this_release_once() -> None:
    with open_place() as place:
        first = migrate(SISE_DATA_DIR=place / "data")
        assert first.stdout == f"The database is at {newest_revision()} (was empty)\n", first.stderr
        second = migrate(SISE_DATA_DIR=place / "data")
        assert second.stdout == f"The database is at {newest_revision()}\n", second.stderr


@pytest.mark.parametrize("owner", [True, False])
def test_the_owner_s_role_is_used_where_it_is_known(settings: Settings, owner: bool) -> None:
    urls = {"SISE_DATABASE_URL": settings.database_url, "SISE_REDIS_URL": settings.redis_url}
    if owner:
        urls["SISE_MIGRATION_URL"] = settings.migration_url
    done = migrate(**urls)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"The database is at {newest_revision()}\n"


async def test_a_role_that_may_not_create_tables_names_the_setting(settings: Settings) -> None:
    url = make_url(settings.database_url or "").set(database="postgres")
    bare = replace(
        settings,
        database_url=url.render_as_string(hide_password=False),
        migration_url=None,
    )
    with pytest.raises(ConfigError, match=r"role sise_app may not create.*SISE_MIGRATION_URL"):
        await bring_up_to_date(bare)


async def test_a_refused_role_or_database_names_the_setting(settings: Settings) -> None:
    url = make_url(settings.database_url or "")
    for wrong in (url.set(username="nobody"), url.set(database="nowhere")):
        text = wrong.render_as_string(hide_password=False)
        with pytest.raises(ConfigError, match=r"refuses the connection.*SISE_DATABASE_URL"):
            await bring_up_to_date(replace(settings, database_url=text))
