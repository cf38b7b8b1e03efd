"""`sise migrate`: bring the database to this release."""

from __future__ import annotations

import argparse
import asyncio
import sys

from app.commands.reach import owner_url, reached
from app.config import Settings
from app.db.facts import require_server
from app.db.migrate import current_revision, head_revision, migrate
from app.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: the database is a setting."""
    parser.epilog = "Runs as the role of SISE_MIGRATION_URL. Going back is not supported: restore."


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Migrates and says from where to where."""
    del options
    with reached(settings) as ready:
        before, after = asyncio.run(bring_up_to_date(ready))
    line = f"The database is at {after}" + (
        "" if before == after else f" (was {before or 'empty'})"
    )
    sys.stdout.write(f"{line}\n")
    return 0


async def bring_up_to_date(settings: Settings) -> tuple[str | None, str]:
    """Migrates when something is missing; the revisions before and after.

    Raises:
        ConfigError: the server is too old, refuses a role, or does not let one create tables.
        Unavailable: it does not answer.
    """
    owner, head = owner_url(settings), head_revision()
    facts = await require_server(owner)
    if settings.database_url not in {None, owner}:
        await require_server(settings.database_url)
    before = await current_revision(owner)
    if before != head:
        if not facts.makes_tables:
            msg = "The role %(role)s may not create tables: set SISE_MIGRATION_URL to one that may."
            raise ConfigError(msg, role=facts.role)
        await migrate(owner, settings.database_url or owner)
    return before, head
