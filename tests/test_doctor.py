"""The doctor: each finding on a real installation, healthy and not."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import make_url, text

from app import doctor
from app.clock import Clock
from app.commands.doctor import line
from app.config import Settings, load_settings
from app.db.engine import Database
from app.doctor import Finding, State, examine_machine, examine_servers
from app.env import Env
from app.services.market.calendars import seed_overrides
from app.services.settings import choose_source
from tests.fakes.smtp import FakeSmtp
from tests.processes import bare_environ, open_place, sise


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    """Findings by what they are about."""
    return {finding.name: finding for finding in findings}


@pytest.fixture
def data() -> Iterator[Path]:
    """A data directory that does not exist yet."""
    with open_place() as place:
        yield place / "data"


def test_a_healthy_machine_is_ok() -> None:
    settings = load_settings({"SISE_DATA_DIR": "/tmp/no/such/folder"})
    found = by_name(examine_machine(settings))
    assert found.keys() == {"Disk", "Clock", "Time zones", "Source order"}
    assert {finding.state for finding in found.values()} <= {State.OK, State.WARN}
    assert "GB free for /tmp/no/such/folder" in found["Disk"].detail


@pytest.mark.parametrize(
    ("free", "state"), [(2 << 30, State.OK), (500 << 20, State.WARN), (99 << 20, State.FAIL)]
)
def test_a_disk_that_fills_up_is_said_in_time(
    free: int, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    found = by_name(examine_machine(load_settings({})))["Disk"]
    assert found.state == state
    assert "SISE_DATA_DIR" in found.advice


@pytest.mark.parametrize(
    ("clock", "state"),
    [
        (Clock(), State.OK),
        (Clock(start=datetime(2030, 1, 1, tzinfo=UTC)), State.WARN),
        (Clock(rate=60.0), State.WARN),
    ],
)
def test_a_clock_that_is_not_the_real_one_is_said(clock: Clock, state: State) -> None:
    settings = replace(load_settings({}), clock=clock)
    assert by_name(examine_machine(settings))["Clock"].state == state


def test_a_clock_of_the_past_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "RELEASED", datetime(2999, 1, 1, tzinfo=UTC))
    found = by_name(examine_machine(load_settings({})))["Clock"]
    assert (found.state, found.advice) == (State.FAIL, "Set this machine's clock.")


def test_missing_time_zones_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ZONES", ("Asia/Seoul", "Mars/Olympus"))
    found = by_name(examine_machine(load_settings({})))["Time zones"]
    assert (found.state, found.detail) == (State.FAIL, "unknown: Mars/Olympus")


def test_the_sources_of_the_order_have_to_be_there(tmp_path: Path) -> None:
    def look(order: str, folder: Path | None = None) -> Finding:
        environ = {"SISE_SOURCE_ORDER": order, "SISE_PRICE_FOLDER": str(folder or "")}
        return by_name(examine_machine(load_settings(environ)))["Source order"]

    assert look("XKRX=yahoo,krx").detail == "*=yahoo,yfinance; XKRX=yahoo,krx"
    assert look("*=folder", tmp_path).state is State.OK
    unset = look("XNAS=folder")
    assert (unset.state, "SISE_PRICE_FOLDER is not set" in unset.detail) == (State.FAIL, True)
    assert look("*=folder", tmp_path / "none").detail.endswith("none is no folder")
    assert look("") == Finding("Source order", State.OK, "*=yahoo,yfinance")
    assert look("*=yfinance").state is State.WARN


async def test_a_new_installation_has_servers_and_no_source_yet(env: Env) -> None:
    await seed_overrides(env)
    found = by_name(await examine_servers(env.settings))
    assert found["PostgreSQL"].state == State.OK
    assert found["PostgreSQL"].detail.startswith("version 18.")
    assert found["PostgreSQL"].detail.endswith("role sise_app")
    assert found["Valkey"].state == State.OK
    assert re.fullmatch(r"(Valkey|Redis) \d+\.\d+\.\d+", found["Valkey"].detail)
    assert found["Migrations"].state == State.OK
    assert found["Workers"].state == State.WARN
    assert found["Price source"] == Finding(
        "Price source", State.WARN, "none chosen yet", "The first `sise up` chooses one."
    )
    assert found["Web"].state == State.WARN


async def test_a_database_without_tables_is_said_once(env: Env) -> None:
    url = make_url(env.settings.database_url or "").set(database="postgres")
    bare = replace(env.settings, database_url=url.render_as_string(hide_password=False))
    found = by_name(await examine_servers(bare))
    assert found["PostgreSQL"].state == State.OK
    assert found["Migrations"].state == State.FAIL
    assert found["Migrations"].detail.endswith("run `sise migrate`.")
    assert not {"Price source", "Calendar"} & set(found), "nothing else needs to be told"


async def test_a_missing_secret_is_said_and_the_rest_still_looked_at(env: Env) -> None:
    found = by_name(await examine_servers(replace(env.settings, secret=None)))
    assert found["Secret"].state == State.FAIL
    assert "SISE_SECRET is not set" in found["Secret"].detail
    assert found["Migrations"].state == State.OK


async def test_workers_that_show_themselves_are_ok(env: Env) -> None:
    for queue in ("quick", "long"):
        await env.bus.cache(f"sise:{queue}:health-check", b"1", 11)
    assert by_name(await examine_servers(env.settings))["Workers"].state == State.OK


async def test_a_source_that_answers_is_ok_and_one_that_does_not_is_said(env: Env) -> None:
    await choose_source(env, "sample")
    found = by_name(await examine_servers(env.settings))["Price source"]
    assert (found.state, found.detail) == (
        State.OK,
        "The sample: recorded prices of 2000-2013",
    )
    await choose_source(env, "yahoo")
    assert by_name(await examine_servers(env.settings))["Price source"].state == State.OK
    deaf = replace(env.settings, yahoo_url="http://127.0.0.1:1")
    found = by_name(await examine_servers(deaf))["Price source"]
    assert found.state == State.WARN
    assert "SISE_YAHOO_URL" in found.advice


@pytest.mark.parametrize(
    ("today", "state", "words"),
    [
        (date(2026, 11, 29), State.OK, "reach to 2027-11-18; to be confirmed: 2027-05-03, 2027-07"),
        (date(2027, 3, 5), State.WARN, "confirmed: 2027-05-03, 2027-07-19, 2027-11-18"),
        (date(2027, 5, 30), State.WARN, "to be confirmed: 2027-07-19, 2027-11-18"),
        (date(2027, 7, 21), State.OK, "to be confirmed: 2027-11-18"),
        (date(2027, 10, 20), State.WARN, "reach to 2027-11-18"),
    ],
)
async def test_corrections_of_the_calendar_that_end_or_are_open_within_60_days_are_said(
    env: Env, today: date, state: State, words: str
) -> None:
    start = datetime(today.year, today.month, today.day, tzinfo=UTC)
    found = by_name(await examine_servers(replace(env.settings, clock=Clock(start=start))))
    assert found["Calendar"].state == state
    assert words in found["Calendar"].detail


async def test_the_mail_server_is_asked_where_one_is_set(env: Env, smtp: FakeSmtp) -> None:
    found = by_name(await examine_servers(env.settings))["Mail"]
    assert (found.state, "SISE_SMTP_URL is not set" in found.detail) == (State.OK, True)
    here = f"smtp+plain://127.0.0.1:{smtp.port}"
    mailing = replace(env.settings, smtp_url=here, mail_from="Sise <sise@example.com>")
    assert by_name(await examine_servers(mailing))["Mail"].detail == "the server answers"
    gone = replace(mailing, smtp_url="smtp+plain://127.0.0.1:1")
    assert by_name(await examine_servers(gone))["Mail"].state == State.WARN


async def test_a_role_that_may_create_tables_is_said(env: Env) -> None:
    owner = replace(env.settings, database_url=env.settings.migration_url)
    found = by_name(await examine_servers(owner))["PostgreSQL"]
    assert found.state == State.WARN
    assert "the role sise_owner may create tables" in found.detail


async def test_an_index_that_a_killed_migration_left_is_said(env: Env, superuser: Database) -> None:
    async with superuser.write() as db:
        await db.execute(text("CREATE TABLE broken (n int)"))
        await db.execute(text("CREATE INDEX ix_broken ON broken (n)"))
        invalid = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_broken'::regclass"
        await db.execute(text(invalid))
    try:
        found = by_name(await examine_servers(env.settings))["Indexes"]
        assert (found.state, found.advice) == (
            State.WARN,
            "Run REINDEX INDEX for each: ix_broken",
        )
    finally:
        async with superuser.write() as db:
            await db.execute(text("DROP TABLE broken"))


async def test_servers_that_do_not_answer_are_failures_and_the_rest_is_still_looked_at(
    env: Env,
) -> None:
    gone = replace(
        env.settings,
        database_url="postgresql://sise@127.0.0.1:1/sise",
        redis_url="redis://127.0.0.1:1",
    )
    findings = await examine_servers(gone)
    assert [(f.name, f.state) for f in findings] == [
        ("PostgreSQL", State.FAIL),
        ("Valkey", State.FAIL),
        ("Mail", State.OK),
        ("Web", State.WARN),
    ], "what needs a server that does not answer is not told again"
    found = by_name(findings)
    assert "SISE_DATABASE_URL" in found["PostgreSQL"].advice
    assert "SISE_REDIS_URL" in found["Valkey"].advice


def test_a_finding_is_one_line_with_advice_when_it_needs_some() -> None:
    assert line(Finding("Disk", State.OK, "fine", "Free some.")) == "ok    Disk          fine"
    assert line(Finding("Disk", State.FAIL, "full.", "Free some.")) == (
        "fail  Disk          full. Free some."
    )


def diagnose(**settings: object) -> subprocess.CompletedProcess[str]:
    """Runs `sise doctor`."""
    return subprocess.run(
        sise("doctor"),
        env=bare_environ(**settings),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def test_before_the_first_start_the_doctor_makes_nothing(data: Path) -> None:
    done = diagnose(SISE_DATA_DIR=data)
    assert done.returncode == 0, done.stderr
    assert f"warn  Data          {data} does not exist yet. `sise up` makes it." in done.stdout
    assert not data.exists()


def test_the_doctor_s_exit_code_is_1_when_something_fails(env: Env) -> None:
    urls: dict[str, Settings | str | None] = {
        "SISE_DATABASE_URL": env.settings.database_url,
        "SISE_REDIS_URL": "redis://127.0.0.1:1",
    }
    done = diagnose(**urls)
    assert done.returncode == 1, done.stderr
    assert "fail  Valkey" in done.stdout
    assert "ok    PostgreSQL" in done.stdout


def test_a_damaged_data_directory_is_a_finding(data: Path) -> None:
    data.mkdir()
    (data / "letter.txt").write_text("mine")
    done = diagnose(SISE_DATA_DIR=data)
    assert done.returncode == 1, done.stderr
    assert "fail  Servers" in done.stdout
    assert "holds other files" in done.stdout
