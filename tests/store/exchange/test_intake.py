"""Importing: data only, all or nothing, nothing replaced, the same again changes nothing."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

import nntest
from nntest.errors import DataError, UsageError
from nntest.model.point_json import to_bytes
from nntest.store.entries import find_experiments
from nntest.store.exchange.intake import import_entries
from nntest.store.exchange.limits import Limits
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.store.exchange.archives import FIRST, META, entry, make_repository, point, tree, zipped

SHAPE = {"CK_IN_SHAPE_C": 3}


@pytest.fixture
def target(tmp_path: Path) -> Repository:
    path = tmp_path / "target"
    path.mkdir()
    return Repository("ours", path)


def put(tmp_path: Path, files: dict[str, bytes]) -> Path:
    path = tmp_path / "archive.zip"
    path.write_bytes(zipped(files))
    return path


def dataset(**shape: int) -> dict[str, bytes]:
    return {
        "dataset/.cm/alias-a-shapes": b"fedcba9876543210\n",
        "dataset/.cm/alias-u-fedcba9876543210": b"shapes\n",
        "dataset/shapes/.cm/meta.json": orjson.dumps({"dataset_files": ["shape-a"], "tags": ["dataset"]}),
        "dataset/shapes/shape-a.json": orjson.dumps(shape or SHAPE),
        "dataset/shapes/table.csv": b"a,b\n1,2\n",
    }


def test_a_zip_becomes_entries_that_ck_and_we_find(tmp_path: Path, target: Repository) -> None:
    files = entry(points=2) | dataset()
    intake = import_entries(put(tmp_path, files), target)
    assert (intake.merged.added, intake.merged.skipped, intake.recovered, intake.verified) == (2, 0, 0, False)
    assert intake.merged.entries == ["dataset/shapes", "experiment/demo"]
    module = {".cm/alias-a-dataset": b"8a7141c59cd335f5\n", ".cm/alias-u-8a7141c59cd335f5": b"dataset\n"}
    assert tree(target.path) == files | module
    (found,) = find_experiments(repositories=[target])
    assert (found.uoa, found.uid, found.problems) == ("demo", "0123456789abcdef", ())


def test_the_same_again_changes_nothing(tmp_path: Path, target: Repository) -> None:
    archive = put(tmp_path, entry(points=2) | dataset())
    import_entries(archive, target)
    before = tree(target.path)
    merged = import_entries(archive, target).merged
    assert (merged.added, merged.skipped, merged.entries, merged.renumbered, merged.kept) == (0, 2, [], [], [])
    assert tree(target.path) == before


@pytest.mark.parametrize("top", ["", "their-repository-main/"])
def test_a_whole_repository_comes_without_its_description(tmp_path: Path, target: Repository, top: str) -> None:
    description = {"dict": {"repo_deps": [{"cmd": "touch /tmp/never"}]}}
    others = {
        ".ckr.json": orjson.dumps(description),
        "README.md": b"# Points\n",
        "LICENSE": b"BSD\n",
        "experiment/": b"",
    }
    files = {f"{top}{name}": data for name, data in (others | entry()).items()}
    import_entries(put(tmp_path, files), target)
    assert sorted(tree(target.path)) == sorted(entry())


def test_a_folder_comes_in_as_a_zip_does(tmp_path: Path, target: Repository) -> None:
    source = make_repository(tmp_path / "theirs")
    intake = import_entries(source.path, target)
    assert intake.merged.added == 5
    ours, theirs = tree(target.path), tree(source.path)
    assert ours == theirs
    frames = [nntest.load(path, index=False).drop(columns="repo") for path in (source.path, target.path)]
    assert frames[0].equals(frames[1])


def test_different_bytes_become_the_next_sub_point(tmp_path: Path, target: Repository) -> None:
    folder = open_experiment(target, "demo", META)
    mine = save_point(folder, point(0, session="mine"))
    before = mine.read_bytes()
    merged = import_entries(put(tmp_path, entry(points=2)), target).merged
    next_one = mine.with_name(f"ckp-{point(0).uid}.0002.json")
    assert (merged.added, merged.entries) == (2, [])
    assert merged.renumbered == [f"experiment/demo/{next_one.name}"]
    assert mine.read_bytes() == before
    assert next_one.read_bytes() == to_bytes(point(0))


def test_what_differs_beside_points_is_kept_and_told(tmp_path: Path, target: Repository) -> None:
    import_entries(put(tmp_path, entry()), target)
    uid = (target.path / "experiment/.cm/alias-a-demo").read_bytes()
    other = entry(uid="f" * 16) | {"experiment/demo/.cm/meta.json": b'{"tags": ["other"]}'}
    merged = import_entries(put(tmp_path, other), target).merged
    assert merged.kept == ["experiment/demo/.cm/meta.json"]
    assert orjson.loads((target.path / "experiment/demo/.cm/meta.json").read_bytes()) == META
    assert (target.path / "experiment/.cm/alias-a-demo").read_bytes() == uid


def test_two_entries_of_one_uid_both_can_be_found(tmp_path: Path, target: Repository) -> None:
    import_entries(put(tmp_path, entry("demo")), target)
    import_entries(put(tmp_path, entry("renamed")), target)
    assert {one.uoa: one.problems for one in find_experiments(repositories=[target])} == {"demo": (), "renamed": ()}


def test_a_dataset_that_differs_stops_everything(tmp_path: Path, target: Repository) -> None:
    import_entries(put(tmp_path, dataset()), target)
    before = tree(target.path)
    archive = put(tmp_path, entry() | dataset(CK_IN_SHAPE_C=4))
    with pytest.raises(DataError) as refused:
        import_entries(archive, target)
    assert str(refused.value) == (
        f"{archive}: dataset/shapes/shape-a.json: differs from the one in ours; import into another repository with "
        f"--repo; nothing was imported"
    )
    assert tree(target.path) == before
    spelt_otherwise = dataset() | {"dataset/shapes/shape-a.json": json.dumps(SHAPE, indent=4).encode()}
    assert import_entries(put(tmp_path, spelt_otherwise), target).merged.kept == []


def lying() -> bytes:
    words = orjson.loads(to_bytes(point(0)))
    words["nntest"]["case"]["threads"] = 2
    return orjson.dumps(words)


UID = point(0).uid


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("../evil.json", b"{}", "leaves its folder or has an empty part"),
        ("program/x/conv.cpp", b"", "belongs to program; import takes data only: experiment and dataset entries"),
        ("experiment/demo/x.json", b"{", "is no valid JSON ("),
        ("experiment/demo/x.json", b'"\xff"', "is no valid JSON (not UTF-8)"),
        ("experiment/demo/x.json", b"[" * 20_000, "is no valid JSON ("),
        ("experiment/demo/.cm/desc.json", b"[]", "is no JSON object"),
        ("experiment/other/x.json", b"{}", "has no .cm/meta.json, so it is no entry"),
        ("experiment/.cm/alias-a-x", b"no uid", "is no alias file; expected a UID of 16 hexadecimal digits"),
        ("experiment/.cm/alias-u-0123456789abcdee", b"../x", "is no alias file; expected one name"),
        (f"experiment/demo/ckp-{UID}.0002.json", b"[]", "is no point; expected a JSON object"),
        (f"experiment/demo/ckp-{UID}.0002.json", lying(), "states case_id '"),
        (
            f"experiment/demo/ckp-{'0' * 16}.0001.json",
            to_bytes(point(0)),
            f"states uid '{'0' * 16}', but its blocks hash",
        ),
        ("dataset/d/.cm/x.json", b"{}", "is no file of CK; expected one of"),
        ("dataset/d/t.csv", b"a\0b", "is no table; expected text in UTF-8"),
    ],
)
def test_one_bad_member_and_nothing_comes_in(
    tmp_path: Path, target: Repository, name: str, data: bytes, reason: str
) -> None:
    archive = put(tmp_path, entry() | {name: data})
    with pytest.raises(DataError) as refused:
        import_entries(archive, target)
    text = str(refused.value)
    assert text.startswith(f"{archive}: {name.removesuffix('/x.json') if 'other' in name else name}: {reason}")
    assert text.endswith("; nothing was imported")
    assert tree(tmp_path) == {"archive.zip": archive.read_bytes()}


def test_json_of_python_2_times_passes(tmp_path: Path, target: Repository) -> None:
    old = b'{"a": NaN, "b": Infinity, "c": "Firefly\\u0000", "d": "\\ud800", "points": "8"}'
    files = entry() | {"experiment/demo/ckp-0123456789abcdef.0001.json": old}
    import_entries(put(tmp_path, files), target)
    assert (target.path / "experiment/demo/ckp-0123456789abcdef.0001.json").read_bytes() == old


def test_sources_without_entries_and_without_anything(tmp_path: Path, target: Repository) -> None:
    archive = put(tmp_path, {"README.md": b""})
    with pytest.raises(DataError) as refused:
        import_entries(archive, target)
    assert str(refused.value) == (
        f"{archive}: no experiment or dataset entry was found; expected experiment/NAME/.cm/meta.json and points; "
        f"nothing was imported"
    )
    with pytest.raises(UsageError) as unknown:
        import_entries("nowhere.zip", target)
    assert str(unknown.value) == ("nowhere.zip: no such file or folder; expected a zip, a folder, or an https address")


def test_limits_hold_for_the_archive_too(tmp_path: Path, target: Repository) -> None:
    archive = put(tmp_path, entry())
    with pytest.raises(DataError, match=r"archive\.zip: larger than 100 bytes, the limit for an archive"):
        import_entries(archive, target, limits=Limits(archive_bytes=100))


def test_a_repository_that_cannot_be_written(
    tmp_path: Path, target: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = put(tmp_path, entry())

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(DataError) as refused:
        import_entries(archive, target)
    assert str(refused.value) == (
        f"{target.path}: could not be written (Read-only file system); nothing was imported; "
        f"see to the folder, or choose another repository with --repo"
    )


def test_imports_at_the_same_time_lose_nothing(tmp_path: Path, target: Repository) -> None:
    archives = []
    for number in range(8):
        path = tmp_path / f"{number}.zip"
        one = point(number)
        path.write_bytes(zipped(entry(points=0) | {f"experiment/demo/ckp-{one.uid}.0001.json": to_bytes(one)}))
        archives.append(path)
    run_all([lambda path=path: import_entries(path, target) for path in archives])
    (found,) = find_experiments(repositories=[target])
    assert {path.name for path in found.point_paths()} == {f"ckp-{point(seed).uid}.0001.json" for seed in range(8)}
    assert not list(target.path.glob(".nntest*"))


def run_all(jobs: list[Callable[[], object]]) -> None:
    errors: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_import_into_a_repository_with_points_of_its_own(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "ours", {FIRST: 2}, name="ours")
    theirs = make_repository(tmp_path / "theirs")
    before = tree(target.path)
    merged = import_entries(theirs.path, target).merged
    assert (merged.added, merged.skipped) == (3, 2)
    after = tree(target.path)
    assert {name: after[name] for name in before} == before
