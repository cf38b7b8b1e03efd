"""The servers that a command talks to: those of the settings, or the embedded ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from app.adapters.secret import FILE, make_secret
from app.config import Settings
from app.embedded import EmbeddedServers, Urls, find_running
from app.errors import ConfigError


@contextmanager
def reached(settings: Settings, *, start: bool = True) -> Iterator[Settings]:
    """Settings whose database and broker are known, for the block.

    Servers named by settings are used as they are. Else those that `sise up` runs on the data
    directory; else, with `start`, embedded ones are started for the block and stopped after it.

    Raises:
        ConfigError: none is known and `start` is off.
        Conflict, Unavailable: as `EmbeddedServers.start`.
    """
    if not settings.embedded:
        yield settings
        return
    running = find_running(settings.data_dir)
    if running is not None and _complete(with_urls(settings, running)):
        yield _with_secret(with_urls(settings, running))
        return
    if not start:
        raise ConfigError(
            "No server is running. `sise up` starts all of them; for servers of your own set "
            "SISE_DATABASE_URL and SISE_REDIS_URL."
        )
    servers = EmbeddedServers(
        settings.data_dir,
        postgres=settings.database_url is None,
        valkey=settings.redis_url is None,
    )
    with servers as urls:
        yield _with_secret(with_urls(settings, urls))


def with_urls(settings: Settings, urls: Urls) -> Settings:
    """Settings that point at embedded servers where they name none of their own.

    The secret of an embedded database is the file beside it.
    """
    own = settings.database_url is not None
    named = own or settings.secret is not None or settings.secret_file is not None
    return replace(
        settings,
        database_url=settings.database_url if own else urls.database_url or None,
        migration_url=settings.migration_url if own else urls.migration_url or None,
        redis_url=settings.redis_url or urls.redis_url or None,
        secret_file=settings.secret_file if named else settings.data_dir / FILE,
    )


def owner_url(settings: Settings) -> str:
    """The URL that migrations use: `SISE_MIGRATION_URL`, or the one of the product."""
    url = settings.migration_url or settings.database_url
    if url is None:
        raise ConfigError("SISE_DATABASE_URL is not set.")
    return url


def _with_secret(settings: Settings) -> Settings:
    """The same, once the file of the embedded installation's secret is there."""
    if settings.secret_file == settings.data_dir / FILE:
        make_secret(settings.data_dir)
    return settings


def _complete(settings: Settings) -> bool:
    return settings.database_url is not None and settings.redis_url is not None
