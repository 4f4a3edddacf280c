"""Every command of docs/studies-theory-energy.md runs, where the published tables are."""

import re
import shlex
from pathlib import Path

import pytest

from nntest.faces.cli import perform

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "studies-theory-energy.md").read_text(encoding="utf-8")
SHARED = CHECKOUT.parent / "shared" / "data"
ROWS = re.findall(r"^\| (S[01]-[^|]*) \| (.*) \| `(nntest [^`]*)` \|$", PAGE, re.MULTILINE)
WANTED = {f"S0-{number:02}" for number in range(1, 20)} | {f"S1-{number:02}" for number in range(1, 38)}
# Tables that we do not have; their commands are tested on rows of the same form.
ABSENT = ("DenseBenchmark", "Depthwise")


SUMMARY = (CHECKOUT / "docs" / "studies.md").read_text(encoding="utf-8")


def lines_of(text: str) -> set[str]:
    """``S0-01, 02, 10..12`` are four lines."""
    study = text[:2]
    found = set()
    for part in text[3:].split(","):
        first, _, last = part.strip().partition("..")
        found |= {f"{study}-{number:02}" for number in range(int(first), int(last or first) + 1)}
    return found


def test_the_page_has_every_line_of_the_checklist() -> None:
    told = set().union(*(lines_of(lines) for lines, _, _ in ROWS))
    # told in words: ResNet20's panels of figure 3
    told |= {"S1-14", "S1-17"} if "S1-14 and 17: data not here" in PAGE else set()
    assert WANTED - told == set()


def test_the_list_of_all_studies_names_every_line_once() -> None:
    rows = re.findall(r"^\| (S[01]-[^|]*) \| [^|]* \| (yes|data not here)", SUMMARY, re.MULTILINE)
    told = [line for lines, _ in rows for line in lines_of(lines)]
    assert sorted(told) == sorted(WANTED)


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boards")
    (folder / ".ckr.json").write_text('{"data_uoa": "boards", "data_uid": "00112233445566bb"}\n')
    tables = [str(path) for path in sorted((SHARED / "mcu").glob("*.csv"))]
    if tables:
        assert perform(["convert", *tables, "--from", "mcu", "--repo", str(folder)]).code == 0
    return folder


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published tables are not here (../shared/data)")
@pytest.mark.parametrize(("lines", "command"), [(lines, command) for lines, _, command in ROWS], ids=lambda text: text)
def test_the_command_of_each_line_runs(lines: str, command: str, boards: Path, tmp_path: Path) -> None:
    text = command.replace("$Q", str(SHARED / "qutibench")).replace("../shared/data", str(SHARED))
    words = [str(boards) if word == "boards" else word for word in shlex.split(text)[1:]]
    words = [str(tmp_path) if word.startswith("out/") else word for word in words]
    outcome = perform(words)
    if any(name in command for name in ABSENT):
        assert (outcome.code, "no rows" in outcome.message or outcome.code == 0) == (0, True), lines
        return
    assert outcome.code == 0, f"{lines}: {outcome.message}"
    if words[0] == "analyse":
        assert (tmp_path / f"{words[1]}.csv").stat().st_size > 100
        assert (tmp_path / f"{words[1]}.png").is_file()
