"""benchdnn lines, against the grammar that oneDNN documents (tests/benchdnn/doc of its source tree)."""

import re
from dataclasses import replace
from typing import Any

import pytest

from nntest.errors import UsageError
from nntest.measure.repro.benchdnn import benchdnn_line
from tests.measure.repro.cases import CASES, IMAGE, case
from tests.points import make_launch, make_point, make_subject

# Problem descriptors: conv gXmbX_icXidXihXiwX_ocXodXohXowX_kdXkhXkwX_sdXshXswX_pdXphXpwX_ddXdhXdwX_nS, ip
# mbX_icXidXihXiwX_ocX_nS, pool mbXicX_idXihXiwX_odXohXowX_kdXkhXkwX_sdXshXswX_pdXphXpwX_ddXdhXdwX_nS, lrn
# mbXicX_idXihXiwX_lsX_alphaF_betaF_kF_nS, bnorm mbXicX_idXihXiwX_epsF_nS; "_" is ignored everywhere. The others list
# sizes, NxNxN, with ":" between tensors.
INT, REAL = r"\d+", r"\d+(?:\.\d+)?(?:e-?\d+)?"
WINDOW = rf"(?:kh{INT}kw{INT})(?:sh{INT}sw{INT})(?:ph{INT}pw{INT})"
SIZES = rf"{INT}(?:x{INT})*"
DESCRIPTORS = {
    "conv": rf"g{INT}mb{INT}ic{INT}ih{INT}iw{INT}oc{INT}oh{INT}ow{INT}{WINDOW}dh{INT}dw{INT}",
    "ip": rf"mb{INT}ic{INT}(?:ih{INT}iw{INT})?oc{INT}",
    "pool": rf"mb{INT}ic{INT}ih{INT}iw{INT}oh{INT}ow{INT}{WINDOW}",
    "lrn": rf"mb{INT}ic{INT}ih{INT}iw{INT}ls{INT}alpha{REAL}beta{REAL}k{REAL}",
    "bnorm": rf"mb{INT}ic{INT}ih{INT}iw{INT}eps{REAL}",
    "matmul": rf"{SIZES}:{SIZES}",
    "binary": rf"{SIZES}:{SIZES}",
    "concat": rf"{SIZES}(?::{SIZES})+",
    **dict.fromkeys(("softmax", "eltwise", "reorder"), SIZES),
}
TAG = r"(?:any|[a-dA-D]{2,4}(?:\d+[a-d])*)"
POST_OP = r"(?:relu|linear:-?[\d.]+:0|add:f32:per_tensor(?::ab)?)"
POST_OPS = rf"{POST_OP}(?:\+{POST_OP})*"
COMMON = {"attr-scratchpad": "user", "skip-impl": "gemm,ref"}
KNOBS: dict[str, dict[str, str]] = {
    "conv": {"dir": "FWD_B", "alg": "AUTO|DIRECT|WINO", "stag": TAG, "dtag": TAG, "attr-post-ops": POST_OPS},
    "ip": {"dir": "FWD_B", "stag": TAG, "dtag": TAG, "attr-post-ops": POST_OPS},
    "matmul": {"stag": TAG, "wtag": TAG, "dtag": TAG, "attr-post-ops": POST_OPS},
    "pool": {"dir": "FWD_I", "tag": TAG, "alg": "max|avg_np|avg_p"},
    "softmax": {"dir": "FWD_I", "stag": TAG, "dtag": TAG, "axis": "1"},
    "eltwise": {"dir": "FWD_I", "tag": TAG, "alg": "RELU"},
    "binary": {"stag": f"{TAG}:{TAG}", "dtag": TAG, "alg": "ADD"},
    "concat": {"stag": f"{TAG}(?::{TAG})+", "dtag": TAG, "axis": "1"},
    "lrn": {"dir": "FWD_I", "tag": TAG, "alg": "ACROSS"},
    "bnorm": {"dir": "FWD_I", "tag": TAG, "flags": "[GCHRA]+", "inplace": "true|false"},
    "reorder": {"sdt": "f32", "ddt": "f32", "stag": TAG, "dtag": TAG},
}  # fmt: skip
ONEDNN = {name: one for name, one in CASES.items() if one.species not in {"reshape", "resizebilinear", "layernorm"}}


def point_of(one: Any, *, measured: bool = True, **layouts: str) -> Any:
    launches = (replace(make_launch(0), native_layouts=layouts),) if measured else ()
    return replace(make_point(case=one), launches=launches)


@pytest.mark.parametrize("measured", [True, False], ids=["measured", "failed"])
@pytest.mark.parametrize("name", ONEDNN)
def test_the_line_is_in_the_documented_grammar(name: str, measured: bool) -> None:
    environment, command, mode, driver, *knobs, descriptor = benchdnn_line(
        point_of(ONEDNN[name], measured=measured, input="aBcd16b", output="aBcd16b")
    ).split(" ")
    assert (environment, command, mode) == ("OMP_NUM_THREADS=1", "benchdnn", "--mode=P")
    driver = driver.removeprefix("--")
    assert re.fullmatch(DESCRIPTORS[driver], descriptor.replace("_", "")), descriptor
    for knob in knobs:
        option, _, value = knob.removeprefix("--").partition("=")
        allowed = {**COMMON, **KNOBS[driver]}[option]
        assert re.fullmatch(allowed, value), knob


def test_lines_as_they_are() -> None:
    def line(name: str, **layouts: str) -> str:
        return benchdnn_line(point_of(CASES[name], **layouts)).removeprefix("OMP_NUM_THREADS=1 benchdnn --mode=P ")

    assert line("conv-sides") == (
        "--conv --dir=FWD_B --alg=AUTO --attr-scratchpad=user g1mb2ic8_ih6iw5_oc4oh3ow2_kh3kw3_sh2sw2_ph0pw1_dh0dw0"
    )
    assert line("directconv") == (
        "--conv --dir=FWD_B --alg=DIRECT --skip-impl=gemm,ref --stag=acdb --dtag=acdb --attr-scratchpad=user "
        "g1mb1ic8_ih6iw5_oc16oh4ow3_kh3kw3_sh1sw1_ph0pw0_dh0dw0"
    )
    assert line("fullyconnected") == (
        "--ip --dir=FWD_B --attr-scratchpad=user --attr-post-ops=add:f32:per_tensor mb2ic240oc10"
    )
    assert line("gemm-beta") == (
        "--matmul --stag=any --wtag=any --dtag=ab --attr-scratchpad=user "
        "--attr-post-ops=linear:1.5:0+add:f32:per_tensor:ab+linear:2:0 5x7:7x6"
    )
    assert line("concat", input="abcd", input1="abcd", input2="abcd") == (
        "--concat --stag=abcd:abcd:abcd --dtag=any --axis=1 --attr-scratchpad=user 1x8x6x5:1x3x6x5:1x16x6x5"
    )
    assert line("lrn", input="aBcd8b") == (
        "--lrn --dir=FWD_I --tag=aBcd8b --alg=ACROSS --attr-scratchpad=user mb1ic8_ih6iw5_ls5alpha0.02beta0.75k1"
    )
    assert line("reorder", output="aBcd16b").endswith("--stag=abcd --dtag=aBcd16b --attr-scratchpad=user 1x8x6x5")
    assert line("reorder-nhwc").endswith("--stag=acdb --dtag=abcd --attr-scratchpad=user 1x8x6x5")


def test_what_holds_the_library_back_stands_before_the_command() -> None:
    held = case("relu", IMAGE, isa_max="avx2", threads=2, env={"A": "1"})
    assert benchdnn_line(point_of(held, input="aBcd8b")).startswith(
        "OMP_NUM_THREADS=2 ONEDNN_MAX_CPU_ISA=AVX2 A=1 benchdnn --mode=P --eltwise "
    )


def test_what_is_refused() -> None:
    other = make_subject()
    subject = replace(other, library=replace(other.library, name="openblas-cpu"))
    point = make_point(subject=subject)
    with pytest.raises(UsageError) as refused:
        benchdnn_line(point)
    assert str(refused.value) == (
        f"{point.uid}: benchdnn is for points of onednn-cpu, and this one is of openblas-cpu; use the other forms"
    )
    with pytest.raises(UsageError, match="reshape: benchdnn has no driver for it; expected one of conv, "):
        benchdnn_line(make_point(case=CASES["reshape"]))
