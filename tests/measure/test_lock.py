"""One session per machine."""

import os
from datetime import datetime
from pathlib import Path

import pytest

from nntest.errors import BusyMachineError
from nntest.measure.lock import machine_lock

NOW = datetime(2026, 1, 2, 3, 4, 5)


def test_the_second_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with machine_lock(path, now=NOW) as shared:
        assert not shared
        with pytest.raises(BusyMachineError) as refusal, machine_lock(path, now=NOW):
            pass
    assert str(refusal.value) == (
        f"machine: another session is measuring (process {os.getpid()} since 2026-01-02 03:04:05); wait for its end, "
        "or add --share to measure beside it (the points are flagged)"
    )


def test_sharing_is_known(tmp_path: Path) -> None:
    with machine_lock(tmp_path / "lock", now=NOW), machine_lock(tmp_path / "lock", now=NOW, share=True) as shared:
        assert shared


def test_the_lock_ends_with_its_holder(tmp_path: Path) -> None:
    for _ in range(2):
        with machine_lock(tmp_path / "lock", now=NOW) as shared:
            assert not shared


def test_a_lock_that_nobody_signed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with machine_lock(path, now=NOW):
        path.write_text("")
        with pytest.raises(BusyMachineError, match="another process"), machine_lock(path, now=NOW):
            pass


def test_a_link_in_the_common_folder_is_not_followed(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "lock"
    victim.write_text("precious")
    path.symlink_to(victim)
    with pytest.raises(BusyMachineError) as refusal, machine_lock(path, now=NOW):
        pass
    assert (
        str(refusal.value)
        == f"{path}: it cannot serve as the machine's lock (Too many levels of symbolic links); remove it"
    )
    assert victim.read_text() == "precious"
