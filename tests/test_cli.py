"""The command line: what it loads, what it says, and its exit codes."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from app.cli import COMMANDS, main, report
from app.errors import AppError, ConfigError, Unavailable
from tests.processes import bare_environ, sise


def run(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Runs a command of ours from the root directory."""
    return subprocess.run(
        sise(*arguments),
        env=bare_environ(**settings),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for name, (_, help_text) in COMMANDS.items():
        assert f"  {name}" in text
        assert help_text in text


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"sise {__version__}\n"


@pytest.mark.parametrize("words", [[], ["no-such-command"], ["--no-such-option"]])
def test_wrong_usage_is_2_and_says_how(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: sise" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_arguments_and_a_help_of_its_own(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module = importlib.import_module(COMMANDS[name][0])
    assert callable(module.add_arguments)
    assert callable(module.run)
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: sise {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConfigError("x is %(v)s", v=1), 78), (Unavailable("gone"), 1), (AppError("no"), 1)],
)
def test_an_expected_failure_is_one_line(
    error: AppError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> int:
        raise error

    assert report(work) == code
    assert capsys.readouterr().err == f"sise: {error}\n"


def test_ctrl_c_is_130_and_silent(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        raise KeyboardInterrupt

    assert report(work) == 130
    assert capsys.readouterr().err == ""


def test_a_wrong_setting_is_78_before_anything_is_touched(tmp_path: Path) -> None:
    done = run("up", SISE_PORT="eighty", SISE_DATA_DIR=tmp_path / "data")
    assert done.returncode == 78
    assert done.stderr == "sise: SISE_PORT is 'eighty'; it must be a number from 1 to 65535\n"
    assert not (tmp_path / "data").exists()


def test_an_unknown_queue_or_source_is_wrong_usage() -> None:
    assert run("work", "--queue", "slow").returncode == 2
    assert run("source", "bloomberg").returncode == 2


@pytest.mark.parametrize("name", ["serve", "work", "feed"])
def test_a_lasting_command_without_servers_asks_for_sise_up(name: str, tmp_path: Path) -> None:
    done = run(name, SISE_DATA_DIR=tmp_path / "data")
    assert done.returncode == 78
    assert "`sise up` starts all of them" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["migrate", "prepare", "collect"])
def test_a_database_that_does_not_answer_is_said_in_one_line(name: str, tmp_path: Path) -> None:
    done = run(
        name,
        SISE_DATA_DIR=tmp_path / "data",
        SISE_DATABASE_URL="postgresql://sise@127.0.0.1:1/sise",
        SISE_REDIS_URL="redis://127.0.0.1:1",
    )
    assert done.returncode == 1
    assert "PostgreSQL does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_called_app_where_the_user_stands_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/__init__.py").write_text("raise SystemExit('not ours')\n")
    done = subprocess.run(
        sise("--version"), env=bare_environ(), cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0


def test_only_the_chosen_command_is_imported() -> None:
    code = "import sys, app.cli; print(*[m for m in sys.modules if m.startswith('app.commands')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_reader_that_went_away_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    environ = bare_environ(SISE_DATA_DIR="/nowhere/at/all")
    try:
        done = subprocess.run(
            sise("doctor"),
            env=environ,
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(write)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
