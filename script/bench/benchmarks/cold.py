"""Which cache state predicts the time of a layer inside a network?

Ten convolutions of MobileNet-v1, each alone on ONNX Runtime (conv-onnxruntime-cpu: warm, only the weights cold, all
cold), beside the same layers inside that network in one ONNX Runtime session, one thread, by the session's profile. A
session of ours and a fresh process with the network take turns.

- ``warm_ratio``, ``cold_weights_ratio``, ``cold_all_ratio``: a layer's time in the network over its time alone; median
  over the shapes.
- ``..._error``: by how much the prediction is off, |time alone / time in the network - 1|; median over the shapes.
- ``predicts_best``: the state with the smallest error.

Where ONNX Runtime is not installed, ``skipped`` says so.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from itertools import takewhile
from pathlib import Path

import onnx_network
from demo_set import NETWORK

from nntest.errors import DriverError, MissingPartError
from nntest.measure.libraries import FoundLibrary, find_library
from nntest.measure.reporter import SilentReporter
from nntest.measure.request import CACHE_STATES, RunRequest
from nntest.measure.session import plan_session, run_session
from nntest.measure.world import real_world
from nntest.model.case import Case
from nntest.model.network import load_network
from nntest.model.species import find_species
from nntest.store.entries import find_datasets

PROGRAM = "conv-onnxruntime-cpu"
SHAPES = 10
TURNS = 4
RUNS = 50
REPETITIONS = 20


def run() -> dict[str, float | str]:
    """Return the figures."""
    try:
        library = find_library("onnxruntime-cpu")
    except MissingPartError as error:
        return {"skipped": str(error)}
    [entry] = find_datasets(f"network-{NETWORK}")
    network = load_network(entry.network_path)
    chain = list(takewhile(lambda layer: layer.species in onnx_network.SPECIES, network.layers))
    cases = [Case(program="", species=layer.species, parameters=layer.parameters) for layer in chain]
    shapes = list(dict.fromkeys(layer.shape for layer in chain if layer.species == "conv"))[-SHAPES:]
    inside: dict[str, list[float]] = {shape: [] for shape in shapes}
    alone: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "network.onnx"
        model.write_bytes(onnx_network.network_model(cases))
        for _ in range(TURNS):
            for number, times in _in_the_network(library, model).items():
                shape = _shape_of(cases[number])
                if shape in inside:
                    inside[shape] += times
            for state, shape, times in _each_alone(shapes):
                alone.setdefault((state, shape), []).extend(times)
    return _figures(inside, alone)


def _figures(inside: dict[str, list[float]], alone: dict[tuple[str, str], list[float]]) -> dict[str, float | str]:
    figures: dict[str, float | str] = {"shapes": len(inside)}
    errors = {}
    for state in CACHE_STATES:
        ratios = [statistics.median(inside[shape]) / statistics.median(alone[state, shape]) for shape in inside]
        figures[f"{state}_ratio"] = round(statistics.median(ratios), 3)
        errors[state] = statistics.median(abs(1 / ratio - 1) for ratio in ratios)
        figures[f"{state}_error"] = round(errors[state], 3)
    return {**figures, "predicts_best": min(errors, key=lambda state: errors[state])}


def _each_alone(shapes: list[str]) -> list[tuple[str, str, list[float]]]:
    """Measure the shapes in all cache states, in one session of ours: single calls, as the network's are."""
    files = tuple(f"shape-{shape}" for shape in shapes)
    request = RunRequest(
        programs=PROGRAM, dataset_uoa=f"tensor-conv-{NETWORK}", dataset_files=files, cache=CACHE_STATES,
        repetitions=REPETITIONS, loops=1, no_record=True,
    )  # fmt: skip
    results = run_session(plan_session(request), SilentReporter()).results
    failed = [point.failure.reason for point in results if point.failure is not None]
    if failed:
        raise DriverError(f"{PROGRAM}: {failed[0]}")
    return [
        (point.case.cache, _shape_of(point.case), [sample.value_s for sample in point.samples]) for point in results
    ]


def _in_the_network(library: FoundLibrary, model: Path) -> dict[int, list[float]]:
    """Measure the network in a fresh process; return the seconds of each of its layers."""
    assert library.root is not None
    packages = library.root.parents[1]  # of .../site-packages/onnxruntime/capi
    [core] = real_world().choose_cores(1)
    words = [sys.executable, onnx_network.__file__, str(packages), str(model), str(RUNS)]
    done = subprocess.run(["taskset", "--cpu-list", str(core), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DriverError(f"onnx_network: {(done.stderr.splitlines() or ['no word'])[-1]}")
    times = json.loads(done.stdout)
    return {int(name.removeprefix("layer")): values for name, values in times.items()}


def _shape_of(case: Case) -> str:
    return find_species(case.species).shape_name(case.parameters)
