"""`sise prepare` and `sise source`: the first start, a later one, and the switch."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.naver import FakeNaver
from tests.fakes.yahoo import FakeYahoo
from tests.processes import bare_environ, open_place, sise

SAMPLE = ["AAPL", "FB", "GOOG", "IBM", "MSFT"]


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """One data directory for the story of this module, in order."""
    with open_place() as place:
        yield place / "시세 data"


def run(
    data: Path,
    *arguments: str,
    yahoo: FakeYahoo | None = None,
    source: str = "auto",
    **more: str,
) -> subprocess.CompletedProcess[str]:
    """Runs a command on its own embedded servers; without a Yahoo nothing answers."""
    environ = bare_environ(
        SISE_DATA_DIR=data,
        SISE_PRICE_SOURCE=source,
        SISE_YAHOO_URL=yahoo.url if yahoo else "http://127.0.0.1:1",
        **more,
    )
    return subprocess.run(
        sise(*arguments), env=environ, capture_output=True, text=True, check=False, cwd="/"
    )


def test_a_first_start_without_yahoo_loads_the_sample(data: Path) -> None:
    done = run(data, "prepare")
    assert done.returncode == 0, done.stderr
    steps = ["Database", "Asking Yahoo Finance", "Trading calendars", "Prices: The sample"]
    found = [done.stderr.index(f"{step} …") for step in [*steps, "Indicators"]]
    assert found == sorted(found)
    assert "Yahoo Finance is not used" in done.stderr


def test_a_later_start_finds_everything_there(data: Path) -> None:
    done = run(data, "prepare")
    assert (done.returncode, done.stderr) == (0, "Database …\n")


def test_a_broker_that_is_away_names_its_setting(data: Path) -> None:
    done = run(data, "prepare", SISE_REDIS_URL="redis://127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.endswith("Is SISE_REDIS_URL right?\n")


def test_another_source_in_the_settings_is_a_wrong_setting(data: Path) -> None:
    done = run(data, "prepare", source="yahoo")
    assert done.returncode == 78
    assert "`sise source yahoo` switches" in done.stderr


def test_a_switch_to_a_source_that_does_not_answer_changes_nothing(data: Path) -> None:
    done = run(data, "source", "yahoo")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert run(data, "source", "sample").stdout == "The sample is in use already.\n"


def test_a_switch_drops_the_sample_and_loads_the_other_source(data: Path, yahoo: FakeYahoo) -> None:
    done = run(data, "source", "yahoo", yahoo=yahoo)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Yahoo Finance is in use now.\n"
    assert "Prices: Yahoo Finance …" in done.stderr
    assert "Indicators …" in done.stderr
    assert run(data, "prepare", yahoo=yahoo, source="yahoo").stderr == "Database …\n"


def test_single_instruments_may_take_the_prices_of_another_source(
    data: Path, yahoo: FakeYahoo, naver: FakeNaver
) -> None:
    more = {"SISE_SOURCE_ORDER": "XKRX=yahoo,krx", "SISE_NAVER_URL": naver.url}
    done = run(data, "source", "krx", "005930.ks", yahoo=yahoo, **more)
    assert done.returncode == 0, done.stderr
    count = len(naver.listings["005930.KS"].bars)
    assert done.stdout == f"005930.KS: {count} rows of Naver\n"
    again = run(data, "source", "folder", "005930.KS", yahoo=yahoo, **more)
    assert again.returncode == 1
    assert "There is no source 'folder' in the order of 005930.KS" in again.stderr
    alone = run(data, "source", "krx")
    assert alone.returncode == 1
    assert "`sise source krx SYMBOL`" in alone.stderr
