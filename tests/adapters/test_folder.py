"""A folder of somebody's own prices: both bases, instruments.csv, and no way out of the folder."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from app.adapters.folder import FolderSource
from app.adapters.prices import BadPayload, History, NoData, NotListed, SourceDown, Tick

HEAD = "date,open,high,low,close,volume\n"
ROWS = "2024-01-02,10,12,9,11,100\n2024-01-03,11,13,10,12,200\n"


@pytest.fixture
def source(tmp_path: Path) -> FolderSource:
    return FolderSource(tmp_path)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def there(answer: object) -> History:
    assert isinstance(answer, History), answer
    return answer


async def test_a_file_a_symbol_is_enough(source: FolderSource, tmp_path: Path) -> None:
    write(tmp_path, "AAPL.csv", HEAD + ROWS)
    found = there(await source.history("AAPL"))
    assert (found.info.mic, found.info.currency, found.info.name_local) == ("XNAS", "USD", "애플")
    assert found.bars["close"].to_list() == [11, 12]
    assert source.state() is None


@pytest.mark.parametrize(
    ("symbol", "mic", "currency", "kind"),
    [
        ("BRK-B", "XNAS", "USD", "EQUITY"),
        ("005930.KS", "XKRX", "KRW", "EQUITY"),
        ("^KS11", "XKRX", "KRW", "INDEX"),
        ("USDKRW=X", "CCY", "KRW", "FX"),
    ],
)
async def test_a_symbol_tells_what_it_is(
    source: FolderSource, tmp_path: Path, symbol: str, mic: str, currency: str, kind: str
) -> None:
    write(tmp_path, f"{symbol}.csv", HEAD + ROWS)
    info = there(await source.history(symbol)).info
    assert (info.mic, info.currency, info.kind) == (mic, currency, kind)


async def test_instruments_csv_says_more(source: FolderSource, tmp_path: Path) -> None:
    write(tmp_path, "SPY.csv", HEAD + ROWS)
    head = "symbol,name,exchange,currency,kind,name_local,sector,industry\n"
    write(tmp_path, "instruments.csv", head + "SPY,S&P 500 ETF,ARCX,USD,ETF,에스피,Funds,\n")
    info = there(await source.history("SPY")).info
    assert (info.name, info.mic, info.kind, info.name_local) == (
        "S&P 500 ETF",
        "ARCX",
        "ETF",
        "에스피",
    )
    profile = await source.profile("SPY")
    assert (profile.sector, profile.industry) == ("Funds", None)  # type: ignore[union-attr]
    assert [i.symbol for i in await source.search("에스")] == ["SPY"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("SPY,XLON,USD,ETF", "line 2: 'XLON' is none of XKRX, XNAS, XNYS, ARCX, CCY"),
        ("SPY,ARCX,KRW,ETF", "line 2: 'KRW' is none of USD"),
        ("SPY,ARCX,USD,FUND", "line 2: 'FUND' is none of EQUITY, ETF, INDEX, FX"),
        ("../x,ARCX,USD,ETF", "line 2: '../x' is no symbol"),
        ("SPY,ARCX,USD", "line 2: 3 fields, not 4 as in line 1"),
    ],
)
async def test_a_bad_row_of_instruments_csv_is_named(
    source: FolderSource, tmp_path: Path, row: str, message: str
) -> None:
    write(tmp_path, "SPY.csv", HEAD + ROWS)
    write(tmp_path, "instruments.csv", f"symbol,exchange,currency,kind\n{row}\n")
    for answer in (await source.history("SPY"), await source.profile("SPY")):
        assert isinstance(answer, BadPayload)
        assert answer.detail == f"instruments.csv, {message}"


SPLIT = "date,open,high,low,close,volume,split,dividend\n"
ADJUSTED = (
    SPLIT
    + "2020-08-28,125.25,126.5,124.5,124.8075,400,,0.2\n2020-08-31,127,131,126,129.04,300,4:1,\n"
)


async def test_split_adjusted_prices_are_turned_back(source: FolderSource, tmp_path: Path) -> None:
    write(tmp_path, "AAPL.csv", ADJUSTED)
    write(tmp_path, "folder.toml", 'basis = "split-adjusted"\n')
    found = there(await source.history("AAPL"))
    assert found.bars["close"].to_list() == [499.23, 129.04]
    assert found.bars["volume"].to_list() == [100, 300]
    assert found.splits.rows() == [(date(2020, 8, 31), 4, 1)]
    assert found.dividends.rows() == [(date(2020, 8, 28), 0.8)]


async def test_the_basis_may_be_said_for_one_instrument(
    source: FolderSource, tmp_path: Path
) -> None:
    write(tmp_path, "AAPL.csv", ADJUSTED)
    write(tmp_path, "MSFT.csv", ADJUSTED)
    write(tmp_path, "instruments.csv", "symbol,basis\nAAPL,split-adjusted\nMSFT,\n")
    assert there(await source.history("AAPL")).bars["close"][0] == 499.23
    assert there(await source.history("MSFT")).bars["close"][0] == 124.8075


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('basis = "adjusted"', "'adjusted' is none of as-traded, split-adjusted"),
        ("basis = 5", "'5' is none of"),
        ("basis =", "folder.toml: "),
    ],
)
async def test_a_bad_folder_toml_is_named(
    source: FolderSource, tmp_path: Path, text: str, message: str
) -> None:
    write(tmp_path, "AAPL.csv", HEAD + ROWS)
    write(tmp_path, "folder.toml", text)
    found = await source.history("AAPL")
    assert isinstance(found, BadPayload)
    assert message in found.detail


async def test_a_shared_file_serves_who_has_none_of_his_own(
    source: FolderSource, tmp_path: Path
) -> None:
    write(tmp_path, "bars.csv", f"symbol,{HEAD}AAPL,2024-01-02,10,12,9,11,100\n")
    write(tmp_path, "MSFT.csv", HEAD + ROWS)
    assert len(there(await source.history("AAPL")).bars) == 1
    assert len(there(await source.history("MSFT")).bars) == 2
    assert await source.history("NOPE") == NotListed("NOPE")


async def test_what_is_put_there_counts_at_once(source: FolderSource, tmp_path: Path) -> None:
    assert await source.history("AAPL") == NotListed("AAPL")
    write(tmp_path, "AAPL.csv", HEAD)
    assert await source.history("AAPL") == NoData("AAPL.csv has no rows")
    write(tmp_path, "AAPL.csv", HEAD + ROWS)
    assert len(there(await source.history("AAPL")).bars) == 2


async def test_a_rate_needs_a_close_alone(source: FolderSource, tmp_path: Path) -> None:
    write(tmp_path, "USDKRW=X.csv", "date,close\n2024-01-02,1310.5\n")
    found = there(await source.history("USDKRW=X"))
    assert found.bars["close"].to_list() == [1310.5]


async def test_a_quote_is_the_last_close_at_the_end_of_its_day(
    source: FolderSource, tmp_path: Path
) -> None:
    write(tmp_path, "005930.KS.csv", HEAD + ROWS)
    at = datetime(2024, 1, 3, 6, 30, tzinfo=UTC)
    assert await source.quotes(["005930.KS"]) == {
        "005930.KS": Tick("005930.KS", 12, at, previous_close=11, volume=200)
    }


async def test_no_symbol_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    write(tmp_path, "SECRET.csv", HEAD + ROWS)
    source = FolderSource(tmp_path / "inside")
    for symbol in ("../SECRET", "..\\SECRET", "/etc/passwd", "..", ".", "%2E%2E/SECRET"):
        assert await source.history(symbol) == NotListed(symbol)
        assert await source.profile(symbol) == NotListed(symbol)


async def test_a_folder_that_is_not_there_or_closed_is_a_source_that_is_down(
    tmp_path: Path, source: FolderSource
) -> None:
    found = await FolderSource(tmp_path / "gone").history("AAPL")
    assert found == SourceDown(f"the folder {tmp_path / 'gone'} is not there")
    write(tmp_path, "AAPL.csv", HEAD + ROWS)
    (tmp_path / "AAPL.csv").chmod(0)
    if os.geteuid() != 0:  # root may read everything
        assert isinstance(await source.history("AAPL"), SourceDown)
