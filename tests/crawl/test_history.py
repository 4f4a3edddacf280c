"""A case through time."""

from dataclasses import replace
from pathlib import Path

import pytest

from nntest.crawl.history import history
from nntest.model.point import Failure, Point
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_case, make_platform, make_point, make_subject


def timed(factor: float, session: str, timestamp: str, **other: object) -> Point:
    """Return a point of 50 samples near ``factor`` times a millisecond."""
    point = make_point(repetitions=50, launches=10, session=session, **other)
    samples = [
        replace(one, seconds=one.loops * 1e-3 * factor * (1 + 1e-5 * (index % 7)))
        for index, one in enumerate(point.samples)
    ]
    return replace(point, samples=tuple(samples), origin=replace(point.origin, timestamp=timestamp), trust="stable")


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository: two sessions of one version, one of the next, one that failed, and another case."""
    monkeypatch.setenv("CK_REPOS", str(tmp_path / "CK"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CK_LOCAL_REPO", raising=False)
    repository = Repository("local", tmp_path / "CK" / "local")
    named = open_experiment(repository, "one", {"tags": ["nntest", "20260101000000"]})
    dated = open_experiment(repository, "two", {"tags": ["nntest"]})
    newer = make_subject(version="3.3.0")
    save_point(dated, timed(1.3, "s3", "20260301000000", subject=newer))
    save_point(named, timed(1.0, "s1", "a-name"))
    save_point(dated, timed(1.0, "s2", "20260201000000"))
    failed = timed(1.0, "s4", "20260401000000", subject=newer)
    save_point(dated, replace(failed, samples=(), failure=Failure(kind="crash", reason="signal 11"), trust="failed"))
    save_point(dated, timed(1.0, "s1", "20260201000000", case=make_case(seed=7)))
    return repository.path


def test_from_the_oldest_on_each_against_the_one_before(local: Path) -> None:
    moments = history(make_point().case.id[:8], str(local)).moments
    assert [one.session for one in moments] == ["s1", "s2", "s3", "s4"]
    assert [one.when[:8] for one in moments] == ["20260101", "20260201", "20260301", "20260401"]
    changes = [one.change for one in moments]
    assert changes[0] is None
    assert changes[1] is not None
    assert changes[1].verdict == "equivalent"
    assert changes[2] is not None
    assert (changes[2].verdict, round(changes[2].ratio, 2)) == ("different", 1.3)
    assert (changes[3], moments[3].time_us, moments[3].failure) == (None, None, "signal 11")


def test_platforms_are_not_held_against_each_other(local: Path) -> None:
    other = timed(3.0, "s0", "20250101000000", platform=make_platform(machine="e" * 16, cpu="Another"))
    save_point(local / "experiment" / "two", other)
    moments = history(other.case.id, str(local)).moments
    first = [number for number, one in enumerate(moments) if one.change is None and one.time_us is not None]
    assert {moments[number].cpu for number in first} == {"Another", make_platform().cpu}


def test_a_case_that_nobody_measured(local: Path) -> None:
    assert history("feedfeed", str(local)).moments == []


def test_files_that_gave_no_rows_are_told(local: Path) -> None:
    torn = local / "experiment" / "two" / "ckp-00000000000000aa.0001.json"
    torn.write_text("{")
    assert [Path(path) for path, _ in history("feedfeed", str(local)).skipped] == [torn]
    assert [Path(path) for path, _ in history(make_point().case.id, str(local)).skipped] == [torn]
