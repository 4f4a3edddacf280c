"""A case as ONNX: the checker of the package onnx takes it, and ONNX Runtime computes our reference from it."""

import struct
from typing import Any

import numpy as np
import pytest

from nntest.errors import UsageError
from nntest.measure.reference import expected
from nntest.measure.repro.onnx_case import onnx_inputs, onnx_model
from nntest.model.onnx_file import Node, Value, model_bytes
from tests.measure.repro.cases import CASES, case

HAVE_OPERATORS = {name: one for name, one in CASES.items() if one.species != "reorder"}


@pytest.mark.parametrize("name", HAVE_OPERATORS)
def test_the_package_onnx_accepts_it(name: str) -> None:
    onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
    onnx.checker.check_model(onnx.load_from_string(onnx_model(CASES[name])), full_check=True)


@pytest.mark.parametrize("name", HAVE_OPERATORS)
def test_onnx_runtime_computes_our_reference(name: str) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    one: Any = CASES[name]
    session = runtime.InferenceSession(onnx_model(one), providers=["CPUExecutionProvider"])
    (output,) = session.run(None, onnx_inputs(one))
    np.testing.assert_allclose(output.reshape(expected(one).shape), expected(one), rtol=2e-5, atol=2e-5)


def test_what_onnx_cannot_say_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^reorder: ONNX has no operator for it; expected one of conv, depthwiseconv"):
        onnx_model(case("reorder", {"CK_IN_SHAPE_C": 8, "CK_IN_SHAPE_H": 6, "CK_IN_SHAPE_W": 5}))


def test_a_quantised_case_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        onnx_model(case("relu", {"CK_IN_SHAPE_C": 3}, dtype="uint8"))
    assert str(refused.value) == "relu: a case of uint8 has no ONNX model here; expected one of float32"


def test_the_bytes_are_those_of_the_schema() -> None:
    """Checked by hand against the wire format of protocol buffers, so that it holds without the package onnx."""
    node = Node(operator="Op", inputs=["x"], outputs=["y"], attributes={"a": 1.5, "b": -1, "c": "s", "d": (300, 2)})
    value = Value(name="x", dims=(300,), data=struct.pack("<f", 1.0))
    made = model_bytes([node], inputs=[value], outputs=[Value(name="y", dims=(1,))], constants=[value])
    assert made.startswith(b"\x08\x08\x12\x06nntest")  # ir_version 8, producer_name
    assert made.endswith(b"\x42\x02\x10\x11")  # opset_import: version 17
    assert b"\x0a\x01x\x12\x01y\x1a\x04op_0\x22\x02Op" in made
    assert b"\x0a\x01a\x15\x00\x00\xc0\x3f\xa0\x01\x01" in made  # float32, its type 1
    assert b"\x0a\x01b\x18" + b"\xff" * 9 + b"\x01\xa0\x01\x02" in made  # -1 as 64 bits
    assert b"\x0a\x01c\x22\x01s\xa0\x01\x03" in made
    assert b"\x0a\x01d\x40\xac\x02\x40\x02\xa0\x01\x07" in made  # 300 in two bytes
    assert b"\x08\xac\x02\x10\x01\x42\x01x\x4a\x04\x00\x00\x80\x3f" in made  # dims, FLOAT, name, raw_data
