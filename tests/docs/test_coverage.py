"""docs/coverage.md: what its tables say of points and of what gave none."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from nntest.model.point import Failure
from tests.points import make_case, make_point

SCRIPTS = Path(__file__).parents[2] / "script" / "coverage"


@pytest.fixture(scope="module")
def summary() -> ModuleType:
    spec = importlib.util.spec_from_file_location("coverage_summary", SCRIPTS / "summary.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def section(text: str, title: str) -> list[str]:
    return text.split(f"## {title}\n\n", 1)[1].split("\n\n", 1)[0].splitlines()


def test_the_page(summary: ModuleType) -> None:
    good = make_point()
    reason = "exit code 134 after 12 s | core\nmore"
    broken = [
        replace(make_point(case=make_case(seed=seed)), samples=(), failure=Failure(kind="crash", reason=text))
        for seed, text in ((1, reason), (2, reason.replace("12", "7")), (3, "another"))
    ]
    visits = [
        {
            "dataset": "tensor-conv-mobilenets-v1-1.0-224", "cases": 6, "done": True, "seconds": 90.0,
            "days": ["2026-11-20", "2026-11-21"],
            "refused": {"winogradconv-onednn-cpu onednn-cpu-3.2.0 1-2-3": "none here",
                        "winogradconv-onednn-cpu onednn-cpu-3.2.0 4-5-6": "none here"},
            "left_out": ["conv-x: left out, X was not found (looked in /a, /b); install it",
                         "gemm-y: left out, tensor-conv has no shape of species gemm"],
        },
        {"dataset": "tensor-a", "cases": 3, "done": False, "seconds": 0.0, "days": [], "refused": {}, "left_out": []},
    ]  # fmt: skip
    programs = {"conv-x": "x", "gemm-y": "y", "conv-onednn-cpu": "onednn-cpu"}
    text = summary.page([good, *broken], visits, programs=programs)
    assert text.startswith("# What was measured, and what was not\n")
    assert "- 4 points, 3 of them failed; 2 cases unsupported.\n- 1 of 2 datasets done, in 2 minutes.\n" in text
    assert "- 10 samples in 5 processes of each case.\n- On AMD EPYC 9B45 128-Core Processor, 2 cores, " in text
    assert "- Measured on 2026-11-20 to 2026-11-21.\n- The machine's load was 0.5 in the median, 0.5 at most" in text
    assert section(text, "Programs")[2:] == [
        "| conv-onednn-cpu | onednn-cpu-3.2.0 | 1 | 4 | 3 failed, 1 unstable |  |",
        "| conv-x | x | 0 | 0 | not measured |  |",
        "| gemm-y | y | 0 | 0 | not measured |  |",
        "| winogradconv-onednn-cpu |  | 0 | 0 | not measured | 2 |",
    ]
    assert section(text, "Failures")[2:] == [
        "| conv-onednn-cpu | crash | 1 | 512-14-14-1-512-1-0 | another |",
        "| conv-onednn-cpu | crash | 2 | 512-14-14-1-512-1-0 | exit code 134 after 12 s \\| core |",
    ]
    assert section(text, "Unsupported")[2:] == ["| winogradconv-onednn-cpu | 2 | none here |"]
    assert "| wide_interval | 1 | 25 % |" in section(text, "Flags")
    assert section(text, "Programs that were left out")[2:] == ["| X was not found; install it | conv-x |"]
    assert section(text, "Datasets")[2:] == [
        "| tensor-a | 3 | 0 | not reached |  |",
        "| tensor-conv-mobilenets-v1-1.0-224 | 6 | 4 | done | 90 |",
    ]


def test_a_page_of_nothing(summary: ModuleType) -> None:
    text = summary.page([], [], programs={})
    assert section(text, "Failures") == ["None."]
    assert "- 0 points, 0 of them failed; 0 cases unsupported.\n- 0 of 0 datasets done, in 0 minutes.\n" in text


def test_the_command_measures_a_dataset_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With nothing left to do it measures nothing; a budget that is no duration is refused."""
    monkeypatch.setenv("CK_REPOS", str(tmp_path / "CK"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CK_LOCAL_REPO", raising=False)
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])
    spec = importlib.util.spec_from_file_location("coverage_command", SCRIPTS / "coverage.py")
    assert spec is not None and spec.loader is not None
    command = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "coverage_command", command)
    spec.loader.exec_module(command)
    out = tmp_path / "page.md"
    assert command.main(["--summary", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert out.read_text().startswith("# What was measured")
    assert command.main(["--budget", "soon", "--out", str(out)]) == 2
    assert capsys.readouterr().err == (
        "nntest coverage: budget: 'soon' was given; expected a duration such as 60s, 2min or 1h\n"
    )
    assert command.main(["--datasets", "tensor-softmax-lenet-5", "--budget", "1s", "--out", str(out)]) == 0
    assert "| tensor-softmax-lenet-5 | " in out.read_text()
