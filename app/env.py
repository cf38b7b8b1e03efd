"""What one process has open: first argument of every service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.adapters.bus import Bus
from app.adapters.hashing import Hasher
from app.adapters.limits import Tally
from app.adapters.mail import Mailer
from app.adapters.outward import Outward
from app.adapters.prices import PriceSource
from app.adapters.push import Pusher
from app.adapters.queue import Queue
from app.adapters.secret import load_secret
from app.adapters.sources import make_sources
from app.adapters.vault import Vault
from app.clock import Clock
from app.config import Settings
from app.db.engine import Database
from app.errors import ConfigError
from app.single_flight import SingleFlight


@dataclass(frozen=True)
class Env:
    """Connections and the clock of one process. `sources` are the price sources by name.

    `vault` seals with the secret of the installation, `hasher` hashes passwords, `tally` counts
    tries to sign in, `mailer` sends mail if a server for it is set, `outward` posts to webhooks,
    `pusher` makes what a browser is sent, `flights` joins equal questions.
    """

    settings: Settings
    db: Database
    bus: Bus
    queue: Queue
    sources: dict[str, PriceSource]
    clock: Clock
    vault: Vault
    hasher: Hasher
    tally: Tally
    mailer: Mailer
    outward: Outward
    pusher: Pusher
    flights: SingleFlight


@asynccontextmanager
async def open_env(
    settings: Settings,
    *,
    application: str,
    pool_size: int = 5,
    idle: float | None = None,
    sources_of: Callable[[Settings], dict[str, PriceSource]] = make_sources,
) -> AsyncIterator[Env]:
    """Opens everything for one process and closes it at the end.

    `pool_size` and `idle` are those of `Database`. `sources_of` makes the price sources; a worker
    that may load pandas gives `app.adapters.worker_sources.make_worker_sources`.

    Raises:
        ConfigError: no database, broker or secret is set (`sise up` sets those of the embedded
            servers).
    """
    if settings.database_url is None or settings.redis_url is None:
        raise ConfigError(
            "SISE_DATABASE_URL and SISE_REDIS_URL are not set. `sise up` starts both by itself."
        )
    vault = Vault(load_secret(settings))
    url = settings.database_url
    db = Database(url, pool_size=pool_size, application=application, idle=idle)
    bus = Bus(settings.redis_url)
    queue = Queue(settings.redis_url)
    sources = sources_of(settings)
    clock, tally, flights = settings.clock, Tally(bus), SingleFlight()
    mailer = Mailer(settings.smtp_url, settings.mail_from)
    try:
        yield Env(
            settings=settings,
            db=db,
            bus=bus,
            queue=queue,
            sources=sources,
            clock=clock,
            vault=vault,
            hasher=Hasher(),
            tally=tally,
            mailer=mailer,
            outward=Outward(inside=settings.webhook_inside),
            pusher=Pusher(vault, settings.site),
            flights=flights,
        )
    finally:
        await flights.close()
        for source in sources.values():
            await source.close()
        await queue.close()
        await bus.close()
        await db.close()
