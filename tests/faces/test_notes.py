"""``nntest tag``, ``note``, ``trash`` and ``list notes``: what they say."""

from pathlib import Path

import pytest

from nntest.faces import cli
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_point


@pytest.fixture
def uid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the uid of the one point there is."""
    monkeypatch.setenv("CK_REPOS", str(tmp_path / "CK"))
    monkeypatch.delenv("CK_LOCAL_REPO", raising=False)
    point = make_point()
    save_point(open_experiment(Repository("local", tmp_path / "CK" / "local"), "demo", {"tags": ["x"]}), point)
    return point.uid


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert cli.main(arguments) == 0
    return capsys.readouterr().out.splitlines()


def test_what_is_said_of_points_is_listed_and_undone(uid: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "tag", uid, "baseline", "quiet") == ["2 tags added to 1 point"]
    assert said(capsys, "note", "demo", "after", "the", "update") == ["note added to 1 point"]
    listed = said(capsys, "list", "notes")
    assert listed[0].split() == ["experiment", "point", "state", "tags", "notes"]
    assert listed[1].split() == ["demo", uid, "baseline,quiet", "after", "the", "update"]
    assert said(capsys, "tag", uid, "--undo") == ["1 tag taken away"]
    assert said(capsys, "note", uid, "--undo") == ["1 note taken away"]
    assert said(capsys, "list", "notes", "--format=csv")[1] == f"demo,{uid},,baseline,"


def test_the_trash(uid: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "trash", uid) == ["1 point in the trash; the same command with --undo brings them back"]
    assert said(capsys, "list", "points") == ["no points match"]
    assert said(capsys, "list", "notes")[1].split() == ["demo", uid, "trashed"]
    assert cli.main(["trash", uid]) == 2
    capsys.readouterr()
    assert said(capsys, "trash", uid, "--undo") == ["1 point brought back"]
    assert said(capsys, "list", "notes") == ["no notes match"]
    assert cli.main(["trash", uid, "--undo"]) == 2
    assert "no trashed point of that name was found; `nntest list notes` shows" in capsys.readouterr().err


def test_something_must_be_said(uid: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["tag", uid]) == 2
    assert capsys.readouterr().err == "nntest: tag: no tag was given; expected at least one after the point\n"
    assert cli.main(["note", uid]) == 2
    assert capsys.readouterr().err == "nntest: note: no text was given; expected it after the point\n"
