"""``nntest rerun``: what it selects, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from nntest.errors import UsageError
from nntest.faces import cli, options, rerun
from nntest.statistics.trust import assess
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_point


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CK_REPOS", str(tmp_path / "CK"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CK_LOCAL_REPO", raising=False)
    folder = open_experiment(Repository("local", tmp_path / "CK" / "local"), "demo", {"tags": ["x"]})
    return save_point(folder, make_point())


def test_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rerun", "--trust=stable"]) == 0
    assert capsys.readouterr().out == "no points are to be measured again\n"


def test_a_plan_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rerun", "demo", "--dry-run"]) in {0, 2}  # 2: that version of the library is not here
    told = capsys.readouterr()
    assert "would measure 1 case in 1 group" in told.out or "nothing can be measured again" in told.err


def test_damaged_points_are_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text("{")
    assert cli.main(["rerun", "demo"]) == 0
    assert capsys.readouterr().err.startswith(f"left out: {path}: it is not JSON (")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rerun"], "rerun: nothing was selected; expected experiments or points, --trust=unstable, or --flag=drift"),
        (["rerun", "--trust=bad"], "trust: 'bad' was given; expected one of failed, wrong, emulated, simulated, "),
        (["rerun", "--flag=odd"], "flag: 'odd' was given; expected one of few_samples, never_settled, wide_interval"),
        (["rerun", "nowhere"], "nowhere: no point or experiment of that name was found"),
    ],
)
def test_what_is_refused(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err.startswith(f"nntest: {message}")


def test_what_became_of_verdicts_is_counted() -> None:
    point = make_point()
    verdict, _ = assess(point)
    stable, same = (replace(point, trust=word) for word in ("stable", verdict))
    assert list(rerun._changes([point], [stable, same])) == [f"1 {verdict}, now stable", f"1 still {verdict}"]


def test_durations() -> None:
    assert [options.duration("x", text) for text in ("60s", "2min", "1h", "5")] == [60.0, 120.0, 3600.0, 5.0]
    with pytest.raises(UsageError, match="x: '5 days' was given; expected a duration such as 60s, 2min or 1h"):
        options.duration("x", "5 days")
