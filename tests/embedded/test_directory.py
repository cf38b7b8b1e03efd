"""The data directory: whose it is, who may enter, what is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.embedded.directory import FIRST_UID, DataDirectory
from app.errors import ConfigError, Conflict

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: files of other users")


@pytest.fixture
def directory(place: Path) -> DataDirectory:
    """A data directory that does not exist yet."""
    return DataDirectory(place / "data")


def modes(*paths: Path) -> dict[Path, tuple[int, int, int]]:
    """Mode, owner and group of paths and everything above them."""
    every = {above for path in paths for above in (path, *path.parents)}
    return {p: (s.st_mode, s.st_uid, s.st_gid) for p in every if (s := p.stat())}


def test_it_is_made_for_its_owner_alone(directory: DataDirectory) -> None:
    directory.open()
    assert directory.path.stat().st_mode & 0o777 == 0o700
    directory.close()


def test_an_empty_directory_becomes_ours(directory: DataDirectory) -> None:
    directory.path.mkdir(mode=0o755)
    (directory.path / "lost+found").mkdir()
    directory.open()
    assert directory.path.stat().st_mode & 0o777 == 0o700
    directory.close()


def test_a_directory_with_other_files_is_refused_and_left_alone(directory: DataDirectory) -> None:
    directory.path.mkdir(mode=0o755)
    (directory.path / "letter.txt").write_text("mine")
    before = modes(directory.path)
    with pytest.raises(ConfigError, match="holds other files"):
        directory.open()
    assert modes(directory.path) == before
    assert [p.name for p in directory.path.iterdir()] == ["letter.txt"]


def test_a_file_in_its_place_is_refused(directory: DataDirectory) -> None:
    directory.path.write_text("")
    with pytest.raises(ConfigError, match="not a directory"):
        directory.open()


@pytest.mark.parametrize("name", ['a"b', "a$b", "a`b", "a\\b", "a\nb"])
def test_characters_that_a_shell_would_read_are_refused(place: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="SISE_DATA_DIR"):
        DataDirectory(place / name).open()


def test_it_is_held_until_it_is_closed(directory: DataDirectory) -> None:
    directory.open()
    with pytest.raises(Conflict, match="SISE_DATA_DIR"):
        DataDirectory(directory.path).open()
    directory.close()
    directory.open()
    directory.close()


def test_no_permission_of_a_foreign_directory_changes(place: Path) -> None:
    above = place / "above"
    above.mkdir(mode=0o751)
    here = Path(__file__)
    before = modes(above, here)
    directory = DataDirectory(above / "data")
    directory.open()
    directory.sockets()
    directory.close()
    assert modes(above, here) == before


def test_sockets_stand_in_it_when_the_path_is_short_and_plain(directory: DataDirectory) -> None:
    directory.open()
    assert directory.find_sockets() == directory.path / "run"
    assert directory.sockets() == directory.path / "run"
    assert (directory.path / "run").stat().st_mode & 0o777 == 0o700
    directory.close()


@pytest.mark.parametrize("name", ["데이터", "a b", "x" * 90])
def test_sockets_stand_in_a_short_private_directory_otherwise(place: Path, name: str) -> None:
    directory = DataDirectory(place / name)
    directory.open()
    assert directory.find_sockets() is None
    short = directory.sockets()
    assert len(str(short)) < 30
    assert short.stat().st_mode & 0o777 == 0o700
    assert directory.sockets() == short
    directory.drop_sockets()
    assert not short.exists()
    assert directory.find_sockets() is None
    directory.close()


def test_a_short_directory_that_others_may_enter_is_not_used_again(place: Path) -> None:
    directory = DataDirectory(place / "데이터")
    directory.open()
    short = directory.sockets()
    short.chmod(0o755)
    again = directory.sockets()
    assert again != short
    directory.drop_sockets()
    directory.close()
    short.rmdir()


def test_nothing_but_the_lock_is_there_when_no_server_is_ours(place: Path) -> None:
    directory = DataDirectory(place / "data", serves=False)
    directory.open()
    assert [p.name for p in directory.path.iterdir()] == ["sise.lock"]
    assert directory.path.stat().st_uid == os.geteuid()
    directory.close()


@root_only
def test_as_root_it_belongs_to_a_number_without_an_account(directory: DataDirectory) -> None:
    directory.open()
    assert directory.account.uid == FIRST_UID
    assert directory.path.stat().st_uid == FIRST_UID
    assert (directory.path / "uid").read_text() == f"{FIRST_UID}\n"
    directory.close()


@root_only
def test_a_recorded_number_that_an_account_has_now_is_replaced(directory: DataDirectory) -> None:
    directory.open()
    directory.close()
    (directory.path / "uid").write_text("1\n")
    os.chown(directory.path, 1, 1)
    (directory.path / "old").touch()
    directory.open()
    assert (directory.path / "old").stat().st_uid == FIRST_UID
    assert (directory.path / "uid").read_text() == f"{FIRST_UID}\n"
    directory.close()


@root_only
def test_files_that_root_brought_back_are_given_to_the_servers_again(
    directory: DataDirectory,
) -> None:
    directory.open()
    directory.close()
    for path in (directory.path, *directory.path.iterdir()):
        os.chown(path, 0, 0)
    directory.open()
    assert {p.stat().st_uid for p in directory.path.iterdir()} == {FIRST_UID}
    directory.close()


@root_only
def test_a_directory_of_another_user_is_refused(directory: DataDirectory) -> None:
    directory.path.mkdir()
    os.chown(directory.path, 1234, 1234)
    with pytest.raises(ConfigError, match="belongs to user 1234"):
        directory.open()
    assert directory.path.stat().st_uid == 1234


@root_only
def test_as_root_a_place_that_only_root_can_enter_is_refused(place: Path) -> None:
    hidden = place / "hidden"
    hidden.mkdir(mode=0o700)
    with pytest.raises(ConfigError, match="cannot enter this directory"):
        DataDirectory(hidden / "data").open()
    assert list(hidden.iterdir()) == []
    assert hidden.stat().st_mode & 0o777 == 0o700


def test_a_place_that_cannot_be_written_is_refused(
    place: Path, as_nobody: Callable[[Callable[[], None]], int]
) -> None:
    place.chmod(0o555)

    def work() -> None:
        with pytest.raises(ConfigError, match="cannot be used: Permission denied"):
            DataDirectory(place / "data").open()

    assert as_nobody(work) == 0


@root_only
def test_a_user_does_not_take_the_directory_of_another(
    directory: DataDirectory, as_nobody: Callable[[Callable[[], None]], int]
) -> None:
    directory.path.mkdir(mode=0o777)
    directory.path.chmod(0o777)

    def work() -> None:
        with pytest.raises(ConfigError, match="belongs to user 0"):
            directory.open()

    assert as_nobody(work) == 0
