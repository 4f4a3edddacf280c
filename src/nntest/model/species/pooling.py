"""Average and maximum pooling."""

import math

from nntest.errors import UsageError
from nntest.model.shape import (
    Field,
    Parameters,
    Window,
    require_window_fits,
    same_pads,
    window_fields,
    window_shorts,
)
from nntest.model.species.entry import INPUT, Species, Tensors, input_dims, names, pair, sides, windows

_POOL_SCHEME = "CK_POOL_PAD_SCHEME"
_SAME, _VALID = 1, 2


def _pool_check(parameters: Parameters, where: str) -> None:
    require_window_fits(parameters, "CK_POOL", where=where)
    window = Window.of(parameters, "CK_POOL")
    for side, pad, kernel in zip("TLBR", window.pads, window.kernel * 2, strict=True):
        if pad >= kernel:
            raise UsageError(
                f"{where}: CK_POOL_PAD_{side} is {pad} and the kernel {kernel}; expected padding smaller than the "
                "kernel, else a window sees padding only; correct one of them"
            )


def _pool_scheme(values: dict[str, int], where: str) -> dict[str, int]:
    """Turn the original's padding scheme (1 SAME, 2 VALID, as TensorFlow names them) into pads per side."""
    values = dict(values)
    scheme = values.pop(_POOL_SCHEME, _VALID)
    if scheme not in (_SAME, _VALID):
        raise UsageError(f"{where}: {_POOL_SCHEME} is {scheme}; expected 1 (SAME) or 2 (VALID); correct the shape")
    if scheme == _VALID:
        return values
    for axis, before, after in (("H", "T", "B"), ("W", "L", "R")):
        size = values.get(f"CK_IN_SHAPE_{axis}", 0)
        kernel = values.get(f"CK_POOL_KERNEL_{axis}", values.get("CK_POOL_KERNEL", 0))
        stride = values.get(f"CK_POOL_STRIDE_{axis}", values.get("CK_POOL_STRIDE", 1))
        if min(size, kernel, stride) >= 1:
            values[f"CK_POOL_PAD_{before}"], values[f"CK_POOL_PAD_{after}"] = same_pads(size, kernel, stride)
    return values


def _pool_tensors(parameters: Parameters, batch_size: int) -> Tensors:
    inputs = input_dims(parameters, batch_size)
    return {"input": inputs, "output": (*inputs[:2], *windows(parameters, "CK_POOL"))}


def _pool_name(parameters: Parameters) -> str:
    window = Window.of(parameters, "CK_POOL")
    parts = [
        *names(parameters, "IN_SHAPE_C", "IN_SHAPE_H", "IN_SHAPE_W"),
        pair(window.kernel),
        pair(window.stride),
    ]
    if any(window.pads):
        parts.append(f"p{sides(window.pads)}")
    if parameters.get("CK_EXCLUDE_PADDING", 0):
        parts.append("x")
    return "-".join(parts)


def _avgpool_check(parameters: Parameters, where: str) -> None:
    _pool_check(parameters, where)
    if parameters["CK_EXCLUDE_PADDING"] > 1:
        raise UsageError(
            f"{where}: CK_EXCLUDE_PADDING is {parameters['CK_EXCLUDE_PADDING']}; expected 0 (the divisor is the "
            "kernel's size) or 1 (the divisor counts real elements only); correct the shape"
        )


def _pool_flops(parameters: Parameters, tensors: Tensors) -> int:
    return math.prod(tensors["output"]) * math.prod(Window.of(parameters, "CK_POOL").kernel)


AVGPOOL = Species(
    # The divisor is the kernel's size, padding included, as Caffe, ArmCL and PyTorch do by default;
    # CK_EXCLUDE_PADDING=1 divides by the number of real elements, as TensorFlow does.
    name="avgpool",
    uid="13e7f3964398a81a",
    axes="C-H-W-K-stride",
    fields=(
        *INPUT,
        *window_fields("CK_POOL", dilation=False),
        Field(key="CK_EXCLUDE_PADDING", default=0, minimum=0, written=False),
    ),
    shorts=window_shorts("CK_POOL", dilation=False),
    extra_keys=(_POOL_SCHEME,),
    rewrite=_pool_scheme,
    check=_avgpool_check,
    describe_tensors=_pool_tensors,
    describe_name=_pool_name,
    count_flops=_pool_flops,
    reduction=lambda parameters: math.prod(Window.of(parameters, "CK_POOL").kernel),
)

MAXPOOL = Species(
    # Padding never wins: it counts as minus infinity.
    name="maxpool",
    axes="C-H-W-K-stride",
    fields=(*INPUT, *window_fields("CK_POOL", dilation=False)),
    shorts=window_shorts("CK_POOL", dilation=False),
    extra_keys=(_POOL_SCHEME,),
    rewrite=_pool_scheme,
    check=_pool_check,
    describe_tensors=_pool_tensors,
    describe_name=_pool_name,
    count_flops=_pool_flops,
    reduction=lambda _: 1,
)
