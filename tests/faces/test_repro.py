"""``nntest repro``: files for a bug report, and why a form is missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from nntest.faces import cli
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.points import make_case, make_launch, make_point, make_subject, with_seed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CK_REPOS", str(tmp_path / "CK"))
    monkeypatch.delenv("CK_LOCAL_REPO", raising=False)
    monkeypatch.chdir(tmp_path)
    return open_experiment(Repository("local", tmp_path / "CK" / "local"), "demo", {"tags": ["x"]})


def test_a_point_of_onednn_has_all_forms(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    point = make_point()
    save_point(folder, point)
    save_point(folder, point)
    assert cli.main(["repro", point.uid[:9], "--out", "bug"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "benchdnn: OMP_NUM_THREADS=1 benchdnn --mode=P --conv --dir=FWD_B --alg=AUTO --stag=abcd --dtag=abcd "
        "--attr-scratchpad=user g1mb1ic512_ih14iw14_oc512oh14ow14_kh1kw1_sh1sw1_ph0pw0_dh0dw0",
        f"c++: bug/repro-{point.uid}.cpp",
        f"onnx: bug/repro-{point.uid}.onnx",
    ]
    assert (Path("bug") / f"repro-{point.uid}.cpp").read_text().startswith("// conv 512-14-14-1-512-1-0 by oneDNN")
    assert (Path("bug") / f"repro-{point.uid}.onnx").stat().st_size > 512 * 512 * 4


def test_forms_that_a_point_lacks_say_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subject = make_subject()
    subject = replace(subject, library=replace(subject.library, name="plain-cpu"))
    point = replace(make_point(case=make_case(program="conv-plain-cpu")), subject=subject)
    path = save_point(folder, point)
    assert cli.main(["repro", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"benchdnn: none; {point.uid}: benchdnn is for points of onednn-cpu, and this one is of plain-cpu; "
        "use the other forms",
        f"c++: none; {point.uid}: no C++ file is known for conv by plain-cpu; "
        "expected gemm or fullyconnected by openblas-cpu; use the other forms",
        f"onnx: repro-{point.uid}.onnx",
    ]


def test_one_point_at_a_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    point = replace(make_point(), launches=(make_launch(0),))
    save_point(folder, point)
    save_point(folder, with_seed(point, 7))
    assert cli.main(["repro", "demo"]) == 2
    assert capsys.readouterr().err == (
        "nntest: demo: 2 points were found; expected one; `nntest show demo` lists them\n"
    )
