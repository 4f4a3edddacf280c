"""Tags, notes and the trash: beside the points, undone by the way they came."""

from datetime import datetime, timezone
from pathlib import Path

import pytest

import nntest
from nntest.errors import UsageError
from nntest.store import notes
from nntest.store.lookup import find_point_files
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_case, make_point

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an experiment of two points in ck's local repository."""
    monkeypatch.setenv("CK_REPOS", str(tmp_path / "CK"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CK_LOCAL_REPO", raising=False)
    folder = open_experiment(Repository("local", tmp_path / "CK" / "local"), "demo", {"tags": ["x"]})
    for seed in (1, 2):
        save_point(folder, make_point(case=make_case(seed=seed)))
    return folder


def test_points_by_name(experiment: Path) -> None:
    both = find_point_files("demo")
    assert [path.parent for path in both] == [experiment] * 2
    assert find_point_files(str(experiment)) == both
    assert find_point_files(str(both[0])) == both[:1]
    uid = both[0].name[4:20]
    assert find_point_files(uid) == find_point_files(uid[:8]) == both[:1]
    with pytest.raises(UsageError) as caught:
        find_point_files("feedfeedfeedfeed")
    assert str(caught.value) == (
        "feedfeedfeedfeed: no point or experiment of that name was found; `nntest list points` shows what there is"
    )


def test_tags_and_notes_are_added_and_taken_back(experiment: Path) -> None:
    first, second = find_point_files("demo")
    assert notes.add([first, second], "tag", "baseline", now=NOW) == 2
    assert notes.add([first], "tag", "baseline", now=NOW) == 0  # it is there already
    assert notes.add([first], "note", "odd clock", now=NOW) == 1
    assert notes.add([first], "note", "still odd", now=NOW) == 1
    said = notes.remarks_of(first)
    assert (said.tags, said.notes, said.trashed) == (("baseline",), ("odd clock", "still odd"), False)
    assert said.remarks[0].at == "2026-11-21T12:00:00+00:00"
    assert notes.take_back([first], "note") == 1
    assert notes.remarks_of(first).notes == ("odd clock",)
    assert notes.take_back([first, second], "tag", "baseline") == 2
    assert [one.path for one in notes.remarks_in(experiment)] == [first]
    assert notes.take_back([first], "note", "no such note") == 0


def test_a_trashed_point_is_not_loaded_and_comes_back_as_it_was(experiment: Path) -> None:
    first, second = find_point_files("demo")
    content = first.read_bytes()
    notes.add([first], "tag", "baseline")
    (gone,) = notes.trash([first])
    assert find_point_files("demo") == [second]
    assert nntest.load("local", index=False)["point"].nunique() == 1
    (trashed,) = notes.remarks_in(experiment)
    assert (trashed.path, trashed.tags, trashed.trashed) == (gone, ("baseline",), True)
    assert find_point_files("demo", trashed=True) == [gone]
    assert notes.bring_back([gone]) == [first]
    assert first.read_bytes() == content
    assert notes.remarks_of(first).tags == ("baseline",)
    assert nntest.load("local", index=False)["point"].nunique() == 2


def test_nothing_is_replaced_on_the_way_back(experiment: Path) -> None:
    first, _ = find_point_files("demo")
    content = first.read_bytes()
    (gone,) = notes.trash([first])
    newer = save_point(experiment, make_point(case=make_case(seed=1), session="another"))
    other = save_point(experiment, make_point(case=make_case(seed=2)))
    assert first in {newer, other}
    (back,) = notes.bring_back([gone])
    assert back.name == first.name.replace(".0001.", ".0002.")
    assert back.read_bytes() == content


@pytest.mark.parametrize("text", ["", "a,b", "  "])
def test_a_tag_is_a_word(text: str) -> None:
    with pytest.raises(UsageError, match="expected a word without commas"):
        notes.check_tag(text)
