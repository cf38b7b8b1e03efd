"""Server processes: alive, dead, zombie, stubborn."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.embedded.process import Account, Server, command_line, log_complaint, open_log
from app.errors import ConfigError
from tests.embedded.test_directory import root_only
from tests.processes import until

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); "


def test_a_command_line_is_that_of_a_living_process() -> None:
    assert "python" in command_line(os.getpid())
    child = subprocess.Popen(["sleep", "60"])
    assert until(lambda: command_line(child.pid) == "sleep 60")
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert command_line(child.pid) == ""
    child.wait()
    assert command_line(child.pid) == ""


def test_a_process_that_ignores_the_signal_is_killed() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", STUBBORN + "signal.pause()"], stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        Server(child.pid, "python", child).stop((signal.SIGTERM, 0.1))
    assert child.returncode == -signal.SIGKILL


def test_an_adopted_number_counts_only_while_it_is_the_same_program() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        assert until(Server(child.pid, "sleep").alive)
        assert not Server(child.pid, "postgres").alive()
        Server(child.pid, "sleep").stop((signal.SIGTERM, 5.0))
    assert child.returncode == -signal.SIGTERM


def test_the_log_before_stays_beside_the_new_one(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    for text in (b"one", b"two", b"three"):
        with open_log(log) as file:
            file.write(text)
    assert log.read_bytes() == b"three"
    assert (tmp_path / "server.log.old").read_bytes() == b"two"
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_complaint_is_the_last_line_that_says_what_is_wrong(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    assert log_complaint(log, ["FATAL"]) == ""
    log.write_text("LOG: a\nFATAL: b\nLOG: c\nFATAL: d\nPANIC: e\nLOG: f\n")
    assert log_complaint(log, ["FATAL", "PANIC"]) == "FATAL: d / PANIC: e"


def test_a_program_that_cannot_run_is_said() -> None:
    with pytest.raises(ConfigError, match="Cannot run /etc"):
        Account().run(["/etc"])


@root_only
def test_the_account_with_a_name_keeps_the_group_of_the_one_without() -> None:
    named = Account(60_900).named()
    done = named.run(["id"])
    assert "(nobody)" in done.stdout
    assert "gid=60900" in done.stdout
    assert Account().named() == Account()
