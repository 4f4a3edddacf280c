"""Convolutions and poolings of a network as one ONNX model, and their times in it by ONNX Runtime's own profile.

Run as a program it measures, in a process of its own: onnx_network.py SITE_PACKAGES MODEL RUNS prints one JSON object,
the seconds of each layer's runs.
"""

import json
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nntest.measure.inputs import case_inputs
from nntest.measure.repro.onnx_case import operator_of
from nntest.model.case import Case
from nntest.model.onnx_file import Node, Value, model_bytes

SPECIES = ("conv", "depthwiseconv", "avgpool")
_WARM_UPS = 5


def layer_name(number: int) -> str:
    """Return what the output of a layer is called; its node's name in a profile begins with it."""
    return f"layer{number:03d}"


def network_model(cases: Sequence[Case]) -> bytes:
    """Return a chain of layers, each reading the output of the one before."""
    nodes, constants, before = [], [], "input"
    for number, case in enumerate(cases):
        operator, attributes, tensors = operator_of(case)
        made = case_inputs(case)
        name = layer_name(number)
        inputs = [before]
        if "weights" in made:
            # As trained weights do, these keep the size of the activations from layer to layer.
            made["weights"] = made["weights"] * np.float32(math.sqrt(3 / math.prod(tensors["weights"][1:])))
            for role in ("weights", "bias"):
                data = made[role].astype(np.float32).tobytes()
                constants.append(Value(name=f"{name}_{role}", dims=tensors[role], data=data))
                inputs.append(f"{name}_{role}")
        nodes.append(Node(operator=operator, inputs=inputs, outputs=[name], attributes=attributes))
        before = name
    first, last = operator_of(cases[0])[2]["input"], operator_of(cases[-1])[2]["output"]
    return model_bytes(
        nodes, inputs=[Value(name="input", dims=first)], outputs=[Value(name=before, dims=last)], constants=constants
    )


def measure(model: Path, runs: int) -> dict[str, list[float]]:
    """Run the model and return the seconds of each layer in each run, by its profile (steps of 1 us)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        (asked,) = session.get_inputs()
        given = {asked.name: np.random.default_rng(42).uniform(-1, 1, asked.shape).astype(np.float32)}
        for _ in range(_WARM_UPS + runs):
            session.run(None, given)
        events = json.loads(Path(session.end_profiling()).read_text())
    times: dict[str, list[float]] = {}
    for event in events:
        name = event["name"]
        if event.get("cat") == "Node" and name.endswith("_kernel_time") and name.startswith("layer"):
            times.setdefault(name[: len(layer_name(0))], []).append(event["dur"] * 1e-6)
    return {name: values[_WARM_UPS:] for name, values in times.items()}


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    print(json.dumps(measure(Path(sys.argv[2]), int(sys.argv[3]))))
