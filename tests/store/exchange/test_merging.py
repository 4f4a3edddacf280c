"""Faults while an import is on its way: taken back, or brought to its end by the next one."""

import errno
import os
import pathlib
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nntest.errors import DataError
from nntest.store.entries import find_experiments
from nntest.store.exchange import merging, staging
from nntest.store.exchange.intake import finish_interrupted, import_entries
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.store.exchange.archives import META, entry, point, tree, zipped


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "archive.zip"
    path.write_bytes(zipped(entry("one", points=2) | entry("two", points=2, uid="f" * 16)))
    return path


@pytest.fixture
def target(tmp_path: Path) -> Repository:
    repository = Repository("ours", tmp_path / "target")
    save_point(open_experiment(repository, "two", META), point(0, session="mine"))
    return repository


def visible(repository: Repository) -> dict[str, bytes]:
    return {name: data for name, data in tree(repository.path).items() if not name.startswith(staging.PREFIX)}


class Stumbling:
    """Counts writing calls and fails at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self.calls, self.at = 0, at
        for module, name in ((os, "link"), (os, "write"), (os, "mkdir"), (os, "rename"), (os, "replace")):
            wrapped = self._wrap(getattr(module, name))
            monkeypatch.setattr(module, name, wrapped)
            # Python 3.10's pathlib keeps these functions as it found them
            accessor = getattr(pathlib, "_NormalAccessor", None)
            if hasattr(accessor, name):
                monkeypatch.setattr(accessor, name, staticmethod(wrapped))

    def _wrap(self, call):  # type: ignore[no-untyped-def]
        def wrapped(*args, **kwargs):  # type: ignore[no-untyped-def]
            self.calls += 1
            if self.calls == self.at:
                raise OSError(errno.ENOSPC, "No space left on device")
            return call(*args, **kwargs)

        return wrapped


def test_a_disk_that_is_full_at_any_call(
    archive: Path, target: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = visible(target)
    failures = 0
    for at in range(1, 300):
        one = Repository("ours", tmp_path / str(at))
        shutil.copytree(target.path, one.path)
        with monkeypatch.context() as patch:
            stumbling = Stumbling(patch, at)
            try:
                import_entries(archive, one)
            except DataError as error:
                failures += 1
                assert "No space left on device" in str(error)
                assert visible(one) == before, f"call {at}"
            else:  # a call that may fail (a folder that exists), or none was left to fail
                assert len([name for name in visible(one) if "ckp-" in name]) == 5
        assert not list(one.path.glob(f"{staging.PREFIX}*")), f"call {at}"
        if stumbling.calls < at:
            break
    assert failures > 10


def test_killed_while_it_is_filled(archive: Path, target: Repository) -> None:
    before = visible(target)
    kill_in("staging.Staging.complete", archive, target)
    assert visible(target) == before
    assert [path.suffix for path in target.path.glob(f"{staging.PREFIX}*")] == [".part"]
    assert finish_interrupted(target) == 0
    assert visible(target) == before
    assert not list(target.path.glob(f"{staging.PREFIX}*"))


def test_killed_after_it_was_complete(archive: Path, target: Repository) -> None:
    before = visible(target)
    kill_in("merging._merge_point", archive, target)
    # one entry was moved, the other not: this is the window that the next import closes
    assert visible(target) != before
    assert len(list(target.path.glob(f"{staging.PREFIX}*"))) == 1
    intake = import_entries(archive, target)
    assert (intake.recovered, intake.merged.added, intake.merged.skipped) == (1, 0, 4)
    whole = visible(target)
    assert {name: whole[name] for name in before} == before
    assert len([name for name in whole if "ckp-" in name]) == 5
    assert not list(target.path.glob(f"{staging.PREFIX}*"))


def test_killed_before_an_entry_got_its_name(archive: Path, target: Repository) -> None:
    kill_in("merging._entry_aliases", archive, target)
    assert finish_interrupted(target) == 1
    assert {one.uoa: (one.uid, one.problems) for one in find_experiments(repositories=[target])} == {
        "one": ("0123456789abcdef", ()),
        "two": ((target.path / "experiment/.cm/alias-a-two").read_text().strip(), ()),
    }


def test_a_staging_that_somebody_else_put_there_leads_nowhere(target: Repository) -> None:
    before = tree(target.path.parent)
    evil = target.path / f"{staging.PREFIX}0"
    evil.mkdir()
    (evil / "uids").write_text("experiment/../../evil\t0123456789abcdef\n../x/y\t0123456789abcdef\nexperiment/..\tx\n")
    assert finish_interrupted(target) == 1
    assert tree(target.path.parent) == before


SCRIPT = """
import os, signal, sys
from pathlib import Path
from nntest.store.exchange import intake, merging, staging
from nntest.store.repository import Repository

def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

{patch} = kill
intake.import_entries(sys.argv[1], Repository("ours", Path(sys.argv[2])))
"""


def kill_in(function: str, archive: Path, target: Repository) -> None:
    """Import in a process that is killed when it calls a function."""
    command = [sys.executable, "-c", SCRIPT.format(patch=function), str(archive), str(target.path)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL


def test_a_staging_with_a_living_owner_is_left_alone(target: Repository) -> None:
    with staging.new_staging(target.path) as mine:
        assert finish_interrupted(target) == 0
        assert mine.path.is_dir()
    assert not mine.path.exists()


def test_an_interrupt_while_merging_takes_everything_back(
    archive: Path, target: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = visible(target)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(merging, "_merge_point", interrupt)
        with pytest.raises(KeyboardInterrupt):
            import_entries(archive, target)
    assert visible(target) == before
    assert not list(target.path.glob(f"{staging.PREFIX}*"))


def test_what_somebody_added_to_a_new_entry_is_not_taken_back(
    archive: Path, target: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = point(99)

    def record_and_fail(*_: object) -> None:
        save_point(target.path / "experiment" / "one", added)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(merging, "_merge_point", record_and_fail)
        with pytest.raises(DataError):
            import_entries(archive, target)
    assert (target.path / "experiment" / "one" / f"ckp-{added.uid}.0001.json").is_file()
