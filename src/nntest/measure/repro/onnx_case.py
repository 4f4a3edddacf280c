"""A case as an ONNX model: one node, with one more for each fused operation.

Weights and bias are constants of the model, made from the case's seed, so that a runtime may prepare them as it does
those of a trained network. The activations are the caller's: ``measure.inputs.case_inputs`` gives the case's own.
"""

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from nntest.errors import UsageError
from nntest.measure.inputs import case_tensors, tensor_values
from nntest.model.case import Case
from nntest.model.onnx_file import Node, Value, model_bytes
from nntest.model.shape import Window
from nntest.model.species import OPERANDS, SPECIES, Tensors

_Attributes = dict[str, float | int | str | tuple[int, ...]]


def onnx_model(case: Case) -> bytes:
    """Return the ONNX file of a case.

    Raises
    ------
    UsageError
        ONNX has no operator for the species.
    """
    operator, attributes, tensors = operator_of(case)
    dims = _dims(case, tensors)
    operands = [Value(name=role, dims=dims[role]) for role in OPERANDS if role in dims]
    constants = [*_constants(case, tensors, dims)]
    fused = [name for name in case.post_ops.split("+") if name]
    read = [one.name for one in operands if not (fused and one.name == "input1")]
    names = [*read, *(one.name for one in constants)]
    if case.species == "gemm":
        names = [name for name in ("input", "weights", "input1") if name in dims]
    results = ["output"] if not fused else [*(f"before_{name}" for name in fused), "output"]
    nodes = [Node(operator=operator, inputs=names, outputs=results[:1], attributes=attributes)]
    for number, name in enumerate(fused):
        adds = ["input1"] if name == "sum" else []
        node = Node(operator=_FUSED[name], inputs=[results[number], *adds], outputs=[results[number + 1]])
        nodes.append(node)
    shape = SPECIES[case.species].shape_name(case.parameters)
    return model_bytes(
        nodes,
        inputs=operands,
        outputs=[Value(name="output", dims=dims["output"])],
        constants=constants,
        name=case.species,
        note=f"{case.species} {shape}, batch {case.batch_size}, weights of seed {case.seed}",
    )


def operator_of(case: Case) -> tuple[str, dict[str, float | int | str | tuple[int, ...]], Tensors]:
    """Return the ONNX operator of a case, its attributes, and the dimensions of its tensors by role.

    Raises
    ------
    UsageError
        ONNX has no operator for the species, or the case is quantised.
    """
    if case.quantisation:
        raise UsageError(f"{case.species}: a case of {case.dtype} has no ONNX model here; expected one of float32")
    if case.species not in _NODES:
        known = ", ".join(_NODES)
        raise UsageError(f"{case.species}: ONNX has no operator for it; expected one of {known}; use the other forms")
    tensors = case_tensors(case)
    operator, attributes = _NODES[case.species](case, tensors)
    return operator, attributes, tensors


def onnx_inputs(case: Case) -> dict[str, "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"]:
    """Return what the model is to be given, by name: the case's own activations."""
    tensors = case_tensors(case)
    dims = _dims(case, tensors)
    return {role: tensor_values(case, role, tensors[role]).reshape(dims[role]) for role in OPERANDS if role in tensors}


def _dims(case: Case, tensors: Tensors) -> Tensors:
    """Dimensions as the operator wants them: rows of a matrix for a fully connected layer and a flattened image."""
    if case.species == "fullyconnected":
        rows = {role: (dims[0], math.prod(dims[1:])) for role, dims in tensors.items() if role != "bias"}
        return {**rows, "bias": tensors["bias"]}
    if case.species == "flatten":
        return {**tensors, "output": (tensors["output"][0], math.prod(tensors["output"][1:]))}
    return tensors


def _constants(case: Case, tensors: Tensors, dims: Tensors) -> Iterable[Value]:
    if case.species == "batchnorm":
        scale, mean, spread = tensor_values(case, "weights", tensors["weights"])
        bias = tensor_values(case, "bias", tensors["bias"])
        rows = {"scale": scale, "bias": bias, "mean": mean, "variance": np.float32(0.5) + spread * spread}
        yield from (Value(name=name, dims=row.shape, data=row.tobytes()) for name, row in rows.items())
        return
    if case.species in {"reshape", "resizebilinear"}:
        if case.species == "resizebilinear":  # the place of two inputs that older models give
            yield from (Value(name=name, dims=(0,), data=b"") for name in ("roi", "scales"))
        data = np.asarray(dims["output"], np.int64).tobytes()
        yield Value(name="sizes", dims=(len(dims["output"]),), data=data, integers=True)
    for role in ("weights", "bias"):
        if role in tensors:
            yield Value(name=role, dims=dims[role], data=tensor_values(case, role, tensors[role]).tobytes())


def _window(case: Case, prefix: str, *, dilated: bool) -> _Attributes:
    window = Window.of(case.parameters, prefix)
    attributes: _Attributes = {"kernel_shape": window.kernel, "strides": window.stride, "pads": window.pads}
    return {**attributes, "dilations": window.dilation} if dilated else attributes


def _conv(case: Case, _tensors: Tensors) -> tuple[str, _Attributes]:
    return "Conv", {**_window(case, "CK_CONV", dilated=True), "group": case.parameters["CK_CONV_GROUPS"]}


def _depthwise(case: Case, tensors: Tensors) -> tuple[str, _Attributes]:
    return "Conv", {**_window(case, "CK_DEPTHWISE", dilated=True), "group": tensors["weights"][0]}


def _gemm(case: Case, _tensors: Tensors) -> tuple[str, _Attributes]:
    return "Gemm", {"alpha": float(case.parameters["CK_GEMM_ALPHA"]), "beta": float(case.parameters["CK_GEMM_BETA"])}


def _avgpool(case: Case, _tensors: Tensors) -> tuple[str, _Attributes]:
    counted = 1 - case.parameters["CK_EXCLUDE_PADDING"]
    return "AveragePool", {**_window(case, "CK_POOL", dilated=False), "count_include_pad": counted}


def _lrn(case: Case, _tensors: Tensors) -> tuple[str, _Attributes]:
    of = case.parameters
    return "LRN", {
        "alpha": of["CK_LRN_ALPHA_PPM"] / 1e6,
        "beta": of["CK_LRN_BETA_PERCENT"] / 100,
        "bias": float(of["CK_LRN_K"]),
        "size": of["CK_LRN_SIZE"],
    }


def _resize(case: Case, _tensors: Tensors) -> tuple[str, _Attributes]:
    centres = "half_pixel" if case.parameters["CK_HALF_PIXEL_CENTERS"] else "asymmetric"
    return "Resize", {"mode": "linear", "coordinate_transformation_mode": centres}


def _epsilon(case: Case, key: str) -> float:
    return case.parameters[key] / 1e6


_FUSED: Mapping[str, str] = {"relu": "Relu", "sum": "Add"}

_NODES: Mapping[str, Callable[[Case, Tensors], tuple[str, _Attributes]]] = {
    "conv": _conv,
    "depthwiseconv": _depthwise,
    "fullyconnected": lambda _case, _tensors: ("Gemm", {"transB": 1}),
    "gemm": _gemm,
    "avgpool": _avgpool,
    "maxpool": lambda case, _tensors: ("MaxPool", _window(case, "CK_POOL", dilated=False)),
    "softmax": lambda _case, _tensors: ("Softmax", {"axis": 1}),
    "reshape": lambda _case, _tensors: ("Reshape", {}),
    "add": lambda _case, _tensors: ("Add", {}),
    "concat": lambda _case, _tensors: ("Concat", {"axis": 1}),
    "relu": lambda _case, _tensors: ("Relu", {}),
    "lrn": _lrn,
    "batchnorm": lambda case, _tensors: (
        "BatchNormalization", {"epsilon": _epsilon(case, "CK_BATCHNORM_EPSILON_PPM")},
    ),
    "flatten": lambda _case, _tensors: ("Flatten", {"axis": 1}),
    "resizebilinear": _resize,
    "layernorm": lambda case, _tensors: (
        "LayerNormalization", {"axis": 1, "epsilon": _epsilon(case, "CK_LAYERNORM_EPSILON_PPM")},
    ),
}  # fmt: skip
