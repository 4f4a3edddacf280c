"""The scripts of studies, with a stand-in for nntest that notes what it is asked for."""

import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
STAND_IN = """#!/bin/sh
printf '%s\\n' "$*" >> "$LOG"
case "$1 $2" in
  "target list") printf 'linux-arm64-qemu  64-bit Arm, emulated  {state}\\n' ;;
  "run {failing}"*) exit {code} ;;
esac
"""
ENDING = "--tuner=NONE,DEFAULT --dataset=tensor-conv-net --timeout=20min --resume"
ANALYSE = "analyse schedule local --tags nntest,conv"
ARMCL = "run conv-armcl-opencl,directconv-armcl-opencl --target=linux-arm64-qemu --timestamp=tuners-armcl-net"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Lay out a checkout with the script, two shapes and a stand-in."""
    (tmp_path / "script" / "study").mkdir(parents=True)
    (tmp_path / "script" / "study" / "tuners.sh").write_text((REPOSITORY / "script/study/tuners.sh").read_text())
    (tmp_path / "dataset" / "tensor-conv-net").mkdir(parents=True)
    for shape in ("shape-1-2.json", "shape-3-4.json"):
        (tmp_path / "dataset" / "tensor-conv-net" / shape).write_text("{}")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    return tmp_path


def study(
    checkout: Path, *, network: str = "net", state: str = "installed: qemu", failing: str = "nothing", code: int = 0
) -> tuple[int, list[str], str]:
    """Run the study; return its exit code, what was asked of nntest, and what the script said of errors."""
    stand_in = checkout / ".venv" / "bin" / "nntest"
    stand_in.write_text(STAND_IN.format(state=state, failing=failing, code=code))
    stand_in.chmod(0o755)
    log = checkout / "log"
    log.write_text("")
    ran = subprocess.run(
        ["sh", checkout / "script" / "study" / "tuners.sh", "OUT", network],
        env={"LOG": str(log), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, log.read_text().splitlines(), ran.stderr


def test_tuners_are_studied_on_clblast_and_shape_by_shape_under_emulation(checkout: Path) -> None:
    code, asked, _ = study(checkout)
    assert code == 0
    assert asked == [
        f"run conv-clblast-opencl --timestamp=tuners-clblast-net {ENDING}",
        f"{ANALYSE} --where=timestamp=tuners-clblast-net --network=net --out OUT/clblast",
        "target list",
        f"{ARMCL} --dataset_file=shape-1-2 --repetitions=2 --launches=1 {ENDING}",
        f"{ARMCL} --dataset_file=shape-3-4 --repetitions=2 --launches=1 {ENDING}",
        f"{ANALYSE} --where=timestamp=tuners-armcl-net --include=emulated --network=net --out OUT/armcl-emulated",
    ]


def test_without_the_target_clblast_is_all(checkout: Path) -> None:
    code, asked, _ = study(checkout, state="not installed; run `nntest target install linux-arm64-qemu`")
    assert (code, len(asked)) == (0, 3)


def test_failed_points_are_a_result_and_anything_else_ends_the_study(checkout: Path) -> None:
    code, asked, _ = study(checkout, failing="conv-clblast-opencl", code=3)
    assert (code, len(asked)) == (3, 6)
    code, asked, _ = study(checkout, failing="conv-clblast-opencl", code=2)
    assert (code, len(asked)) == (2, 1)


def test_an_unknown_network_is_one_line(checkout: Path) -> None:
    code, asked, said = study(checkout, network="nett")
    assert (code, asked) == (2, [])
    assert said == "nntest tuners: nett: there is no dataset tensor-conv-nett; see `nntest list datasets`\n"
