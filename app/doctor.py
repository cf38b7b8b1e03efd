"""`sise doctor`: looks at everything an installation needs and says what to do about the rest."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.adapters.prices import describe
from app.adapters.queue import QUEUES
from app.adapters.secret import load_secret
from app.clock import Clock
from app.config import Settings
from app.db.facts import OLDEST, read_facts
from app.domain.sessions import FIRST_DAY
from app.env import Env, open_env
from app.errors import AppError, ConfigError
from app.listen import address, answers
from app.services.collect.source_switch import probe_source
from app.services.market.calendars import list_overrides
from app.services.market.instruments import TITLES
from app.services.readiness import check_broker, check_migrations, is_worker_alive
from app.services.settings import SOURCE_KEY, find_setting
from app.services.sources.source_order import first_live

LITTLE_DISK: Final = 1 << 30  # bytes: below it a warning
NO_DISK: Final = 100 << 20  # bytes: below it a failure
SKEW: Final = 2.0  # seconds between the clocks of this machine and the database
AHEAD: Final = timedelta(days=60)  # corrections of the calendar should reach this far
RELEASED: Final = datetime(2026, 1, 1, tzinfo=UTC)  # a clock before it is wrong
ZONES: Final = ("Asia/Seoul", "America/New_York", "Europe/London")


DATABASE: Final = "PostgreSQL"
BROKER: Final = "Valkey"
MIGRATIONS: Final = "Migrations"
_ADVICE: Final = {BROKER: "Is it running? Is SISE_REDIS_URL right?"}


class State(StrEnum):
    """How a finding stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what it is, and what to do when it is not ok."""

    name: str
    state: State
    detail: str
    advice: str = ""


def examine_machine(settings: Settings) -> list[Finding]:
    """What can be seen without any server: disk, clock, time zones, the order of sources."""
    return [_disk(settings.data_dir), _clock(settings.clock), _zones(), _order(settings)]


async def examine_servers(settings: Settings) -> list[Finding]:
    """What the servers of the settings say: database, broker, processes, prices, calendar.

    Each check stands for itself: one that fails does not keep the others from being made. Only what
    needs a server that does not answer is left out, so that the one cause is told once.
    """
    findings = await _database(settings)
    weak = _secret(settings)
    if weak is not None:
        findings.append(weak)
        settings = replace(settings, secret=secrets.token_hex())  # nothing is sealed by it
    gone = {f.name for f in findings if f.state is State.FAIL and f.name == DATABASE}
    async with open_env(settings, application="sise-doctor", pool_size=2) as env:
        checks: tuple[tuple[str, str | None, Callable[[Env], Awaitable[Finding]]], ...] = (
            (BROKER, None, _broker),
            (MIGRATIONS, DATABASE, _migrations),
            ("Workers", BROKER, _workers),
            ("Price source", MIGRATIONS, _source),
            ("Calendar", MIGRATIONS, _calendar),
            ("Mail", None, _mail),
        )
        for name, needs, check in checks:
            if needs in gone:
                gone.add(name)
                continue
            try:
                findings.append(await check(env))
            except AppError as error:
                gone.add(name)
                findings.append(Finding(name, State.FAIL, str(error), _ADVICE.get(name, "")))
    return [*findings, _web(settings)]


def _secret(settings: Settings) -> Finding | None:
    """What is wrong with the secret of the installation, None when nothing is."""
    try:
        load_secret(settings)
    except ConfigError as error:
        return Finding("Secret", State.FAIL, str(error))
    return None


def _disk(data_dir: Path) -> Finding:
    name = "Disk"
    place = next(p for p in (data_dir, *data_dir.parents) if p.is_dir())
    free = shutil.disk_usage(place).free
    detail = f"{free / (1 << 30):.1f} GB free for {data_dir}"
    advice = "Free some space, or set SISE_DATA_DIR to a larger disk."
    if free < NO_DISK:
        return Finding(name, State.FAIL, detail, advice)
    return Finding(name, State.WARN if free < LITTLE_DISK else State.OK, detail, advice)


def _clock(clock: Clock) -> Finding:
    name, now = "Clock", clock.now()
    if clock.start is not None or clock.rate != 1:
        detail = f"SISE_CLOCK makes it {now:%Y-%m-%d %H:%M} UTC"
        return Finding(name, State.WARN, detail, "It is for tests: unset SISE_CLOCK.")
    if now < RELEASED:
        detail = f"it is {now:%Y-%m-%d %H:%M} UTC here, which is before this release was made"
        return Finding(name, State.FAIL, detail, "Set this machine's clock.")
    return Finding(name, State.OK, f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _zones() -> Finding:
    missing = []
    for zone in ZONES:
        try:
            ZoneInfo(zone)
        except ZoneInfoNotFoundError:
            missing.append(zone)
    if missing:
        detail = f"unknown: {', '.join(missing)}"
        return Finding("Time zones", State.FAIL, detail, "Install tzdata.")
    return Finding("Time zones", State.OK, f"{', '.join(ZONES)}")


def _order(settings: Settings) -> Finding:
    """Whether the sources of the order are there; only workers have yfinance."""
    name, order, folder = "Source order", settings.source_order, settings.price_folder
    detail = "; ".join(f"{mic}={','.join(names)}" for mic, names in sorted(order.items()))
    used = {source for names in order.values() for source in names}
    if "folder" in used and (folder is None or not folder.is_dir()):
        why = "SISE_PRICE_FOLDER is not set" if folder is None else f"{folder} is no folder"
        advice = "Set SISE_PRICE_FOLDER, or take the folder out of SISE_SOURCE_ORDER."
        return Finding(name, State.FAIL, f"{detail}: {why}", advice)
    if ("yfinance",) in order.values():
        why = "only workers can ask yfinance, so that no instrument can be added on a page"
        return Finding(name, State.WARN, f"{detail}: {why}", "Name yahoo as well.")
    return Finding(name, State.OK, detail)


async def _database(settings: Settings) -> list[Finding]:
    name = DATABASE
    if settings.database_url is None:
        return [Finding(name, State.FAIL, "not running", "`sise up` starts it.")]
    try:
        facts = await read_facts(settings.database_url)
    except AppError as error:
        advice = "Is it running? Is SISE_DATABASE_URL right?"
        return [Finding(name, State.FAIL, str(error), advice)]
    found = []
    if facts.major < OLDEST:
        detail = f"version {facts.version}"
        found.append(Finding(name, State.FAIL, detail, f"Use version {OLDEST} or newer."))
    elif facts.makes_tables:
        detail = f"version {facts.version}; the role {facts.role} may create tables"
        advice = "Give SISE_DATABASE_URL a role without that right; SISE_MIGRATION_URL has it."
        found.append(Finding(name, State.WARN, detail, advice))
    else:
        extension = ", TimescaleDB" if facts.timescaledb else ""
        detail = f"version {facts.version}{extension}, role {facts.role}"
        found.append(Finding(name, State.OK, detail))
    skew = abs((facts.at - Clock().now()).total_seconds())
    if skew > SKEW:
        detail = f"it differs by {skew:.0f} s from this machine's"
        found.append(Finding("Its clock", State.FAIL, detail, "Let NTP set both clocks."))
    if facts.broken_indexes:
        advice = f"Run REINDEX INDEX for each: {', '.join(facts.broken_indexes)}"
        found.append(Finding("Indexes", State.WARN, "some are invalid", advice))
    return found


async def _broker(env: Env) -> Finding:
    return Finding(BROKER, State.OK, await check_broker(env))


async def _migrations(env: Env) -> Finding:
    return Finding(MIGRATIONS, State.OK, await check_migrations(env))


async def _workers(env: Env) -> Finding:
    silent = [queue for queue in QUEUES if not await is_worker_alive(env, queue)]
    if silent:
        detail = f"nobody works on: {', '.join(silent)}"
        return Finding("Workers", State.WARN, detail, "`sise up` runs them, or `sise work`.")
    return Finding("Workers", State.OK, "at work on every queue")


async def _source(env: Env) -> Finding:
    name = "Price source"
    source = await find_setting(env, SOURCE_KEY)
    if source is None:
        return Finding(name, State.WARN, "none chosen yet", "The first `sise up` chooses one.")
    title = TITLES[str(source)]
    if source == "sample":
        detail = f"{title}: recorded prices of 2000-2013"
        return Finding(name, State.OK, detail)
    first = first_live(env)
    title = TITLES[first.name] if first else title
    failure = await probe_source(env, str(source))
    if failure is not None:
        detail = f"{title} does not answer as it should: {describe(failure)}"
        advice = "Stored prices stay. Check the network and SISE_YAHOO_URL."
        return Finding(name, State.WARN, detail, advice)
    return Finding(name, State.OK, f"{title} answers")


async def _calendar(env: Env) -> Finding:
    name, overrides = "Calendar", await list_overrides(env)
    today = env.clock.now().date()
    soon = today + AHEAD
    end = max((o.day for o in overrides), default=FIRST_DAY)
    open_ = [o.day for o in overrides if o.day >= today and not o.confirmed]
    detail = f"corrections of the trading calendars reach to {end}"
    if end < soon:
        advice = "Install a newer release, or add corrections on the page /markets."
        return Finding(name, State.WARN, detail, advice)
    if open_:
        detail += f"; to be confirmed: {', '.join(day.isoformat() for day in open_)}"
    if any(day < soon for day in open_):
        advice = "See what the exchange has announced, and save the day on the page /markets."
        return Finding(name, State.WARN, detail, advice)
    return Finding(name, State.OK, detail)


async def _mail(env: Env) -> Finding:
    if not env.mailer.is_set:
        return Finding("Mail", State.OK, "none is sent (SISE_SMTP_URL is not set)")
    try:
        await env.mailer.check()
    except AppError as error:
        advice = "Passwords cannot be reset by mail. Check SISE_SMTP_URL."
        return Finding("Mail", State.WARN, str(error), advice)
    return Finding("Mail", State.OK, "the server answers")


def _web(settings: Settings) -> Finding:
    if answers(settings):
        return Finding("Web", State.OK, f"answers at {address(settings)}")
    detail = f"nothing answers at {address(settings)}"
    return Finding("Web", State.WARN, detail, "`sise up` starts it, or `sise serve`.")
