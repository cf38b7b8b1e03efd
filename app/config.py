"""Settings: every environment variable, read once, at the edge, into one frozen object."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, cast, get_args
from urllib.parse import urlsplit

import platformdirs

from app.clock import Clock
from app.errors import ConfigError
from app.providers import Provider, check_web_address, is_loopback, read_providers

SourceName = Literal["auto", "yahoo", "sample"]
Registration = Literal["open", "invite", "closed"]
MacdVoting = Literal["cross", "state"]
YAHOO_URL = "https://query2.finance.yahoo.com"
YAHOO_STREAM_URL = "wss://streamer.finance.yahoo.com/?version=2"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
EXCHANGES: Final = ("XKRX", "XNAS", "XNYS", "ARCX", "CCY")
ANY_EXCHANGE: Final = "*"
LIVE_SOURCES: Final = ("yahoo", "yfinance", "krx", "folder")
SOURCE_ORDER: Final = "*=yahoo,yfinance"


@dataclass(frozen=True)
class Settings:
    """One field per `SISE_*` variable; the README's table lists them all (a test compares)."""

    host: str
    port: int
    data_dir: Path
    database_url: str | None
    migration_url: str | None
    redis_url: str | None
    secret: str | None = field(repr=False)
    secret_file: Path | None
    registration: Registration
    providers: tuple[Provider, ...]
    smtp_url: str | None = field(repr=False)
    mail_from: str | None
    public_url: str | None
    price_source: SourceName
    source_order: Mapping[str, tuple[str, ...]]
    yahoo_url: str
    yahoo_stream_url: str
    naver_url: str | None
    requests_per_minute: int
    price_folder: Path | None
    strategy_dir: Path | None
    runner: str
    collect_every: float | None
    replay_step: float
    macd_vote: MacdVoting
    public_market: bool
    allowed_hosts: tuple[str, ...]
    points_per_minute: int
    sockets_per_client: int
    sockets_per_user: int
    webhook_inside: bool
    dev: bool
    log_level: str
    clock: Clock

    @property
    def embedded(self) -> bool:
        """Whether any server of ours has to be started."""
        return self.database_url is None or self.redis_url is None

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the web process."""
        return self.host in LOOPBACK

    @property
    def site(self) -> str:
        """The address of the pages for who is not there yet: in mails."""
        return self.public_url or f"http://{self.host}:{self.port}"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Reads and checks the environment.

    Raises:
        ConfigError: a value that cannot be right, named with its variable.
    """
    env = os.environ if environ is None else environ
    host = env.get("SISE_HOST", "127.0.0.1")
    loopback = host in LOOPBACK
    public_url = _public_url(env)
    smtp_url, mail_from = _mail(env)
    return Settings(
        host=host,
        port=_whole(env, "SISE_PORT", 8000, 1, 65535),
        data_dir=Path(env.get("SISE_DATA_DIR") or _default_data_dir()).expanduser().absolute(),
        database_url=_url(env, "SISE_DATABASE_URL", ("postgresql://", "postgresql+asyncpg://")),
        migration_url=_url(env, "SISE_MIGRATION_URL", ("postgresql://", "postgresql+asyncpg://")),
        redis_url=_url(env, "SISE_REDIS_URL", ("redis://", "rediss://", "unix://")),
        secret=env.get("SISE_SECRET", "").strip() or None,
        secret_file=_path(env, "SISE_SECRET_FILE"),
        registration=_registration(env, loopback=loopback),
        providers=read_providers(env),
        smtp_url=smtp_url,
        mail_from=mail_from,
        public_url=public_url,
        price_source=_source(env),
        source_order=_source_order(env),
        yahoo_url=(_url(env, "SISE_YAHOO_URL", ("http://", "https://")) or YAHOO_URL).rstrip("/"),
        yahoo_stream_url=_url(env, "SISE_YAHOO_STREAM_URL", ("ws://", "wss://"))
        or YAHOO_STREAM_URL,
        naver_url=_url(env, "SISE_NAVER_URL", ("http://", "https://")),
        requests_per_minute=_whole(env, "SISE_REQUESTS_PER_MINUTE", 600, 1, 1_000_000),
        price_folder=_path(env, "SISE_PRICE_FOLDER"),
        strategy_dir=_path(env, "SISE_STRATEGY_DIR"),
        runner=_runner(env),
        collect_every=_number(env, "SISE_COLLECT_EVERY", None, 1, 86_400),
        replay_step=_number(env, "SISE_REPLAY_STEP", 2.0, 0.01, 3_600),
        macd_vote=cast("MacdVoting", _choice(env, "SISE_MACD_VOTE", "cross", get_args(MacdVoting))),
        public_market=_flag(env, "SISE_PUBLIC_MARKET", default=loopback),
        allowed_hosts=_allowed_hosts(env, public_url),
        points_per_minute=_whole(env, "SISE_POINTS_PER_MINUTE", 100_000, 10_000, 1_000_000_000),
        sockets_per_client=_whole(env, "SISE_SOCKETS_PER_CLIENT", 50, 1, 100_000),
        sockets_per_user=_whole(env, "SISE_SOCKETS_PER_USER", 10, 1, 100_000),
        webhook_inside=_flag(env, "SISE_WEBHOOK_INSIDE", default=False),
        dev=_flag(env, "SISE_DEV", default=False),
        log_level=_choice(env, "SISE_LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
        clock=_clock(env.get("SISE_CLOCK")),
    )


def resource_dir(name: str) -> Path:
    """Where `templates`, `static`, `migrations` or `locale` lies: in the wheel or checkout."""
    here = Path(__file__).resolve().parent
    bundled = here / "_bundle" / name
    return bundled if bundled.is_dir() else here.parent / name


def _default_data_dir() -> str:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return "/var/lib/sise"
    return platformdirs.user_data_dir("sise")


def _path(env: Mapping[str, str], name: str) -> Path | None:
    text = env.get(name, "").strip()
    return Path(text).expanduser().absolute() if text else None


def _number(
    env: Mapping[str, str], name: str, default: float | None, low: float, high: float
) -> float:
    text = env.get(name, "").strip()
    if not text:
        return cast("float", default)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        msg = "%(name)s is %(value)r; it must be a number from %(low)g to %(high)g"
        raise ConfigError(msg, name=name, value=text, low=low, high=high)
    return value


def _whole(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    value = _number(env, name, default, low, high)
    if value != int(value):
        raise ConfigError(
            "%(name)s is %(value)s; it must be a whole number", name=name, value=value
        )
    return int(value)


def _flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = env.get(name, "").strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ConfigError("%(name)s is %(value)r; it must be true or false", name=name, value=text)


def _choice(env: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    text = env.get(name, "").strip().lower() or default
    if text not in choices:
        msg = "%(name)s is %(value)r; it must be one of %(choices)s"
        raise ConfigError(msg, name=name, value=text, choices=", ".join(choices))
    return text


def _runner(env: Mapping[str, str]) -> str:
    """A word, or the address of a Dask scheduler."""
    text = env.get("SISE_RUNNER", "").strip()
    if text.startswith(("tcp://", "tls://")) and urlsplit(text).netloc:
        return text
    known = ("inline", "processes", "tcp://HOST:PORT", "tls://HOST:PORT")
    return _choice(env, "SISE_RUNNER", "inline", known)


def _source(env: Mapping[str, str]) -> SourceName:
    return cast("SourceName", _choice(env, "SISE_PRICE_SOURCE", "auto", get_args(SourceName)))


def _registration(env: Mapping[str, str], *, loopback: bool) -> Registration:
    """Open where only this machine can come, closed elsewhere."""
    usual = "open" if loopback else "closed"
    chosen = _choice(env, "SISE_REGISTRATION", usual, get_args(Registration))
    return cast("Registration", chosen)


def _public_url(env: Mapping[str, str]) -> str | None:
    text = env.get("SISE_PUBLIC_URL", "").strip()
    if not text:
        return None
    address = check_web_address("SISE_PUBLIC_URL", text)
    if urlsplit(address).path:
        msg = "SISE_PUBLIC_URL is %(value).80r; it must have no path"
        raise ConfigError(msg, value=text)
    return address


def _allowed_hosts(env: Mapping[str, str], public_url: str | None) -> tuple[str, ...]:
    """The names that are listed, and that of SISE_PUBLIC_URL."""
    listed = [h.strip() for h in env.get("SISE_ALLOWED_HOSTS", "").split(",") if h.strip()]
    own = urlsplit(public_url or "").hostname
    return tuple(dict.fromkeys([*listed, *([own] if own else [])]))


def _mail(env: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The mail server and the sender: both or none."""
    url = _url(env, "SISE_SMTP_URL", ("smtp://", "smtps://", "smtp+plain://"))
    sender = env.get("SISE_MAIL_FROM", "").strip() or None
    if (url is None) != (sender is None):
        names = ("SISE_SMTP_URL", "SISE_MAIL_FROM")
        missing, given = names if url is None else names[::-1]
        raise ConfigError("%(given)s needs %(missing)s", given=given, missing=missing)
    if url is None or sender is None:
        return None, None
    parts = urlsplit(url)
    if not parts.hostname:
        raise ConfigError("SISE_SMTP_URL names no host")
    if parts.scheme == "smtp+plain" and parts.password and not is_loopback(parts.hostname):
        raise ConfigError("SISE_SMTP_URL would send its password in the open; use smtp:// for TLS")
    if "@" not in parseaddr(sender)[1] or not sender.isprintable():
        msg = "SISE_MAIL_FROM is %(value).80r; it must be an address as Sise <sise@example.com>"
        raise ConfigError(msg, value=sender)
    return url, sender


def _source_order(env: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """`XKRX=yahoo,krx;*=yahoo`: the sources by exchange, `*` for those that are not named."""
    order: dict[str, tuple[str, ...]] = {}
    for part in env.get("SISE_SOURCE_ORDER", "").split(";"):
        if not part.strip():
            continue
        exchange, _, listed = part.partition("=")
        mic = exchange.strip().upper()
        names = tuple(name.strip().lower() for name in listed.split(","))
        _check_order(exchange.strip(), (mic,), (*EXCHANGES, ANY_EXCHANGE), "exchange")
        _check_order(part.strip(), names, LIVE_SOURCES, "source")
        if mic in order or len(set(names)) < len(names):
            msg = "SISE_SOURCE_ORDER names something twice: %(value).40r"
            raise ConfigError(msg, value=part.strip())
        order[mic] = names
    usual = tuple(SOURCE_ORDER.removeprefix("*=").split(","))
    return MappingProxyType({ANY_EXCHANGE: usual} | order)


def _check_order(
    part: str, found: tuple[str, ...], known: tuple[str, ...], what: Literal["exchange", "source"]
) -> None:
    for name in found:
        if name not in known:
            msg = (
                "SISE_SOURCE_ORDER has %(part).40r: there is no %(what)s %(name).20r; "
                "there are %(known)s (an order is XKRX=yahoo,krx;*=yahoo)"
            )
            names = ", ".join(known)
            raise ConfigError(msg, part=part, what=what, name=name, known=names)


def _url(env: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str | None:
    text = env.get(name, "").strip()
    if not text:
        return None
    if not text.startswith(schemes):
        msg = "%(name)s must begin with one of %(schemes)s"
        raise ConfigError(msg, name=name, schemes=", ".join(schemes))
    try:
        _ = urlsplit(text).port
    except ValueError as error:  # it holds no part of the password; the URL might
        msg = "%(name)s is no address: %(error)s"
        raise ConfigError(msg, name=name, error=str(error)) from None
    return text


def _clock(text: str | None) -> Clock:
    """`2026-01-05T00:00:00Z`, then `@rate`, then `@origin` if wanted (tests only).

    `origin` is the real instant (UNIX seconds) at which the clock stands at its start; without one
    it is now. Processes that are given the same origin show the same time, whenever they start.
    """
    if not text:
        return Clock()
    instant, *rest = text.split("@")
    try:
        start = datetime.fromisoformat(instant)
        speed, *origin = [float(part) for part in rest or ["1"]]
    except ValueError as error:
        msg = "SISE_CLOCK is %(value)r; it must be an ISO instant with a zone, then @rate if wanted"
        raise ConfigError(msg, value=text) from error
    if start.tzinfo is None:
        raise ConfigError(
            "SISE_CLOCK is %(value)r: the zone is missing (end it with Z)", value=text
        )
    if origin:
        return Clock(start=start, rate=speed, _origin=origin[0])
    return Clock(start=start, rate=speed)
