"""The supervisor on real processes: order, restarts, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from app.embedded import Urls, find_running
from tests.clusters import copy_to
from tests.processes import (
    ROOT,
    SECRET,
    Running,
    bare_environ,
    free_port,
    is_alive,
    open_place,
    processes_with,
    running,
    sise,
    until,
)

pytestmark = pytest.mark.faults

SLEEP = "time.sleep(600)"
WEB = "s = socket.create_server(('127.0.0.1', int(os.environ['SISE_PORT']))); time.sleep(600)"
STUBBORN = (
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
PARENT = (
    "import subprocess; print('grandchild', subprocess.Popen(['sleep', '600']).pid, flush=True); "
)


@pytest.fixture
def data() -> Iterator[Path]:
    """A data directory that has had its first start."""
    with open_place() as place:
        copy_to(place / "데이터")
        yield place / "데이터"


def supervise(data: Path, *children: str, **settings: object) -> tuple[list[str], dict[str, str]]:
    """Command and environment of a supervisor with tiny children."""
    environ = bare_environ(SISE_DATA_DIR=data, SISE_PORT=free_port()) | {
        name: str(value) for name, value in settings.items()
    }
    return [sys.executable, "-m", "tests.supervised", "prepare=", *children], environ


def pid_of(output: str, name: str) -> int:
    """The newest process id that a child has told."""
    return int(re.findall(rf"^{name} (\d+)$", output, re.MULTILINE)[-1])


def urls(data: Path) -> Urls:
    """Where the servers of a running supervisor listen."""
    found = find_running(data)
    assert found is not None
    return found


def server_pid(data: Path, name: str) -> int:
    """The process id of a server."""
    file = {"PostgreSQL": "postgres/postmaster.pid", "Valkey": "valkey/valkey.pid"}[name]
    words = (data / file).read_text().split()
    return int(words[0]) if words else 0


async def select_one(url: str) -> object:
    """Asks the database for 1."""
    parsed = make_url(url)
    connection = await asyncpg.connect(
        user=parsed.username, database=parsed.database, host=str(parsed.query["host"]), port=5432
    )
    try:
        return await connection.fetchval("SELECT 1")
    finally:
        await connection.close()


def stop(supervisor: Running, data: Path, number: signal.Signals = signal.SIGTERM) -> None:
    """Stops a supervisor; it must end well and leave nothing."""
    supervisor.send(number)
    assert supervisor.end() == 0, supervisor.output
    assert processes_with(str(data)) == []


def test_servers_then_preparation_then_children_then_the_address(data: Path) -> None:
    shown = "print('urls', *[n for n in sorted(os.environ) if n.endswith('_URL')], flush=True); "
    heaps = "print('heaps', os.environ['MALLOC_ARENA_MAX'], flush=True); "
    command, environ = supervise(data, f"web={WEB}", f"feed={heaps}{shown}{SLEEP}")
    command[3] = f"prepare={shown}"
    with running(command, environ) as supervisor:
        output = supervisor.read_until("Ctrl-C stops it")
        supervisor.read_until("heaps 2\nurls SISE_DATABASE_URL SISE_REDIS_URL\n")
        stop(supervisor, data)
    order = ["PostgreSQL and Valkey on", "prepare ", "urls SISE_DATABASE_URL SISE_MIGRATION_URL SI"]
    found = [output.index(text) for text in [*order, "web ", "Sise runs at http://127.0.0.1:"]]
    assert found == sorted(found)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_stop_signal_ends_all_processes(data: Path, number: signal.Signals) -> None:
    with running(*supervise(data, f"one={PARENT}{SLEEP}")) as supervisor:
        supervisor.read_until("grandchild")
        stop(supervisor, data, number)
        assert "Traceback" not in supervisor.output


def test_a_killed_child_is_started_again_and_its_children_end(data: Path) -> None:
    with running(*supervise(data, f"one={PARENT}{SLEEP}")) as supervisor:
        output = supervisor.read_until("grandchild")
        first = pid_of(output, "one")
        grandchild = int(re.findall(r"grandchild (\d+)", output)[0])
        os.kill(first, signal.SIGKILL)
        supervisor.read_until("one was ended by signal 9; starting it again in 0.5 s")
        assert until(lambda: not is_alive(grandchild))
        supervisor.output = ""
        assert pid_of(supervisor.read_until("grandchild"), "one") != first
        stop(supervisor, data)


def test_a_child_that_keeps_ending_waits_longer_each_time(data: Path) -> None:
    with running(*supervise(data, "one=sys.exit(3)")) as supervisor:
        output = supervisor.read_until("again in 2 s")
        delays = re.findall(r"one ended with exit code 3; starting it again in (\S+) s", output)
        assert delays == ["0.5", "1", "2"]
        stop(supervisor, data)


@pytest.mark.parametrize("name", ["PostgreSQL", "Valkey"])
async def test_a_killed_server_is_started_again(data: Path, name: str) -> None:
    with running(*supervise(data, f"one={SLEEP}")) as supervisor:
        supervisor.read_until("one ")
        before = urls(data)
        killed = server_pid(data, name)
        os.kill(killed, signal.SIGKILL)
        supervisor.read_until(f"{name} stopped running; starting it again in 0.5 s")
        assert until(lambda: server_pid(data, name) != killed)
        assert until(lambda: "ready" in (data / "postgres/postmaster.pid").read_text())
        assert until(lambda: find_running(data) == before)
        assert await select_one(before.database_url) == 1
        stop(supervisor, data)


def test_children_end_with_a_killed_supervisor_and_its_servers_are_adopted(data: Path) -> None:
    command, environ = supervise(data, f"one={SLEEP}")
    with running(command, environ) as supervisor:
        child = pid_of(supervisor.read_until("one "), "one")
        supervisor.send(signal.SIGKILL)
        supervisor.process.wait()
        assert until(lambda: not is_alive(child))
    orphans = {name: server_pid(data, name) for name in ("PostgreSQL", "Valkey")}
    with running(command, environ) as supervisor:
        supervisor.read_until("one ")
        assert {name: server_pid(data, name) for name in orphans} == orphans
        stop(supervisor, data)


def test_the_port_of_a_killed_supervisor_is_waited_for(data: Path) -> None:
    slow = "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1), sys.exit(0))); "
    command, environ = supervise(data, f"one={slow}{WEB}")
    with running(command, environ) as supervisor:
        supervisor.read_until("Ctrl-C")
        supervisor.send(signal.SIGKILL)
        supervisor.process.wait()
    with running(command, environ) as supervisor:
        supervisor.read_until("Ctrl-C")
        stop(supervisor, data)


def test_an_early_child_starts_beside_the_preparation_and_waits_for_its_end(data: Path) -> None:
    early = f"early=wait_for_go(); print('gone on', flush=True); {WEB}"
    command, environ = supervise(data, early, f"late={SLEEP}")
    command[3] = "prepare=time.sleep(1.5); print('prepared', flush=True)"
    with running(command, environ) as supervisor:
        supervisor.read_until("late ")
        output = supervisor.read_until("Ctrl-C")
        order = ["early ", "prepared", "gone on", "Sise runs at", "late "]
        assert re.findall("|".join(order), output) == order
        stop(supervisor, data)


def test_a_supervisor_that_shall_not_hear_a_hangup_does_not(data: Path) -> None:
    command, environ = supervise(data, f"one={SLEEP}")
    with running(["nohup", *command], environ) as supervisor:
        supervisor.read_until("one ")
        supervisor.send(signal.SIGHUP)
        stop(supervisor, data)
    assert supervisor.output.count("Stopping.") == 1


def test_damaged_data_is_said_and_nothing_runs_or_is_deleted(data: Path) -> None:
    command, environ = supervise(data, f"one={SLEEP}")
    with running(command, environ) as supervisor:
        supervisor.read_until("one ")
        stop(supervisor, data)
    (data / "postgres/global/pg_control").write_bytes(b"")
    with running(command, environ) as supervisor:
        assert supervisor.end() == 1
    assert "Nothing was deleted" in supervisor.output
    assert (data / "postgres/base").is_dir()
    assert processes_with(str(data)) == []


def test_a_failed_preparation_ends_everything(data: Path) -> None:
    command, environ = supervise(data, f"one={SLEEP}")
    command[3] = "prepare=sys.exit(1)"
    with running(command, environ) as supervisor:
        assert supervisor.end() == 1
    assert "sise: The preparation failed (exit code 1)." in supervisor.output
    assert processes_with(str(data)) == []


@pytest.mark.parametrize("which", [3, 4])
def test_a_wrong_setting_found_by_a_child_ends_everything(data: Path, which: int) -> None:
    command, environ = supervise(data, f"one={SLEEP}")
    command[which] = "child=sys.exit(78)"
    with running(command, environ) as supervisor:
        assert supervisor.end() == 78
    assert "Traceback" not in supervisor.output
    assert processes_with(str(data)) == []


def test_a_second_signal_does_not_wait_for_a_deaf_child(data: Path) -> None:
    with running(*supervise(data, f"one={STUBBORN}")) as supervisor:
        supervisor.read_until("deaf")
        supervisor.send(signal.SIGINT)
        supervisor.read_until("Stopping.")
        stop(supervisor, data, signal.SIGINT)


def test_a_signal_during_the_preparation_stops_too(data: Path) -> None:
    command, environ = supervise(data, f"one={SLEEP}")
    command[3] = f"prepare={SLEEP}"
    with running(command, environ) as supervisor:
        supervisor.read_until("prepare ")
        stop(supervisor, data)
    assert "one " not in supervisor.output


def test_a_second_supervisor_on_the_same_data_is_refused(data: Path) -> None:
    command, environ = supervise(data, f"one={WEB}")
    with running(command, environ) as supervisor:
        supervisor.read_until("Ctrl-C")
        other = bare_environ(SISE_DATA_DIR=data, SISE_PORT=environ["SISE_PORT"])
        second = subprocess.run(
            sise("up"), env=other, cwd="/", capture_output=True, text=True, check=False
        )
        stop(supervisor, data)
    assert second.returncode == 1
    assert f"already runs on the data directory {data} (process {supervisor.process.pid})" in (
        second.stderr
    )


def test_a_taken_port_is_said_with_the_setting_that_changes_it(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environ = bare_environ(SISE_DATA_DIR=data, SISE_PORT=port)
        done = subprocess.run(
            sise("up"), env=environ, cwd="/", capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in done.stderr
    assert "SISE_PORT" in done.stderr
    assert processes_with(str(data)) == []


def test_servers_of_one_s_own_are_used_and_none_is_started(data: Path) -> None:
    shown = "print(os.environ['SISE_DATABASE_URL'], flush=True); "
    command, environ = supervise(
        data,
        f"one={shown}{SLEEP}",
        SISE_DATABASE_URL="postgresql://db.example/x",
        SISE_REDIS_URL="redis://broker.example",
        SISE_SECRET=SECRET,
    )
    with running(command, environ) as supervisor:
        supervisor.read_until("postgresql://db.example/x")
        assert find_running(data) is None
        stop(supervisor, data)


def test_the_supervisor_itself_stays_light() -> None:
    heavy = {"polars", "numba", "numpy", "strawberry", "starlette", "sqlalchemy", "uvicorn", "arq"}
    code = "import sys, app.commands.up; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert heavy & set(done.stdout.split()) == set()
