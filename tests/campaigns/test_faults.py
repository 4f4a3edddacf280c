"""Fault campaigns: nothing crashes, nothing leaves its folder, nothing partial shows, nothing is overwritten.

Each runs in small by default, and in full with ``script/test/run.sh --full``; its figures are printed as one line.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

import nntest
from nntest.errors import DataError, UsageError
from nntest.model.point_json import from_json, to_bytes, to_json
from nntest.store.entries import find_experiments, is_point_name
from nntest.store.exchange.export import export_zip
from nntest.store.exchange.intake import finish_interrupted, import_entries
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.campaigns.mutation import ESCAPE, damaged_json, damaged_zip
from tests.store.exchange.archives import META, entry, make_repository, point, tree, zipped

Report = Callable[..., None]
SEED = 20261121


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    def print_line(campaign: str, **figures: Any) -> None:
        with capsys.disabled():
            print(f"\n{json.dumps({'campaign': campaign, **figures})}")

    return print_line


def small_or_full(small: int, full: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("count", [small, pytest.param(full, marks=pytest.mark.full)])


def visible_points(folder: Path) -> list[Path]:
    """Return the points that readers see: not in hidden folders."""
    return [
        path
        for path in folder.rglob("ckp-*.json")
        if is_point_name(path.name) and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def assert_whole(paths: list[Path]) -> None:
    for path in paths:
        from_json(orjson.loads(path.read_bytes()), where=str(path))


@small_or_full(200, 10_000)
def test_random_and_mutated_zips(count: int, tmp_path: Path, report: Report) -> None:
    generator = random.Random(SEED)
    theirs = make_repository(tmp_path / "theirs", {"first": 2, "second": 1})
    export_zip(find_experiments(repositories=[theirs]), tmp_path / "export.zip")
    bases = [entry(points=2), tree(theirs.path), _members(tmp_path / "export.zip")]
    sandbox = tmp_path / "sandbox"
    target = Repository("ours", sandbox / "deep" / "target")
    save_point(open_experiment(target, "demo", META), point(0, session="mine"))
    (sandbox / "canary").write_text("alive")
    own = tree(target.path)
    shutil.copytree(target.path, tmp_path / "fresh")
    figures = {"zips": count, "imported": 0, "refused": 0, "points_imported": 0}
    for _ in range(count):
        archive = tmp_path / "mutated.zip"
        archive.write_bytes(damaged_zip(generator.choice(bases), generator))
        try:
            merged = import_entries(archive, target).merged
        except (DataError, UsageError) as error:
            figures["refused"] += 1
            assert str(error).isprintable()
            assert tree(target.path) == own
        else:
            figures["imported"] += 1
            figures["points_imported"] += merged.added
            after = tree(target.path)
            assert {name: after[name] for name in own} == own
            for path in visible_points(target.path):
                orjson.loads(path.read_bytes())
            shutil.rmtree(target.path)
            shutil.copytree(tmp_path / "fresh", target.path)
        assert not list(target.path.glob(".nntest*"))
        assert sorted(path.name for path in sandbox.iterdir()) == ["canary", "deep"]
        assert [path.name for path in (sandbox / "deep").iterdir()] == ["target"]
    for folder in (Path("/"), Path("/tmp"), Path.cwd(), Path.home(), *sandbox.parents):
        assert not list(folder.glob(f"*{ESCAPE}*")), folder
    assert figures["imported"]
    assert figures["refused"] > count / 4
    report("zips", outside_target=0, partial=0, overwritten=0, **figures)


def _members(path: Path) -> dict[str, bytes]:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@small_or_full(300, 10_000)
def test_mutated_json_through_load(count: int, tmp_path: Path, report: Report) -> None:
    generator = random.Random(SEED)
    documents = [to_json(point(seed)) for seed in range(3)] + _original_documents()
    figures = {"files": 0, "loaded": 0, "skipped": 0, "rows": 0}
    while figures["files"] < count:
        folder = tmp_path / "experiment" / "mutated"
        (folder / ".cm").mkdir(parents=True)
        (folder / ".cm" / "meta.json").write_bytes(orjson.dumps(META))
        size = min(500, count - figures["files"])
        for number in range(size):
            (folder / f"ckp-{number:016x}.0001.json").write_bytes(damaged_json(generator.choice(documents), generator))
        frame = nntest.load(tmp_path, index=False)
        loaded, skipped = frame["point"].nunique(), len(frame.attrs["skipped"])
        assert loaded + skipped == size
        for path, reason in frame.attrs["skipped"]:
            assert Path(path).is_file()
            assert reason
        assert not (frame["time_us"] == 0).any()
        figures["files"] += size
        figures["loaded"] += loaded
        figures["skipped"] += skipped
        figures["rows"] += len(frame)
        shutil.rmtree(folder)
    report("json", crashes=0, silent_zeros=0, **figures)


def _original_documents() -> list[Any]:
    """Return points like those of other tools, which another view reads."""
    run = {"run_success": "yes", "execution_time_kernel_1": 0.001, "time_fw_ms": 3.5, "memory_mbytes": 9.5}
    platform = {"platform": {"name": "board"}, "cpu": {"name": "A72"}, "os": {"name": "Linux"}}
    caffe = {"env": {"CK_CAFFE_BATCH_SIZE": 2}, "data_uoa": "caffe"}
    layers = [{"index": 0, "label": "00: conv1", "direction": "forward", "time_ms": 1.5}]
    shape = {"CK_IN_SHAPE_C": 3, "CK_IN_SHAPE_H": 8, "CK_IN_SHAPE_W": 8}
    original = {"env": shape, "data_uoa": "conv-x", "dataset_file": "x"}
    features = {"platform": platform}
    repetitions = [{"run": run}, {"run": {**run, "per_layer_info": layers}}]
    return [
        {"characteristics_list": repetitions, "choices": choices, "features": features} for choices in (caffe, original)
    ]


@small_or_full(60, 1000)
def test_every_point_truncated(count: int, tmp_path: Path, report: Report) -> None:
    generator = random.Random(SEED)
    repository = make_repository(tmp_path / "theirs", {"first": count})
    paths = visible_points(repository.path)
    for path in paths:
        data = path.read_bytes()
        path.write_bytes(data[: generator.randrange(len(data) - 1)])
    frame = nntest.load(repository.path, index=False)
    assert frame.empty
    assert sorted(skip.path for skip in frame.attrs["skipped"]) == sorted(map(str, paths))
    ours = Repository("ours", tmp_path / "ours")
    ours.path.mkdir()
    with pytest.raises(DataError, match=r"ckp-[0-9a-f]{16}\.0001\.json: is no valid JSON"):
        import_entries(repository.path, ours)
    assert not visible_points(ours.path)
    report("truncated", files=count, named=len(frame.attrs["skipped"]), rows=0)


WRITER = """
import sys
from pathlib import Path
from nntest.store.exchange.intake import import_entries
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.store.exchange.archives import META, point

writer, count, path, archive = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
repository = Repository("ours", path)
sys.stdin.readline()
for number in range(count):
    folder = open_experiment(repository, "demo", META)
    save_point(folder, point(number % 5, session=f"{writer}-{number}"))
    if number % 5 == 0:
        import_entries(archive, repository)
"""


@pytest.mark.parametrize(
    ("writers", "count"),
    [(2, 5), pytest.param(2, 100, marks=pytest.mark.full), pytest.param(8, 50, marks=pytest.mark.full)],
)
def test_writers_into_one_experiment(writers: int, count: int, tmp_path: Path, report: Report) -> None:
    archive = tmp_path / "points.zip"
    archive.write_bytes(zipped(entry(points=7)))
    target = Repository("ours", tmp_path / "ours")
    target.path.mkdir()
    words = [str(count), str(target.path), str(archive)]
    jobs = [started(WRITER, str(number), *words) for number in range(writers)]
    for job in jobs:
        assert job.stdin is not None
        job.stdin.write(b"go\n")
        job.stdin.close()
    assert [job.wait() for job in jobs] == [0] * writers
    paths = visible_points(target.path)
    assert_whole(paths)
    contents = {path.read_bytes() for path in paths}
    expected = {to_bytes(point(seed)) for seed in range(7)}
    for writer in range(writers):
        expected |= {to_bytes(point(number % 5, session=f"{writer}-{number}")) for number in range(count)}
    assert contents == expected
    (found,) = find_experiments(repositories=[target])
    assert found.problems == ()
    assert not list(target.path.rglob(".nntest*"))
    report("writers", writers=writers, points=len(paths), lost=0, doubled=len(paths) - len(contents))


def started(script: str, *words: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen([sys.executable, "-c", script, *words], stdin=subprocess.PIPE, env=environment)


IMPORTER = """
import sys
from pathlib import Path
from nntest.store.exchange.intake import import_entries
from nntest.store.repository import Repository

repository = Repository("ours", Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
import_entries(sys.argv[1], repository)
"""


@small_or_full(8, 200)
def test_killed_during_import(count: int, tmp_path: Path, report: Report) -> None:
    generator = random.Random(SEED)
    files: dict[str, bytes] = {}
    for number in range(6):
        files.update(entry(f"demo-{number}", points=20, uid=f"{number:016x}"))
    archive = tmp_path / "points.zip"
    archive.write_bytes(zipped(files))
    fresh = Repository("ours", tmp_path / "fresh")
    save_point(open_experiment(fresh, "demo-3", META), point(0, session="mine"))
    own = tree(fresh.path)
    figures = {"kills": 0, "nothing": 0, "all": 0, "between": 0, "ended": 0}
    limit_s, turn = 1.0, -1
    while figures["kills"] < count:
        turn += 1
        target = Repository("ours", tmp_path / f"target-{turn}")
        shutil.copytree(fresh.path, target.path)
        job = started_ready(IMPORTER, str(archive), str(target.path))
        began = time.monotonic()
        if turn < 3:  # how long it takes when nobody interferes
            assert job.wait() == 0
            limit_s = min(limit_s, time.monotonic() - began)
        else:
            time.sleep(generator.uniform(0, limit_s))
            job.kill()
            figures["kills" if job.wait() == -signal.SIGKILL else "ended"] += 1
            _note(figures, target, own)
            finish_interrupted(target)
            import_entries(archive, target)
        paths = visible_points(target.path)
        assert_whole(paths)
        assert len(paths) == 6 * 20 + 1
        after = tree(target.path)
        assert {name: after[name] for name in own} == own
        assert not list(target.path.glob(".nntest*"))
        shutil.rmtree(target.path)
    report("kill_import", partial_points=0, overwritten=0, **figures)


def _note(figures: dict[str, int], target: Repository, own: dict[str, bytes]) -> None:
    paths = visible_points(target.path)
    assert_whole(paths)
    if len(paths) == 1:
        figures["nothing"] += 1
    elif len(paths) == 6 * 20 + 1:
        figures["all"] += 1
    else:  # while it was moved into place; the next import must end it
        figures["between"] += 1
        assert [path.suffix for path in target.path.glob(".nntest-import-*")] == [""]


def started_ready(script: str, *words: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", script, *words]
    job = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert job.stdin is not None
    assert job.stdout is not None
    assert job.stdout.readline() == b"ready\n"
    job.stdout.close()
    job.stdin.write(b"go\n")
    job.stdin.close()
    return job


@contextmanager
def mounted(path: Path, size: str) -> Iterator[Path]:
    """Mount a small memory file system; needs root."""
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("a file system of its own cannot be mounted here (needs root)")
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)


def test_a_full_disk(tmp_path: Path, report: Report) -> None:
    archive = tmp_path / "points.zip"
    archive.write_bytes(zipped(entry("large", points=200)))
    small = tmp_path / "small.zip"
    small.write_bytes(zipped(entry("small", points=3)))
    with mounted(tmp_path / "disk", "1m") as disk:
        target = Repository("ours", disk / "ours")
        save_point(open_experiment(target, "demo", META), point(0, session="mine"))
        own = tree(target.path)
        with pytest.raises(DataError, match="No space left on device"):
            import_entries(archive, target)
        assert tree(target.path) == own
        assert import_entries(small, target).merged.added == 3
        folder = target.path / "experiment" / "demo"
        recorded = sum(is_recorded(folder, number) for number in range(400))
        paths = visible_points(target.path)
        assert_whole(paths)
        assert len(paths) == recorded + 4
        after = tree(target.path)
        assert {name: after[name] for name in own} == own
        with pytest.raises(DataError, match="No space left on device"):
            import_entries(archive, target)
        assert tree(target.path) == after
    assert 0 < recorded < 400
    report("full_disk", recorded=recorded, refused=400 - recorded, partial=0)


def is_recorded(folder: Path, number: int) -> bool:
    try:
        save_point(folder, point(number, session="more"))
    except DataError as error:
        assert "No space left on device" in str(error)
        return False
    return True


def test_a_read_only_repository(tmp_path: Path, report: Report) -> None:
    archive = tmp_path / "points.zip"
    archive.write_bytes(zipped(entry("demo", points=3)))
    with mounted(tmp_path / "disk", "8m") as disk:
        target = Repository("ours", disk / "ours")
        folder = open_experiment(target, "demo", META)
        save_point(folder, point(0, session="mine"))
        own = tree(target.path)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(DataError, match="Read-only file system"):
            import_entries(archive, target)
        with pytest.raises(DataError, match="Read-only file system"):
            save_point(folder, point(1))
        assert len(nntest.load(target.path, index=False)) == 10
        done = export_zip(find_experiments(repositories=[target]), tmp_path / "out.zip")
        assert done.points == 1
        assert tree(target.path) == own
    report("read_only", refused=2, changed=0)
