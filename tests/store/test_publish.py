import errno
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import orjson
import pytest

from nntest.errors import DataError, UsageError
from nntest.model.point_json import from_json, to_bytes
from nntest.store import files
from nntest.store.entries import find_experiments, is_point_name
from nntest.store.publish import open_experiment, publish, publish_together, save_point
from nntest.store.repository import Repository
from tests.points import make_point, with_seed

META = {"tags": ["nntest", "conv-onednn-cpu"], "meta": {"species": "conv"}}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def experiment(tmp_path):
    return open_experiment(Repository("x", tmp_path), "nntest-conv", META, now=lambda: datetime(2026, 11, 21))


def everything(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_point_is_published_under_its_uid(experiment):
    point = make_point()
    path = save_point(experiment, point)
    assert path == experiment / f"ckp-{point.uid}.0001.json"
    assert from_json(orjson.loads(path.read_bytes())) == point


def test_equal_bytes_are_kept_once(experiment):
    first = save_point(experiment, make_point())
    assert save_point(experiment, make_point()) == first
    assert publish(experiment, make_point().uid, to_bytes(make_point())).added is False
    assert len(list(experiment.glob("ckp-*"))) == 1


def test_another_session_becomes_the_next_sub_point_and_replaces_nothing(experiment):
    first = save_point(experiment, make_point(session="one"))
    before = first.read_bytes()
    second = save_point(experiment, make_point(session="two"))
    assert second.name == first.name.replace("0001", "0002")
    assert first.read_bytes() == before
    assert save_point(experiment, make_point(session="two")) == second


def test_the_entry_is_one_that_ck_finds(experiment, tmp_path):
    (entry,) = find_experiments("nntest-*", "nntest,conv-onednn-cpu", repositories=[Repository("x", tmp_path)])
    assert entry.path == experiment
    assert entry.problems == ()
    assert (tmp_path / ".cm" / "alias-a-experiment").read_text() == "bc0409fb61f0aa82\n"
    assert (tmp_path / ".cm" / "alias-u-bc0409fb61f0aa82").read_text() == "experiment\n"
    info = orjson.loads((experiment / ".cm" / "info.json").read_bytes())
    assert info["backup_data_uid"] == entry.uid
    assert info["control"]["iso_datetime"] == "2026-11-21T00:00:00"


def test_opening_again_changes_nothing(experiment, tmp_path):
    before = everything(tmp_path)
    assert open_experiment(Repository("x", tmp_path), "nntest-conv", META) == experiment
    assert everything(tmp_path) == before


def test_opening_again_adds_the_tags_that_are_missing(experiment, tmp_path):
    other = {"tags": ["nntest", "conv-plain-cpu"], "meta": {"species": "other"}}
    open_experiment(Repository("x", tmp_path), "nntest-conv", other)
    meta = orjson.loads((experiment / ".cm" / "meta.json").read_bytes())
    assert meta == {"tags": ["nntest", "conv-onednn-cpu", "conv-plain-cpu"], "meta": {"species": "conv"}}


def test_a_lost_alias_is_written_again_with_the_same_uid(experiment, tmp_path):
    aliases = experiment.parent / ".cm"
    before = everything(aliases)
    for path in aliases.iterdir():
        path.unlink()
    open_experiment(Repository("x", tmp_path), "nntest-conv", META)
    assert everything(aliases) == before


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a:b", "a*", "0123456789abcdef", "x" * 201])
def test_names_that_ck_cannot_keep_are_refused(tmp_path, name):
    with pytest.raises(UsageError, match="not a name for an experiment"):
        open_experiment(Repository("x", tmp_path), name, META)
    assert list(tmp_path.iterdir()) == []


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", ["write", "fsync", "link"])
def test_a_full_disk_is_one_clear_error_and_nothing_partial(experiment, monkeypatch, call):
    before = everything(experiment)
    monkeypatch.setattr(files.os, call, full)
    with pytest.raises(DataError) as caught:
        save_point(experiment, make_point())
    monkeypatch.undo()
    path = experiment / f"ckp-{make_point().uid}.0001.json"
    assert str(caught.value) == (
        f"{path}: could not be written (No space left on device); nothing partial was left; free disk space and resume"
    )
    assert everything(experiment) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_repository_is_one_clear_error(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DataError, match=r"Permission denied.*choose a writable repository with --record_repo$"):
            open_experiment(Repository("x", tmp_path), "nntest-conv", META)
    finally:
        tmp_path.chmod(0o700)


def test_a_read_only_file_system_is_one_clear_error(experiment, monkeypatch):
    def read_only(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(files.os, "open", read_only)
    with pytest.raises(DataError, match=r"Read-only file system.*choose a writable repository with --record_repo$"):
        save_point(experiment, make_point())


def test_without_hard_links_nothing_is_replaced_either(experiment, monkeypatch):
    def no_links(*_):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(files.os, "link", no_links)
    first = save_point(experiment, make_point(session="one"))
    before = first.read_bytes()
    save_point(experiment, make_point(session="two"))
    assert first.read_bytes() == before
    assert len(list(experiment.glob("ckp-*"))) == 2
    assert not list(experiment.glob(".nntest-*"))


WRITER = """
import sys
from pathlib import Path
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_point, with_seed
experiment = open_experiment(Repository("x", Path(sys.argv[1])), "nntest-conv", {"tags": ["nntest", sys.argv[2]]})
sys.stdin.readline()
for seed in range(5):
    save_point(experiment, with_seed(make_point(session=sys.argv[2]), seed))
    save_point(experiment, with_seed(make_point(session="common"), seed))
"""


@pytest.mark.parametrize("writers", [2, 8])
def test_concurrent_writers_lose_nothing_and_agree_on_the_entry(tmp_path, writers):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), f"writer-{number}"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        for number in range(writers)
    ]
    answers = [process.communicate(b"\n", timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * writers, answers
    (entry,) = find_experiments(repositories=[Repository("x", tmp_path)])
    assert entry.problems == ()
    assert set(entry.tags) == {"nntest", *(f"writer-{number}" for number in range(writers))}
    seen: dict[str, list[str]] = {}
    for path in entry.point_paths():
        point = from_json(orjson.loads(path.read_bytes()))
        seen.setdefault(point.uid, []).append(point.origin.session)
    wanted = sorted(["common", *(f"writer-{number}" for number in range(writers))])
    assert [sorted(sessions) for sessions in seen.values()] == [wanted] * 5
    assert all(is_point_name(path.name) for path in entry.path.glob("ckp-*"))
    assert not list(entry.path.glob(".nntest-*"))


def test_points_of_different_cases_lie_side_by_side(experiment):
    for seed in range(3):
        save_point(experiment, with_seed(make_point(), seed))
    assert len(list(experiment.glob("ckp-*.0001.json"))) == 3


def test_points_published_together_are_those_published_singly(tmp_path):
    folders = [
        open_experiment(Repository("x", tmp_path), name, META, now=lambda: datetime(2026, 11, 21))
        for name in ("one", "two", "alone")
    ]
    points = [with_seed(make_point(), seed) for seed in range(20)]
    paths = publish_together([(folders[seed % 2], point.uid, to_bytes(point)) for seed, point in enumerate(points)])
    assert paths == [folders[seed % 2] / f"ckp-{point.uid}.0001.json" for seed, point in enumerate(points)]
    for path, point in zip(paths, points, strict=True):
        assert path.read_bytes() == save_point(folders[2], point).read_bytes()


def test_names_published_together_are_on_disk_on_return(experiment, tmp_path, monkeypatch):
    other = open_experiment(Repository("x", tmp_path), "other", META)
    synced = []
    monkeypatch.setattr("nntest.store.publish.sync_folder", synced.append)
    points = [with_seed(make_point(), seed) for seed in range(6)]
    publish_together([(folder, point.uid, to_bytes(point)) for point in points for folder in (experiment, other)])
    assert sorted(synced) == sorted([experiment, other])


def test_nothing_is_visible_before_what_is_done_meanwhile(experiment, tmp_path):
    before = everything(experiment)
    seen = []
    [path] = publish_together(
        [(experiment, make_point().uid, to_bytes(make_point()))],
        meanwhile=lambda: seen.append(list(experiment.glob("ckp-*"))),
    )
    assert seen == [[]]
    assert everything(experiment) == {**before, path.relative_to(experiment): to_bytes(make_point())}


def test_nothing_is_published_when_what_is_done_meanwhile_fails(experiment):
    def fail():
        raise DataError("the entry could not be written")

    before = everything(experiment)
    with pytest.raises(DataError, match=r"^the entry could not be written$"):
        publish_together([(experiment, make_point().uid, to_bytes(make_point()))], meanwhile=fail)
    assert everything(experiment) == before


def test_points_published_together_replace_nothing_and_are_kept_once(experiment):
    mine, newer = make_point(session="a"), make_point(session="b")
    known = save_point(experiment, mine)
    again, added = publish_together([(experiment, one.uid, to_bytes(one)) for one in (mine, newer)])
    assert (again, added) == (known, experiment / f"ckp-{mine.uid}.0002.json")
    assert (known.read_bytes(), added.read_bytes()) == (to_bytes(mine), to_bytes(newer))
    assert len(list(experiment.glob("*.json"))) == 2
    assert not list(experiment.glob(".nntest-*"))


def test_more_points_than_are_open_together(experiment):
    points = [with_seed(make_point(), seed) for seed in range(150)]
    paths = publish_together([(experiment, point.uid, to_bytes(point)) for point in points])
    assert [path.read_bytes() for path in paths] == [to_bytes(point) for point in points]
    assert not list(experiment.glob(".nntest-*"))


def test_what_cannot_be_synced_is_named(experiment, monkeypatch):
    points = [with_seed(make_point(), seed) for seed in range(4)]
    real, bad = os.fsync, to_bytes(points[1])

    def refuse(descriptor):
        if os.pread(descriptor, len(bad), 0) == bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    # what is synced was opened to be written only
    monkeypatch.setattr(files, "_create", lambda path: os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))
    monkeypatch.setattr(files.os, "fsync", refuse)
    with pytest.raises(
        DataError, match=rf"/ckp-{points[1].uid}\.0001\.json: could not be written \(Input/output error\)"
    ):
        publish_together([(experiment, point.uid, to_bytes(point)) for point in points])


@pytest.mark.parametrize("call", ["write", "fsync", "link"])
def test_a_full_disk_leaves_nothing_of_points_published_together(experiment, monkeypatch, call):
    before = everything(experiment)
    points = [with_seed(make_point(), seed) for seed in range(3)]
    monkeypatch.setattr(files.os, call, full)
    with pytest.raises(DataError, match=r"\.0001\.json: could not be written \(No space left on device\)"):
        publish_together([(experiment, point.uid, to_bytes(point)) for point in points])
    monkeypatch.undo()
    assert everything(experiment) == before


def test_a_folder_that_cannot_be_synced_is_one_clear_error(experiment, monkeypatch):
    def refuse(folder):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("nntest.store.publish.sync_folder", refuse)
    with pytest.raises(DataError) as raised:
        publish_together([(experiment, make_point().uid, to_bytes(make_point()))])
    assert str(raised.value) == (
        f"{experiment}: could not be written (Input/output error); nothing partial was left; "
        "see to the folder and resume"
    )
