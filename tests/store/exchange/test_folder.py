"""Folders: nothing is followed out of them."""

import os
from pathlib import Path

import pytest

from nntest.errors import DataError
from nntest.store.exchange.folder import open_folder
from nntest.store.exchange.limits import Limits, Tally


def read(path: Path, **limits: int) -> dict[str, bytes]:
    chosen = Limits(**limits)
    with open_folder(path, chosen, Tally(chosen)) as members:
        return {member.name: member.read() for member in members}


def test_files_and_folders_are_listed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.json").write_bytes(b"{}")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_bytes(b"")
    assert read(tmp_path) == {"a/": b"", "a/x.json": b"{}"}


@pytest.mark.parametrize("target", ["x.json", "/etc", "nowhere"])
def test_symbolic_links(tmp_path: Path, target: str) -> None:
    (tmp_path / "x.json").write_bytes(b"{}")
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(DataError, match=r"^link: is a link$"):
        read(tmp_path)


def test_hard_links(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"{}")
    (tmp_path / "y.json").hardlink_to(tmp_path / "x.json")
    with pytest.raises(DataError, match=r"^x\.json: is a hard link \(its file has 2 names\); copy it first$"):
        read(tmp_path)


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.json")
    with pytest.raises(DataError, match=r"^x\.json: is a device, pipe or socket$"):
        read(tmp_path)


def test_a_file_that_became_a_link_after_the_listing(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"{}")
    with open_folder(tmp_path, Limits(), Tally(Limits())) as members:
        (tmp_path / "x.json").unlink()
        (tmp_path / "x.json").symlink_to("/etc/hostname")
        with pytest.raises(DataError, match=r"^x\.json: cannot be read"):
            members[0].read()


def test_limits(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).write_bytes(bytes(100))
    with pytest.raises(DataError, match=r"^holds more than 1 members"):
        read(tmp_path, members=1)
    with pytest.raises(DataError, match=r"^x: larger than 10 bytes"):
        read(tmp_path, file_bytes=10)
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    with pytest.raises(DataError, match=r"^a/b/c: deeper than 2 levels, the limit$"):
        read(tmp_path, parts=2)
