"""``nntest why``: verdict, evidence, advice, and what people said."""

from pathlib import Path

import pytest

from nntest.faces import cli
from nntest.store import notes
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_point


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CK_REPOS", str(tmp_path / "CK"))
    monkeypatch.delenv("CK_LOCAL_REPO", raising=False)
    folder = open_experiment(Repository("local", tmp_path / "CK" / "local"), "demo", {"tags": ["x"]})
    return save_point(folder, make_point())


def test_verdict_evidence_and_what_was_said(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notes.add([path], "note", "the fan was loud")
    notes.add([path], "tag", "baseline")
    assert cli.main(["why", make_point().uid[:9]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{make_point().uid}  conv-onednn-cpu onednn-cpu-3.2.0 512-14-14-1-512-1-0"
    assert lines[1].startswith("  unstable: because of wide_interval")
    assert any(line.startswith("    seen   the 95 % interval is the median +- ") for line in lines)
    assert any(line.startswith("    to do  measure until it is narrow: --until-ci 1%") for line in lines)
    assert lines[-2] == "  tags: baseline"
    assert lines[-1].endswith(": the fan was loud")


def test_a_point_of_another_tool(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text("{}")
    assert cli.main(["why", str(path)]) == 1
    assert capsys.readouterr().err == (
        f"nntest: {path}: it is a point of another tool, of whose measuring nothing is known\n"
    )
    path.write_text("{")
    assert cli.main(["why", str(path)]) == 1
    assert f"nntest: {path}: it is not JSON (" in capsys.readouterr().err
