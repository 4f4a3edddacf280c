"""The example program of docs/operator-interface.md compiles and computes what it says."""

import re
from pathlib import Path

import numpy as np
import pytest

from nntest.measure.build import build
from nntest.measure.driver import DriverProcess, UnsupportedCase
from nntest.measure.libraries import find_library
from nntest.measure.reference import expected
from nntest.model.case import Case
from nntest.model.species import SPECIES
from tests.programs.build import CACHE, REPOSITORY, Source

pytestmark = pytest.mark.native


def test_the_example_of_the_operator_interface_works(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "operator-interface.md").read_text()
    example = re.search(r"```cpp\n(.*?)```", page, re.DOTALL)
    assert example is not None
    (tmp_path / "reshape.cpp").write_text(example.group(1))
    program = Source("reshape-mine-cpu", tmp_path, {"source_files": ["reshape.cpp"]})
    made = build(program, find_library("plain-cpu"), cache_root=CACHE)
    shape = {"CK_IN_SHAPE_C": 6, "CK_IN_SHAPE_H": 2, "CK_IN_SHAPE_W": 2, "CK_OUT_SHAPE_C": 24}
    parameters, batch_size = SPECIES["reshape"].normalise(shape)
    case = Case(program=program.uoa, species="reshape", parameters=parameters, batch_size=batch_size)
    with DriverProcess.start(made, cores=(), threads=1, env={}, heap_offset=0, timeout_s=60.0) as driver:
        assert driver.setup(1, case).implementation == "memcpy"
        driver.output(1, tmp_path / "output.bin")
        with pytest.raises(UnsupportedCase, match="one thread only"):
            driver.setup(2, Case(program=program.uoa, species="reshape", parameters=parameters, threads=2))
    np.testing.assert_array_equal(np.fromfile(tmp_path / "output.bin", np.float32), expected(case).reshape(-1))
