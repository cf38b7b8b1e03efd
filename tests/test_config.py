"""Settings: defaults, and a clear line for each value that cannot be right."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.config import YAHOO_URL, load_settings, resource_dir
from app.errors import ConfigError


def test_nothing_needs_to_be_set() -> None:
    settings = load_settings({})
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.price_source == "auto"
    assert settings.yahoo_url == YAHOO_URL
    assert settings.requests_per_minute == 600
    assert (settings.naver_url, settings.price_folder) == (None, None)
    assert settings.embedded
    assert settings.public_market
    assert not settings.dev


def test_the_folder_of_prices_is_absolute() -> None:
    folder = load_settings({"SISE_PRICE_FOLDER": "~/prices"}).price_folder
    assert folder is not None
    assert folder.is_absolute()
    assert "~" not in str(folder)


def test_the_order_of_sources_is_by_exchange() -> None:
    assert load_settings({}).source_order == {"*": ("yahoo", "yfinance")}
    order = load_settings({"SISE_SOURCE_ORDER": " xkrx = Yahoo, krx ; * = folder;"}).source_order
    assert order == {"*": ("folder",), "XKRX": ("yahoo", "krx")}
    alone = load_settings({"SISE_SOURCE_ORDER": "XKRX=krx"}).source_order
    assert alone == {"*": ("yahoo", "yfinance"), "XKRX": ("krx",)}
    with pytest.raises(TypeError):
        alone["XKRX"] = ()  # type: ignore[index]


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        load_settings({}).port = 1  # type: ignore[misc]


def test_an_empty_variable_is_an_unset_one() -> None:
    assert load_settings({"SISE_DATABASE_URL": " "}).database_url is None
    assert load_settings({"SISE_PORT": ""}).port == 8000


def test_markets_are_not_public_beyond_this_machine_unless_said() -> None:
    assert not load_settings({"SISE_HOST": "0.0.0.0"}).public_market
    assert load_settings({"SISE_HOST": "0.0.0.0", "SISE_PUBLIC_MARKET": "yes"}).public_market


def test_own_servers_are_not_embedded() -> None:
    settings = load_settings(
        {"SISE_DATABASE_URL": "postgresql://a@b/c", "SISE_REDIS_URL": "redis://d"}
    )
    assert not settings.embedded


def test_the_data_directory_is_absolute() -> None:
    assert load_settings({"SISE_DATA_DIR": "here"}).data_dir == Path.cwd() / "here"


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("SISE_PORT", "eighty", "number from 1 to 65535"),
        ("SISE_PORT", "0", "number from 1 to 65535"),
        ("SISE_PORT", "80.5", "whole number"),
        ("SISE_DATABASE_URL", "postgresql://x@127.0.0.1:abc/y", "no address"),
        ("SISE_REDIS_URL", "redis://127.0.0.1:foo", "no address"),
        ("SISE_YAHOO_URL", "http://[::1", "no address"),
        ("SISE_PORT", "nan", "number from 1 to 65535"),
        ("SISE_DATABASE_URL", "mysql://x", "postgresql://"),
        ("SISE_REDIS_URL", "http://x", "redis://"),
        ("SISE_PRICE_SOURCE", "bloomberg", "auto, yahoo, sample"),
        ("SISE_SOURCE_ORDER", "XLON=yahoo", "no exchange 'XLON'; there are XKRX, XNAS"),
        ("SISE_SOURCE_ORDER", "XKRX=naver", "no source 'naver'; there are yahoo, yfinance, krx"),
        ("SISE_SOURCE_ORDER", "XKRX=", "no source ''"),
        ("SISE_SOURCE_ORDER", "yahoo", "no exchange 'YAHOO'"),
        ("SISE_SOURCE_ORDER", "XKRX=krx,yahoo,krx", "twice"),
        ("SISE_SOURCE_ORDER", "*=krx;*=yahoo", "twice"),
        ("SISE_YAHOO_URL", "ftp://x", "http://"),
        ("SISE_NAVER_URL", "ftp://x", "http://"),
        ("SISE_REQUESTS_PER_MINUTE", "0", "number from 1"),
        ("SISE_REQUESTS_PER_MINUTE", "1.5", "whole number"),
        ("SISE_DEV", "perhaps", "true or false"),
        ("SISE_LOG_LEVEL", "loud", "debug, info"),
        ("SISE_COLLECT_EVERY", "0", "number from 1"),
        ("SISE_SMTP_URL", "http://x", "smtp://"),
        ("SISE_SMTP_URL", "smtp://:25", "SISE_MAIL_FROM"),
        ("SISE_MAIL_FROM", "a@example.com", "SISE_SMTP_URL"),
        ("SISE_PUBLIC_URL", "http://sise.example.com", "https://"),
        ("SISE_PUBLIC_URL", "https://sise.example.com/sise", "no path"),
        ("SISE_PUBLIC_URL", "https://[::1", "no address"),
        ("SISE_CLOCK", "yesterday", "ISO instant"),
        ("SISE_CLOCK", "2026-01-05T00:00:00", "zone is missing"),
        ("SISE_CLOCK", "2026-01-05T00:00:00Z@fast", "@rate"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(name: str, value: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({name: value})
    assert name in str(caught.value)
    assert hint in str(caught.value)


def test_a_password_is_not_repeated_in_an_error() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({"SISE_DATABASE_URL": "mysql://user:geheim@host/db"})
    assert "geheim" not in str(caught.value)


MAIL = {"SISE_SMTP_URL": "smtp://a:geheim@mail.example.com", "SISE_MAIL_FROM": "Sise <s@x.org>"}


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"SISE_SMTP_URL": "smtp://:25"}, "names no host"),
        ({"SISE_SMTP_URL": "smtp+plain://a:geheim@mail.example.com"}, "in the open"),
        ({"SISE_MAIL_FROM": "nobody"}, "SISE_MAIL_FROM is 'nobody'"),
        ({"SISE_MAIL_FROM": "a@x.org\nBcc: b@x.org"}, "SISE_MAIL_FROM is"),
    ],
)
def test_a_mail_server_is_right_or_named(changes: dict[str, str], hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(MAIL | changes)
    assert hint in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_mail_is_read_and_its_password_not_shown() -> None:
    settings = load_settings(MAIL)
    assert (settings.smtp_url, settings.mail_from) == tuple(MAIL.values())
    assert "geheim" not in repr(settings)
    assert load_settings({"SISE_SMTP_URL": "smtp+plain://a:b@127.0.0.1", "SISE_MAIL_FROM": "a@b.c"})


def test_the_public_address_is_one_of_the_allowed_hosts() -> None:
    set_ = {"SISE_PUBLIC_URL": "https://sise.example.com/", "SISE_ALLOWED_HOSTS": "a, b"}
    settings = load_settings(set_)
    assert settings.site == "https://sise.example.com"
    assert settings.allowed_hosts == ("a", "b", "sise.example.com")
    assert load_settings({}).site == "http://127.0.0.1:8000"


def test_the_clock_of_tests_is_read() -> None:
    start = datetime(2013, 3, 4, 15, tzinfo=UTC)
    now = load_settings({"SISE_CLOCK": "2013-03-04T15:00:00Z@2"}).clock.now()
    assert start <= now < start + timedelta(minutes=5)


@pytest.mark.parametrize("name", ["templates", "static", "migrations", "locale"])
def test_resources_are_found(name: str) -> None:
    assert resource_dir(name).is_dir()
