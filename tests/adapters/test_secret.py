"""The secret of the installation: named, read or made, and never one that could be guessed."""

from __future__ import annotations

import stat
import threading

import pytest

from app.adapters.secret import check_secret, load_secret, make_secret
from app.config import load_settings
from app.errors import ConfigError
from tests.processes import SECRET


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path):
    path = make_secret(tmp_path)
    first = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first.strip()) == 64
    assert make_secret(tmp_path) == path
    assert path.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == ["secret"]


def test_processes_that_start_together_make_one(tmp_path):
    made = [threading.Thread(target=make_secret, args=(tmp_path,)) for _ in range(8)]
    for thread in made:
        thread.start()
    for thread in made:
        thread.join()
    settings = load_settings({"SISE_SECRET_FILE": str(tmp_path / "secret")})
    assert len(load_secret(settings)) == 64


def test_a_directory_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ConfigError, match="cannot be written"):
        make_secret(tmp_path / "none")


def test_a_file_that_is_not_there_is_said(tmp_path):
    settings = load_settings({"SISE_SECRET_FILE": str(tmp_path / "none")})
    with pytest.raises(ConfigError, match="cannot be read"):
        load_secret(settings)


def test_the_settings_never_show_it():
    assert SECRET not in repr(load_settings({"SISE_SECRET": SECRET}))


@pytest.mark.parametrize(
    "weak", [b"", b"short", b"a" * 40, b"0123" * 10, b"change-me-change-me-change-me-please!!"]
)
def test_a_weak_one_is_refused(weak):
    with pytest.raises(ConfigError, match="SISE_SECRET"):
        check_secret("SISE_SECRET", weak)


def test_a_secret_stands_in_a_file_or_a_variable(tmp_path):
    path = tmp_path / "key"
    path.write_text(f"{SECRET}\n")
    assert load_secret(load_settings({"SISE_SECRET_FILE": str(path)})) == SECRET.encode()
    assert load_secret(load_settings({"SISE_SECRET": SECRET})) == SECRET.encode()
