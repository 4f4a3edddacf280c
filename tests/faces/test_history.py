"""``nntest history``: by case, by point, and what is not there."""

from pathlib import Path

import pytest

from nntest.faces import cli
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_point


@pytest.fixture(autouse=True)
def _points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CK_REPOS", str(tmp_path / "CK"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CK_LOCAL_REPO", raising=False)
    folder = open_experiment(Repository("local", tmp_path / "CK" / "local"), "demo", {"tags": ["20260102030405"]})
    for session in ("s1", "s2"):
        save_point(folder, make_point(session=session))


@pytest.mark.parametrize("name", [make_point().case.id, make_point().uid, make_point().uid[:6], "demo"])
def test_by_case_and_by_point(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["history", name]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "conv-onednn-cpu 512-14-14-1-512-1-0"
    assert lines[1].startswith("on AMD EPYC 9B45")
    assert [line.split()[2] for line in lines[3:]] == ["s1", "s2"]
    assert "1.000 undecided" in lines[4]


def test_what_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["history", "nowhere"]) == 2
    assert capsys.readouterr().err.startswith("nntest: nowhere: no point or experiment of that name was found")


@pytest.mark.parametrize("name", [make_point().case.id, make_point().uid])
def test_files_that_gave_no_rows_are_named(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torn = tmp_path / "CK" / "local" / "experiment" / "demo" / "ckp-00000000000000aa.0001.json"
    torn.write_text("{")
    assert cli.main(["history", name]) == 0
    captured = capsys.readouterr()
    assert captured.err.splitlines()[0].startswith(f"{torn}: ")
    assert captured.err.splitlines()[1:] == ["1 file gave no rows"]
    assert "s2" in captured.out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("demo", "demo: {source} has no point of that case; name its repository with --source"),
        (
            "feedfeed",
            "feedfeed: no point or experiment of that name was found; `nntest list points` shows what there is",
        ),
    ],
)
def test_damage_is_named_also_where_nothing_was_found(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other" / "experiment" / "torn"
    other.mkdir(parents=True)
    (other / "ckp-00000000000000aa.0001.json").write_text("{")
    assert cli.main(["history", name, "--source", str(tmp_path / "other")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"{other / 'ckp-00000000000000aa.0001.json'}: ")
    assert lines[1:] == ["1 file gave no rows", f"nntest: {said.format(source=tmp_path / 'other')}"]
