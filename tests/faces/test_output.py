"""What is written beside the answer: files that gave no rows are always named."""

import json
import re
import sys
from pathlib import Path

import pytest

from nntest.errors import UsageError
from nntest.faces import cli
from nntest.faces.output import open_places, print_rows, put_text, say
from tests.points import make_point
from tests.store.exchange.archives import FIRST, make_repository

ACTING = "a\x1b[31m\u202eb\x9b\n"


def test_a_terminal_is_told_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    say(ACTING)
    print_rows(["name", "last"], [[ACTING, 1]], "table")
    shown = capsys.readouterr().out
    assert shown == "a\\x1b[31m\\u202eb\\x9b\n\nname                  last\na\\x1b[31m\\u202eb\\x9b  1\n"


def test_rows_for_programs_are_as_they_stand_unless_a_terminal_reads_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    print_rows(["name"], [["a\u202eb"]], "csv")
    assert capsys.readouterr().out == "name\na\u202eb\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_rows(["name"], [["a\u202eb"]], "csv")
    assert capsys.readouterr().out == "name\na\\u202eb\n"


@pytest.mark.parametrize("terminal", [False, True])
def test_json_can_be_read_wherever_it_was_printed(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    rows = [{"name": f"{ACTING}\x7f\x00\u2028\uffff\t\\x9b", "n\x9b": "größe \N{GRINNING FACE}"}]
    print_rows(list(rows[0]), [list(rows[0].values())], "json")
    shown = capsys.readouterr().out
    assert json.loads(shown) == rows
    assert "\\u009b" in shown
    assert "\\u007f" in shown
    assert shown.replace("\n", "").isprintable()


def test_an_error_is_a_line_that_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", f"{tmp_path}/a\x1b[2J\u202eb\r"]) == 2
    told = capsys.readouterr().err
    assert "a\\x1b[2J\\u202eb" in told
    assert told.rstrip("\n").isprintable()


def test_all_faces_speak_through_one_mouth() -> None:
    own = Path(cli.__file__).parent
    speaking = [path.name for path in own.glob("*.py") if re.search(r"typer\.s?echo|\bprint\(", path.read_text())]
    # rich prints what `printable` gave it
    assert sorted(speaking) == ["output.py", "progress.py"]


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """Return the one damaged file of a repository."""
    path = make_repository(tmp_path / "theirs", {FIRST: 1}).path / "experiment" / FIRST
    file = path / f"ckp-{make_point().uid}.0001.json"
    file.write_text("{")
    return file


def test_skipped_files_are_named_once(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_places([str(damaged.parents[2])], "") as tables:
        assert len(tables.points)
        assert tables.layers.empty
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"{damaged}: is no valid JSON (")
    assert lines[1:] == ["1 file gave no rows"]


@pytest.mark.parametrize(
    "command",
    [["list", "programs", "softmax-plain-cpu"], ["run", "softmax-plain-cpu", "--dataset=*mobilenets*", "--dry-run"]],
)
def test_a_damaged_registration_is_one_line(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CK_REPOS", str(tmp_path))
    monkeypatch.delenv("CK_LOCAL_REPO", raising=False)
    meta = tmp_path / "local" / "repo" / "mine" / ".cm" / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text('{"pa')
    assert cli.main(command) == 0
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{meta}: no JSON object with a path was found, so that the repository mine is left out; ")


@pytest.mark.parametrize("command", [["analyse", "points"], ["report"]])
def test_skipped_files_are_named_where_nothing_is_left(
    command: list[str], damaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in damaged.parent.glob("ckp-*"):
        path.write_text("{")
    assert cli.main([*command, str(damaged.parents[2]), "--out", str(tmp_path / "out")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"{damaged.parent}/ckp-")
    assert lines[-2].endswith(" gave no rows")
    assert lines[-1].startswith(f"nntest: {command[-1]}: ")


def test_a_file_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_text("text\n", None)
    assert capsys.readouterr().out == "text\n"
    put_text("text\n", tmp_path / "x")
    assert (tmp_path / "x").read_text() == "text\n"
    with pytest.raises(UsageError) as failed:
        put_text("text\n", tmp_path)
    assert str(failed.value) == f"{tmp_path}: could not be written (Is a directory); choose another --out"
