"""The driver by hand: a case from CK_* variables, results as files."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from nntest.measure.reference import ReferenceCache, expected
from nntest.measure.verify import verify
from nntest.model.species import SPECIES
from tests.programs.build import CACHE, REPOSITORY, built, case_of, source_of

pytestmark = pytest.mark.native

REFERENCES = ReferenceCache(CACHE.parent / "references")


def by_hand(name: str, folder: Path, *options: str, **values: object) -> "subprocess.CompletedProcess[str]":
    made = built(name)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CK_")}
    return subprocess.run(
        [str(made.driver), "--operator", str(made.operator), *options],
        cwd=folder,
        env={**environment, **{key: str(value) for key, value in values.items()}},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_one_case_writes_its_timer_and_its_output(tmp_path: Path) -> None:
    values = {
        "CK_IN_SHAPE_N": 2,
        "CK_IN_SHAPE_C": 3,
        "CK_IN_SHAPE_H": 6,
        "CK_IN_SHAPE_W": 5,
        "CK_OUT_SHAPE_C": 4,
        "CK_CONV_KERNEL": 3,
        "CK_CONV_STRIDE": 2,
        "CK_CONV_PAD": 1,
        "CK_CONV_PAD_T": 0,
    }
    answer = by_hand("conv-plain-cpu", tmp_path, **values, CK_SEED=7)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    timer = json.loads((tmp_path / "tmp-ck-timer.json").read_text())
    assert set(timer) == {"execution_time", "execution_time_kernel_0", "execution_time_kernel_1", "run_time_state"}
    assert timer["execution_time_kernel_1"] == timer["run_time_state"]["time_test"] > 0
    assert timer["execution_time_kernel_0"] == timer["run_time_state"]["time_setup"] > 0
    state = timer["run_time_state"]
    assert [state[f"in_shape_{axis}"] for axis in "nchw"] == [2, 3, 6, 5]
    assert [state[f"out_shape_{axis}"] for axis in "nchw"] == [2, 4, 3, 3]
    assert (state["rnd_seed"], state["data_bits"]) == (7, 32)
    case = case_of("conv-plain-cpu", values, seed=7)
    output = np.fromfile(tmp_path / "tmp-ck-output.bin", np.float32).reshape(2, 4, 3, 3)
    np.testing.assert_allclose(output, expected(case), rtol=1e-5, atol=1e-5)


def test_what_is_fused_is_asked_for_by_a_variable(tmp_path: Path) -> None:
    values = {"CK_IN_SHAPE_C": 3, "CK_IN_SHAPE_H": 6, "CK_IN_SHAPE_W": 5, "CK_OUT_SHAPE_C": 4, "CK_CONV_KERNEL": 3}
    assert by_hand("conv-plain-cpu", tmp_path, **values, CK_POST_OPS="sum+relu").stderr == ""
    output = np.fromfile(tmp_path / "tmp-ck-output.bin", np.float32).reshape(1, 4, 4, 3)
    case = case_of("conv-plain-cpu", values, post_ops="sum+relu")
    np.testing.assert_allclose(output, expected(case), rtol=1e-5, atol=1e-5)
    assert (output == 0).any()
    refused = by_hand("conv-openblas-cpu", tmp_path, **values, CK_POST_OPS="sum+relu", CK_DATA_LAYOUT="NCHW")
    assert (refused.returncode, refused.stderr) == (
        4,
        "nntest-driver: unsupported: post_ops sum+relu cannot be fused here\n",
    )


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("lrn-plain-cpu", {"CK_LRN_SIZE": 4}, "CK_LRN_SIZE is even; expected an odd number"),
        ("concat-plain-cpu", {}, "CK_CONCAT_C1 is missing"),
        (
            "concat-plain-cpu",
            {"CK_CONCAT_C1": 1, "CK_CONCAT_C3": 1},
            "CK_CONCAT_C3 is given without CK_CONCAT_C2; expected no gap",
        ),
    ],
)
def test_nonsense_for_other_species_is_refused_too(
    name: str, values: dict[str, object], message: str, tmp_path: Path
) -> None:
    answer = by_hand(name, tmp_path, CK_IN_SHAPE_C=3, CK_IN_SHAPE_H=5, CK_IN_SHAPE_W=5, **values)
    assert (answer.returncode, answer.stderr) == (1, f"nntest-driver: {message}\n")


def first_shape(name: str, *, largest: int = 4) -> list[tuple[str, Path]]:
    species = source_of(name).meta["nntest"]["species"]
    files = sorted((REPOSITORY / "dataset" / f"tensor-{species}-synthetic").glob("shape-*.json"))
    return [(name, file) for file in files[:largest]]


def plain_programs() -> list[str]:
    """Programs of the repository that need no library."""
    return sorted(path.name for path in (REPOSITORY / "program").glob("*-plain-cpu"))


@pytest.mark.parametrize(
    ("name", "shape"),
    [item for name in plain_programs() for item in first_shape(name, largest=30)],
    ids=lambda value: value.stem if isinstance(value, Path) else value,
)
def test_the_drivers_table_of_shapes_agrees_with_the_species(name: str, shape: Path, tmp_path: Path) -> None:
    values = json.loads(shape.read_text())
    case = case_of(name, values)
    answer = by_hand(name, tmp_path, **values)
    assert answer.stderr == ""
    output = np.fromfile(tmp_path / "tmp-ck-output.bin", np.float32)
    output = output.reshape(SPECIES[case.species].output_shape(case.parameters, case.batch_size))
    algorithm = source_of(name).meta["nntest"]["algorithm"]
    checked = verify(case, output, REFERENCES.expected(case), algorithm)
    assert checked.verified, checked.reason


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "CK_IN_SHAPE_C is missing"),
        ({"CK_IN_SHAPE_C": "three"}, "CK_IN_SHAPE_C is 'three'; expected a whole number"),
        ({"CK_IN_SHAPE_C": 0}, "CK_IN_SHAPE_C is 0; expected 1 to 2147483647"),
        ({"CK_CONV_STRIDE": 0}, "CK_CONV_STRIDE_H is 0; expected 1 to 2147483647"),
        (
            {"CK_CONV_KERNEL": 7},
            "CK_CONV_KERNEL spans 7, more than the padded input's 5; expected a kernel that fits",
        ),
        ({"CK_CONV_GROUPS": 2}, "CK_CONV_GROUPS does not divide the channels"),
        ({"CK_CACHE_STATE": "tepid"}, "cache: 'tepid' is unknown; expected warm, cold_weights or cold_all"),
        ({"CK_SEED": "-1"}, "CK_SEED is '-1'; expected a whole number of at most 64 bits"),
    ],
)
def test_nonsense_is_refused_before_anything_runs(values: dict[str, object], message: str, tmp_path: Path) -> None:
    small = {"CK_IN_SHAPE_C": 3, "CK_IN_SHAPE_H": 5, "CK_IN_SHAPE_W": 5, "CK_OUT_SHAPE_C": 2, "CK_CONV_KERNEL": 1}
    answer = by_hand("conv-plain-cpu", tmp_path, **({**small, **values} if values else {}))
    assert (answer.returncode, answer.stderr) == (1, f"nntest-driver: {message}\n")
    assert list(tmp_path.iterdir()) == []


def test_unsupported_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    shape = {"CK_IN_SHAPE_C": 3, "CK_IN_SHAPE_H": 5, "CK_IN_SHAPE_W": 5, "CK_OUT_SHAPE_C": 2, "CK_CONV_KERNEL": 1}
    answer = by_hand("conv-unsupported-cpu", tmp_path, **shape)
    assert answer.returncode == 4
    assert answer.stderr == "nntest-driver: unsupported: this operator supports nothing\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sevre", "x"], "--sevre: unknown option"),
        (["--operator"], "--operator: expected a value after it"),
        ([], "--operator is missing"),
        (["--operator", "x.so", "--serve"], "--serve: expected --in and --out"),
        (["--operator", "x.so", "--cores", "0,x"], "cores: '0,x'; expected numbers joined by commas, such as 0,1"),
    ],
)
def test_wrong_options_are_named(options: list[str], message: str) -> None:
    driver = built("conv-works-cpu").driver
    answer = subprocess.run([driver, *options], capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[0] == f"nntest-driver: {message}"


def test_a_file_that_is_no_operator_is_refused(tmp_path: Path) -> None:
    driver = built("conv-works-cpu").driver
    (tmp_path / "x.so").write_text("no shared object")
    answer = subprocess.run(
        [driver, "--operator", str(tmp_path / "x.so")], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("nntest-driver: operator: ")
