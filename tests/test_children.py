"""Child processes: started apart, kept alive, ended together."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app import children
from app.children import Child, Keeper, end_all, sise
from app.errors import AppError, ConfigError
from tests.processes import is_alive, until


def child(code: str) -> Child:
    """A small Python child."""
    return Child(
        "Child", (sys.executable, "-c", f"import os, signal, sys, time\n{code}"), os.environ
    )


def test_a_command_of_ours_does_not_look_where_the_user_stands() -> None:
    assert sise("serve") == (sys.executable, "-P", "-m", "app", "serve")


def test_a_child_runs_in_a_session_of_its_own() -> None:
    one = child("time.sleep(600)")
    assert (one.alive(), one.code) == (False, None)
    one.start()
    assert one.process is not None
    assert os.getsid(one.process.pid) == one.process.pid
    assert (one.alive(), one.code) == (True, None)
    end_all([one])
    assert (one.alive(), one.code) == (False, -signal.SIGTERM)


def test_a_deaf_child_is_killed_after_the_grace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(children, "GRACE", 0.2)
    told = tmp_path / "deaf"
    deaf = child(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(told)!r}, 'x').close()\ntime.sleep(600)"
    )
    deaf.start()
    assert until(told.exists)
    end_all([deaf])
    assert deaf.code == -signal.SIGKILL


def test_a_held_child_goes_on_when_it_is_released_and_later_starts_are_not_held(
    tmp_path: Path,
) -> None:
    ready, gone = tmp_path / "ready", tmp_path / "gone"
    one = child(
        "from app.parent import wait_for_go\n"
        f"open({str(ready)!r}, 'w').close()\nwait_for_go()\nopen({str(gone)!r}, 'x').close()"
    )
    one.held = True
    one.start()
    assert until(ready.exists)
    time.sleep(0.2)
    assert one.alive()
    assert not gone.exists()
    one.release()
    assert until(gone.exists)
    assert until(lambda: not one.alive())
    gone.unlink()
    one.start()
    assert until(gone.exists)
    end_all([one])


def test_a_held_child_can_be_ended() -> None:
    one = child("from app.parent import wait_for_go\nwait_for_go()")
    one.held = True
    one.start()
    end_all([one])
    assert not one.alive()


@dataclass
class Fake:
    """Something kept, whose life a test decides."""

    name: str = "Fake"
    lives: bool = True
    starts: int = 0
    refusal: AppError | None = None

    def start(self) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.starts += 1
        self.lives = True

    def alive(self) -> bool:
        return self.lives


@dataclass
class Time:
    """A monotonic clock that a test moves."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Bench:
    """A keeper with a clock and what it said."""

    kept: Fake
    clock: Time
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keeper = Keeper(self.kept, self.said.append)

    def tend_at(self, seconds: float) -> None:
        """Moves the clock and looks."""
        self.clock.now = 1000.0 + seconds
        self.keeper.tend()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A keeper of something that lives."""
    clock = Time()
    monkeypatch.setattr(children, "time", clock)
    return Bench(Fake(), clock)


def test_what_lives_is_left_alone(bench: Bench) -> None:
    bench.tend_at(5)
    assert (bench.kept.starts, bench.said) == (0, [])


def test_the_dead_is_started_after_half_a_second(bench: Bench) -> None:
    bench.kept.lives = False
    bench.tend_at(1.0)
    bench.tend_at(1.4)
    assert bench.kept.starts == 0
    bench.tend_at(1.5)
    assert bench.kept.starts == 1
    assert bench.said == ["Fake stopped running; starting it again in 0.5 s"]


def test_the_delay_doubles_up_to_half_a_minute_and_begins_anew_after_a_steady_minute(
    bench: Bench,
) -> None:
    at = 0.0
    for _ in range(8):
        bench.kept.lives = False
        bench.tend_at(at)
        at = (bench.keeper.due_at or 0) - 1000.0
        bench.tend_at(at)
    delays = [line.removesuffix(" s").rpartition(" ")[2] for line in bench.said]
    assert delays == ["0.5", "1", "2", "4", "8", "16", "30", "30"]
    bench.kept.lives = False
    bench.tend_at(at + 61)
    assert bench.said[-1].endswith("again in 0.5 s")


def test_a_start_that_is_refused_is_said_and_tried_again(bench: Bench) -> None:
    bench.kept.lives = False
    bench.kept.refusal = AppError("the disk is full")
    bench.tend_at(0)
    bench.tend_at(0.5)
    assert bench.said[-1] == "Fake did not start: the disk is full; starting it again in 1 s"
    bench.kept.refusal = None
    bench.tend_at(1.5)
    assert bench.kept.starts == 1


def test_a_child_that_a_setting_ended_is_not_started_again() -> None:
    one = child("sys.exit(78)")
    one.start()
    assert until(lambda: not one.alive())
    with pytest.raises(ConfigError, match="Child ended because of a setting"):
        Keeper(one, str).tend()


def test_what_a_dead_child_left_behind_is_ended_when_it_is_noticed() -> None:
    one = child("import subprocess; subprocess.Popen(['sleep', '600']); sys.exit(1)")
    one.start()
    assert until(lambda: not one.alive())
    assert one.process is not None
    group = one.process.pid
    Keeper(one, str).tend()
    assert until(lambda: not _group_lives(group))
    assert not is_alive(group)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
