"""uint8 through the driver: inputs as the definition has them, outputs to the step, what has no uint8 refused."""

from pathlib import Path

import numpy as np
import pytest

from nntest.measure.driver import DriverProcess, UnsupportedCase
from nntest.measure.inputs import case_inputs, stored_dtype
from nntest.measure.reference import Reference, expected, reference_id
from nntest.measure.verify import verify
from nntest.model.case import Case
from tests.programs.build import case_of, start

NAME = "conv-quantised-cpu"
PADDED = {
    "CK_IN_SHAPE_C": 3,
    "CK_IN_SHAPE_H": 9,
    "CK_IN_SHAPE_W": 7,
    "CK_IN_SHAPE_N": 2,
    "CK_OUT_SHAPE_C": 5,
    "CK_CONV_KERNEL": 3,
    "CK_CONV_STRIDE": 2,
    "CK_CONV_PAD": 1,
}

pytestmark = pytest.mark.native


def quantised(**options: str) -> Case:
    return case_of(NAME, PADDED, dtype="uint8", **options)


def check(driver: DriverProcess, case: Case, folder: Path) -> None:
    """Compare the first output and a later one, which are poisoned differently."""
    driver.setup(1, case, folder / "first.bin")
    driver.output(1, folder / "later.bin")
    reference = Reference(expected(case), reference_id(case))
    for name in ("first.bin", "later.bin"):
        checked = verify(case, np.fromfile(folder / name, np.uint8), reference, "direct")
        assert (checked.verified, checked.max_error) == (True, 0.0), checked.reason


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("data", ["normal", "relu", "int", "zeros"])
def test_outputs_are_those_of_exact_sums(layout: str, data: str, tmp_path: Path) -> None:
    with start(NAME) as driver:
        check(driver, quantised(layout=layout, data=data), tmp_path)


@pytest.mark.parametrize("data", ["normal", "relu", "int", "zeros"])
def test_the_driver_stores_what_the_definition_says(data: str, tmp_path: Path) -> None:
    case = quantised(data=data, layout="NHWC")
    with start(NAME) as driver:
        driver.setup(1, case)
        for role, values in case_inputs(case).items():
            driver.dump_tensor(1, role, tmp_path / role)
            stored = np.fromfile(tmp_path / role, stored_dtype(case, role)).reshape(values.shape)
            assert np.array_equal(stored.astype(np.float64) - case.quantisation[role].zero_point, values), role


@pytest.mark.parametrize(
    ("name", "dtype", "reason"),
    [
        ("conv-works-cpu", "uint8", "dtype uint8; this operator knows float32"),
        (NAME, "float32", "dtype float32; this operator knows uint8"),
        (NAME, "bfloat16", "dtype bfloat16; this driver knows float32 and uint8"),
    ],
)
def test_a_type_that_an_operator_does_not_know_is_unsupported(name: str, dtype: str, reason: str) -> None:
    with start(name) as driver, pytest.raises(UnsupportedCase) as refused:
        driver.setup(1, case_of(name, PADDED, dtype=dtype))
    assert str(refused.value) == reason
