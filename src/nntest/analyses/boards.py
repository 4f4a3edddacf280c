"""Inferences on boards: what a variant is called, and the operations of the published layer benchmarks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: The published short names of boards.
SHORT = {"NUCLEO_L496ZG": "L4", "DISCO_F469NI": "F4", "NUCLEO_F767ZI": "F7"}
_SIZE = re.compile(r"_([FKU])-(\d+)", re.IGNORECASE)
# Sizes that the published benchmarks have beside the one that is swept.
_CONV_SIDE, _CONV_OUTPUTS = 32, 60
_DEPTHWISE_SIDE = 24
_DENSE_INPUTS, _DENSE_UNITS, _CLASSES = 100, 450, 10


@dataclass(frozen=True, kw_only=True)
class LayerWork:
    """Operations of one layer of a published benchmark; ``length`` is the size that is swept."""

    macs: int
    flops: int
    length: int
    kernel: int | None


def board_name(platform: object) -> str:
    """Return the board's published short name, or the name itself."""
    return SHORT.get(str(platform), str(platform))


def variants(points: "pd.DataFrame") -> "pd.Series":
    """Return what each row ran, by meaning: datatype, library, FPU."""
    import pandas as pd

    dtype = points["dtype"].astype("string").fillna("?")
    library = points["library"].astype("string").fillna("?").map({"cmsis-nn": " + CMSIS-NN", "tflite-micro": ""})
    fpu = points["isa"].astype("string").map({"fpu": " + FPU", "no-fpu": ""})
    return pd.Series(dtype + library.fillna(" ?") + fpu.fillna(" ?"), index=points.index)


def layer_work(model: str, label: str, *, study: bool) -> LayerWork | None:
    """Return the operations of a benchmark's layer, None for other models and for layers without any.

    Parameters
    ----------
    study
        Count as published: a bias for each pair of kernel and channel, for dense layers one for each output.
    """
    sizes = {letter.upper(): int(value) for letter, value in _SIZE.findall(model)}
    if "DenseBenchmark" in model and "U" in sizes:
        return _dense(sizes["U"], label, study=study)
    if "F" not in sizes or "K" not in sizes:
        return None
    depthwise = "depthwise" in model.lower()
    if not depthwise and "SingleConv" not in model:
        return None  # a benchmark of another make, whose sizes its name does not tell
    side = _DEPTHWISE_SIDE if depthwise else _CONV_SIDE
    filters, kernel = sizes["F"], sizes["K"]
    if "FULLY" in label:
        inputs = side * side * (filters if depthwise else _CONV_OUTPUTS)
        return _layer(inputs, _CLASSES, filters, kernel=None, study=study)
    if "CONV" not in label:
        return None
    outputs = 1 if depthwise or label.startswith("1_") else _CONV_OUTPUTS
    windows = side * side * filters * outputs
    area = kernel * kernel
    macs = windows * (area + 1) if study else windows * area
    flops = windows * (2 * area + 1) if study else 2 * windows * area
    return LayerWork(macs=macs, flops=flops, length=filters, kernel=kernel)


def _dense(units: int, label: str, *, study: bool) -> LayerWork | None:
    sizes: Mapping[str, tuple[int, int]] = {
        "2": (_DENSE_INPUTS, units),
        "3": (units, _DENSE_UNITS),
        "4": (_DENSE_UNITS, units),
        "5": (units, _DENSE_UNITS),
        "6": (_DENSE_UNITS, _CLASSES),
    }
    place = label.partition("_")[0]
    if "FULLY" not in label or place not in sizes:
        return None
    inputs, outputs = sizes[place]
    return _layer(inputs, outputs, units, kernel=None, study=study)


def _layer(inputs: int, outputs: int, length: int, *, kernel: int | None, study: bool) -> LayerWork:
    macs = outputs * (inputs + 1) if study else outputs * inputs
    return LayerWork(macs=macs, flops=2 * inputs * outputs, length=length, kernel=kernel)
