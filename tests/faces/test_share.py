"""``nntest import``, ``export`` and ``diff``: what they print, how they end, and what CI reads."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

import nntest
from nntest.faces import cli
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_case, make_point, make_subject
from tests.store.exchange.archives import FIRST, META, entry, make_repository, point, zipped


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CK_REPOS", str(tmp_path / "CK"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CK_LOCAL_REPO", raising=False)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "points.zip"
    path.write_bytes(zipped(entry(points=2)))
    return path


def test_import_says_what_it_did(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["import", str(archive)]) == 0
    assert capsys.readouterr().out == (
        "local: points: 2 added, 0 there already; entries: 1 new\n"
        "the source has no manifest, so its files could not be checked against one\n"
    )
    assert cli.main(["import", str(archive)]) == 0
    assert capsys.readouterr().out.startswith("local: points: 0 added, 2 there already; entries: 0 new\n")


def test_import_tells_what_stands_beside_something_else(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    local = Repository("local", tmp_path / "CK" / "local")
    save_point(open_experiment(local, "demo", {"tags": ["mine"]}), point(0, session="mine"))
    assert cli.main(["import", str(archive)]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "local: points: 2 added, 0 there already; entries: 0 new",
        f"beside another of its uid: experiment/demo/ckp-{point(0).uid}.0002.json",
        "differs, ours was kept: experiment/demo/.cm/meta.json",
    ]


def test_import_refuses_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "evil.zip"
    path.write_bytes(zipped(entry() | {"module/x/module.py": b""}))
    assert cli.main(["import", str(path)]) == 1
    assert capsys.readouterr().err == (
        f"nntest: {path}: module/x/module.py: belongs to module; import takes data only: experiment and dataset "
        f"entries; nothing was imported\n"
    )
    assert cli.main(["import", "http://example.org/x.zip"]) == 2
    assert capsys.readouterr().err == (
        "nntest: http://example.org/x.zip: expected an https address; download the file by other means and import "
        "that\n"
    )
    assert cli.main(["import", str(path), "--repo=nowhere"]) == 2
    assert "nowhere: no such repository or folder" in capsys.readouterr().err


def test_export_and_import_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_repository(tmp_path / "CK" / "local", name="local")
    out = tmp_path / "x.zip"
    assert cli.main(["export", "local:nntest-*", "--out", str(out), "--author=Ada", "--license=CC0-1.0"]) == 0
    assert capsys.readouterr().out == (
        f"{out}: 5 points in 2 entries, 17 files\npaths and names of the machine were taken out of 2 files\n"
    )
    (tmp_path / "elsewhere").mkdir()
    assert cli.main(["import", str(out), f"--repo={tmp_path}/elsewhere"]) == 0
    assert capsys.readouterr().out == "elsewhere: points: 5 added, 0 there already; entries: 2 new\n"


def test_export_of_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_repository(tmp_path / "CK" / "local", name="local")
    csv, parquet = tmp_path / "x.csv", tmp_path / "x.parquet"
    for path in (csv, parquet):
        assert cli.main(["export", FIRST, "--out", str(path), f"--format={path.suffix[1:]}"]) == 0
        assert capsys.readouterr().out == f"{path}: 30 rows\n"
    frame = nntest.load(tmp_path / "CK" / "local" / "experiment" / FIRST, index=False)
    back = pd.read_parquet(parquet)
    assert list(back.columns) == list(frame.columns)
    assert back["time_us"].tolist() == frame["time_us"].tolist()
    assert back.attrs == {}
    assert pd.read_csv(csv)["case_id"].tolist() == frame["case_id"].tolist()
    first = csv.read_bytes()
    assert cli.main(["export", FIRST, "--out", str(csv), "--format=csv"]) == 0
    assert csv.read_bytes() == first


@pytest.mark.parametrize("form", ["pyperf", "gbench"])
def test_export_for_other_tools(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_repository(tmp_path / "CK" / "local", name="local")
    assert cli.main(["export", "nntest-*", "--out", str(tmp_path / "x.json"), "--format", form]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/x.json: 5 points, 0 of them failed\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "x", "--out=y", "--format=zap"], "nntest: format: 'zap' was given; did you mean zip?"),
        (["export", "x", "--out=y", "--format=q"], "nntest: format: 'q' was given; expected one of zip, csv, "),
        (["export", "x"], "nntest export: "),
        (["diff", "a", "b", "--format=xml"], "nntest: format: 'xml' was given; expected one of table, markdown, junit"),
        (
            ["diff", "a", "b", "--a=3.1"],
            "nntest: a: '3.1' was given; expected COLUMN=VALUE, such as library_version=3.1*",
        ),
        (
            ["diff", "a", "b", "--fail-if-slower=much"],
            "nntest: fail_if_slower: 'much' was given; expected a percentage such as 5%",
        ),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err.startswith(message)


@pytest.fixture
def versions(tmp_path: Path) -> str:
    """Return a repository with two versions: one case grew slower by 50 %, one is only in the first."""
    repository = Repository("theirs", tmp_path / "theirs")
    folder = open_experiment(repository, "nntest-x", META)
    for version, factor, seeds in (("3.1.0", 1.0, (1, 2)), ("3.2.0", 1.5, (1,))):
        for seed in seeds:
            made = make_point(repetitions=20, case=make_case(seed=seed), subject=make_subject(version=version))
            samples = tuple(
                replace(sample, seconds=factor * 1e-3 * (1 + 1e-4 * index)) for index, sample in enumerate(made.samples)
            )
            save_point(folder, replace(made, samples=samples))
    return str(repository.path)


HEADING = (
    "program          case                                    A                 B                 "
    "time A  time B  B / A  95 % interval   verdict"
)
CASE = "conv-onednn-cpu  512-14-14-1-512-1-0 layout=NCHW seed="
GOLDEN = [
    HEADING,
    f"{CASE}1  onednn-cpu-3.1.0  onednn-cpu-3.2.0  100 us  150 us  1.500  1.498 to 1.502  slower",
    f"{CASE}2  onednn-cpu-3.1.0                    100 us                                 missing in B",
    "2 cases: 1 slower, 1 missing in B; by more than 5 %: at least one case is slower or fails",
]


def run_diff(versions: str, *more: str) -> int:
    return cli.main(["diff", versions, versions, "--a", "library_version=3.1*", "--b=library_version=3.2.0", *more])


def test_diff_on_a_terminal(versions: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_diff(versions, "--fail-if-slower=5%") == 1
    lines = [re.sub(r"1\.\d{3} to 1\.\d{3}", "1.498 to 1.502", line) for line in capsys.readouterr().out.splitlines()]
    assert [lines[0], *sorted(lines[1:3]), *lines[3:]] == GOLDEN
    assert run_diff(versions) == 0
    assert run_diff(versions, "--fail-if-slower=60%") == 4


def test_diff_in_markdown(versions: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_diff(versions, "--format=markdown") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| program | case | A | B | time A | time B | B / A | 95 % interval | verdict |"
    assert lines[1].count("---") == 9
    assert "2 cases: 1 slower, 1 missing in B" in lines


def test_diff_for_ci(versions: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "diff.xml"
    assert run_diff(versions, "--fail-if-slower=5%", "--format=junit", f"--out={out}") == 1
    assert capsys.readouterr().out == ""
    suite = ElementTree.fromstring(out.read_text(encoding="utf-8"))
    assert {key: suite.get(key) for key in ("tests", "failures", "skipped", "errors")} == {
        "tests": "2", "failures": "1", "skipped": "1", "errors": "0"
    }  # fmt: skip
    tests = {test[0].tag: test for test in suite}
    assert sorted(tests) == ["failure", "skipped"]
    assert tests["failure"].get("classname") == "conv-onednn-cpu"
    assert "1.500" in (tests["failure"][0].get("message") or "")


def test_a_diff_that_cannot_be_written_is_no_finding(
    versions: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "no" / "diff.xml"
    assert run_diff(versions, "--fail-if-slower=5%", f"--out={out}") == 2
    assert capsys.readouterr().err == (
        f"nntest: {out}: could not be written (No such file or directory); choose another --out\n"
    )
