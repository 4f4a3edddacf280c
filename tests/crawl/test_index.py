import os
import random
import shutil
import struct
import subprocess
import sys

import pandas as pd
import pytest

import nntest
from nntest.crawl import collect, index
from nntest.crawl.sources import list_sources
from nntest.crawl.views import find_views
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_point, with_seed


@pytest.fixture(autouse=True)
def _every_source_has_an_index(monkeypatch):
    monkeypatch.setattr(collect, "WORTH_AN_INDEX", 0)


@pytest.fixture
def repository(tmp_path):
    place = Repository("repo", tmp_path / "repo")
    for name in ("a", "b", "c"):
        folder = open_experiment(place, f"nntest-{name}", {"tags": ["nntest", name]})
        for seed in range(4):
            save_point(folder, with_seed(make_point(repetitions=2, launches=2, session=name), seed))
    return place


def forget_read_segments():
    """Act as a process that has read no index yet."""
    index._read_segment.cache_clear()


def crawl(place, tags=""):
    """Return how many files were read, and what a crawl without an index gives beside one with it."""
    collected = collect.collect(list_sources(place.path, tags), find_views())
    collected.wait()
    with_index = nntest.load(place.path, tags=tags)
    without = nntest.load(place.path, tags=tags, index=False)
    pd.testing.assert_frame_equal(with_index, without)
    assert with_index.attrs == without.attrs
    return collected.read


def test_a_second_crawl_reads_nothing(repository):
    assert [crawl(repository), crawl(repository)] == [12, 0]


def test_what_was_added_is_read_alone(repository):
    crawl(repository)
    save_point(repository.path / "experiment" / "nntest-b", with_seed(make_point(), 9))
    other = open_experiment(repository, "nntest-aa", {"tags": ["nntest"]})
    save_point(other, make_point())
    assert [crawl(repository), crawl(repository)] == [2, 0]


def test_what_was_changed_is_read_again(repository):
    crawl(repository)
    path = sorted((repository.path / "experiment" / "nntest-b").glob("ckp-*"))[1]
    path.write_bytes(path.read_bytes().replace(b'"trust":"stable"', b'"trust":"unsure"'))
    os.utime(path, ns=(1, 1))
    assert [crawl(repository), crawl(repository)] == [1, 0]
    assert (nntest.load(repository.path)["trust"] == "unsure").sum() == 2


def test_what_was_removed_is_forgotten(repository):
    crawl(repository)
    for path in sorted((repository.path / "experiment" / "nntest-b").glob("ckp-*"))[:2]:
        path.unlink()
    assert crawl(repository) == 0
    assert len(nntest.load(repository.path)) == 20


def test_new_tags_are_read_again(repository):
    crawl(repository)
    open_experiment(repository, "nntest-b", {"tags": ["new"]})
    assert crawl(repository) == 4


def test_tags_leave_the_rest_of_the_index_alone(repository):
    crawl(repository, "a")
    assert [crawl(repository), crawl(repository, "b"), crawl(repository)] == [8, 0, 0]


def test_skipped_files_are_remembered_with_their_reasons(repository):
    path = sorted((repository.path / "experiment" / "nntest-b").glob("ckp-*"))[1]
    path.write_bytes(b"{")
    crawl(repository)
    assert crawl(repository) == 0
    save_point(repository.path / "experiment" / "nntest-b", with_seed(make_point(), 9))
    assert crawl(repository) == 1
    ((where, _),) = nntest.load(repository.path).attrs["skipped"]
    assert where == str(path)


def test_many_changes_end_in_one_segment(repository):
    for seed in range(20, 34):
        save_point(repository.path / "experiment" / "nntest-c", with_seed(make_point(), seed))
        assert crawl(repository) == (13 if seed == 20 else 1)
    (listing,) = list_sources(repository.path)
    opened = index.Index.open(listing, find_views(), "")
    assert len(opened.segments) < 8


def test_another_view_has_an_index_of_its_own(repository, tmp_path):
    crawl(repository)
    view = tmp_path / "mine.json"
    view.write_text(
        '{"name": "mine", "matches": [{"path": "nntest.format"}], "point": {"library": [{"constant": "mine"}]},'
        ' "repetitions": {"columns": "nntest.samples.seconds"}, "repetition": {}}'
    )
    assert (nntest.load(repository.path, views=[view])["library"] == "mine").all()
    assert (nntest.load(repository.path)["library"] == "onednn-cpu-3.2.0").all()


@pytest.mark.parametrize("damage", [b"", b"{}", b"PAR1 something else", None])
def test_a_damaged_index_is_passed_over(repository, damage):
    crawl(repository)
    index._read_segment.cache_clear()
    for path in index.cache_folder().rglob("*"):
        if path.is_file() and damage is None and path.suffix == ".parquet":
            path.unlink()
        elif path.is_file() and damage is not None:
            path.write_bytes(damage)
    assert [crawl(repository), crawl(repository)] == [12, 0]


def test_segments_of_another_crawl_are_no_truth(repository):
    crawl(repository)
    index._read_segment.cache_clear()
    for path in index.cache_folder().rglob("*.points.parquet"):
        path.write_bytes(b"damaged")
    assert [crawl(repository), crawl(repository)] == [12, 0]


def test_a_cache_folder_that_cannot_be_written_does_no_harm(repository, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert [crawl(repository), crawl(repository)] == [12, 12]


def test_another_format_is_built_anew(repository, monkeypatch):
    assert crawl(repository) == 12
    monkeypatch.setattr(index, "FORMAT", index.FORMAT + 1)
    assert [crawl(repository), crawl(repository)] == [12, 0]


def test_a_manifest_of_another_format_is_no_truth(repository):
    crawl(repository)
    (manifest,) = index.cache_folder().rglob("index.json")
    manifest.write_bytes(manifest.read_bytes().replace(b'"identity":"', b'"identity":"0 '))
    assert [crawl(repository), crawl(repository)] == [12, 0]


def test_every_file_of_the_index_may_be_cut_anywhere(repository):
    crawl(repository)
    expected = nntest.load(repository.path)
    moments = random.Random(1)
    for _ in range(20):
        path = moments.choice(sorted(path for path in index.cache_folder().rglob("*") if path.is_file()))
        data = path.read_bytes()
        path.write_bytes(data[: moments.randrange(len(data))])
        forget_read_segments()
        pd.testing.assert_frame_equal(nntest.load(repository.path), expected)
        assert crawl(repository) == 0


def test_no_bit_of_the_index_changes_a_value(repository):
    crawl(repository)
    expected = nntest.load(repository.path)
    number = struct.pack("d", expected["core_ghz"].iloc[0])
    (path,) = index.cache_folder().rglob("*.rows.parquet")
    data = path.read_bytes()
    assert number in data
    path.write_bytes(data.replace(number, bytes([number[0] ^ 1, *number[1:]])))
    forget_read_segments()
    pd.testing.assert_frame_equal(nntest.load(repository.path), expected, check_exact=True)


def test_the_index_may_be_deleted_while_it_is_read(repository):
    crawl(repository)
    expected = nntest.load(repository.path, index=False)
    forget_read_segments()
    (listing,) = list_sources(repository.path)
    opened = index.Index.open(listing, find_views(), "")
    shutil.rmtree(index.cache_folder())
    # What was opened stays readable; the next crawl builds the index anew.
    assert sum(len(segment.files) for segment in opened.segments.values()) == 12
    opened.save(next(iter(opened.segments.values())).block, [(listing.folders[0], 0, {})], set())
    shutil.rmtree(index.cache_folder())
    pd.testing.assert_frame_equal(nntest.load(repository.path), expected)
    assert crawl(repository) == 0


def test_points_may_be_deleted_while_they_are_read(repository, monkeypatch):
    listings = list_sources(repository.path)
    gone = sorted((repository.path / "experiment" / "nntest-b").glob("ckp-*"))
    gone[1].unlink()
    shutil.rmtree(repository.path / "experiment" / "nntest-c")
    collected = collect.collect(listings, find_views())
    collected.wait()
    assert len(collected.block.counts) == 7
    assert [skip.ordinal for skip in collected.skips] == [5, 8, 9, 10, 11]
    assert {skip.reason for skip in collected.skips} == {"was removed while it was read; load again"}
    assert len(nntest.load(repository.path)) == 14


CRAWLER = """
import sys
from nntest.crawl import collect
collect.WORTH_AN_INDEX = 0
import nntest
for _ in range(15):
    frame = nntest.load(sys.argv[1])
    assert len(frame) >= 24, len(frame)
    assert not frame.attrs["skipped"], frame.attrs["skipped"]
"""


def test_processes_may_crawl_while_another_records(repository):
    crawlers = [subprocess.Popen([sys.executable, "-c", CRAWLER, str(repository.path)]) for _ in range(2)]
    seed = 100
    while any(process.poll() is None for process in crawlers):
        save_point(repository.path / "experiment" / "nntest-c", with_seed(make_point(), seed))
        seed += 1
        nntest.load(repository.path)
    assert [process.returncode for process in crawlers] == [0, 0]
    forget_read_segments()
    crawl(repository)
    assert crawl(repository) == 0


def test_orphans_of_an_interrupted_crawl_are_removed_in_time(repository):
    crawl(repository)
    (folder,) = index.cache_folder().iterdir()
    old, new = folder / "0123.rows.parquet", folder / "4567.rows.parquet"
    for path in (old, new):
        path.write_bytes(b"")
    os.utime(old, (1, 1))
    save_point(repository.path / "experiment" / "nntest-c", with_seed(make_point(), 9))
    crawl(repository)
    assert not old.exists()
    assert new.exists()
