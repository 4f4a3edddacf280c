"""The account of what a library does within a call: kernels of an OpenCL device, or what the library says itself.

``--profile`` marks the cases, as the original's ``--dvdt_prof`` did: a profiled time is another one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from nntest.measure.build import BuiltProgram
from nntest.measure.devices import OPENCL

#: The original's name of the choice, as a variable of the case.
PROFILE_KEY = "CK_DVDT_PROF"
#: Who keeps account, as points name it.
OPENCL_LAYER = "OpenCL layer"
ONEDNN_VERBOSE = "oneDNN verbose"
ONNXRUNTIME_TRACE = "ONNX Runtime's trace"
OPENVINO_COUNTERS = "OpenVINO's counters"
#: Libraries that keep account themselves, as a sentence has them.
OWN_ACCOUNTS = "oneDNN, ONNX Runtime or OpenVINO"

_OWN = {"onednn-cpu": ONEDNN_VERBOSE, "onnxruntime-cpu": ONNXRUNTIME_TRACE, "openvino-cpu": OPENVINO_COUNTERS}
_BEGIN, _END = b"nntest-profile begin\n", re.compile(rb"^nntest-profile end (\d+) (\d+)\n", re.MULTILINE)


class _Program(Protocol):
    @property
    def target_kind(self) -> str: ...

    @property
    def library(self) -> str: ...


def profiler_of(program: _Program) -> str:
    """Return who keeps account of a program's kernels, empty where nobody does."""
    if program.target_kind == OPENCL:
        return OPENCL_LAYER
    return _OWN.get(program.library, "")


def profiled(built: BuiltProgram, profiler: str, layer: Callable[[], Path]) -> BuiltProgram:
    """Return the program as it runs under a profiler.

    Parameters
    ----------
    layer
        Compiles the OpenCL layer, or finds it.
    """
    if profiler == OPENCL_LAYER:
        path = str(layer())
        # another layer, such as that of an emulated target, stays nearer to the device
        layers = ":".join(filter(None, (built.env.get("OPENCL_LAYERS", ""), path)))
        added = {"OPENCL_LAYERS": layers, "NNTEST_PROFILE_LAYER": path}
    elif profiler in (ONNXRUNTIME_TRACE, OPENVINO_COUNTERS):
        # the program takes it down in sessions of its own, by the functions that a layer has
        added = {"NNTEST_PROFILE_LAYER": str(built.operator)}
    else:
        recent = not built.subject.library.version.startswith(("1.", "2."))
        added = {"ONEDNN_VERBOSE": "profile_exec" if recent else "1", "NNTEST_PROFILE_PRINTED": "1"}
    return replace(built, profiler=profiler, env={**built.env, **added})


class PrintedAccount:
    """Cuts the accounts of blocks out of what a process prints."""

    def __init__(self) -> None:
        self._text = b""

    def add(self, text: bytes) -> None:
        """Take what was printed."""
        self._text += text

    def next_block(self) -> dict[str, Any] | None:
        """Return the account of the next whole block: microseconds of one call by kernel; None where there is none."""
        _, begin, rest = self._text.partition(_BEGIN)
        end = _END.search(rest) if begin else None
        if end is None:
            return None
        self._text = rest[end.end() :]
        primed, loops = int(end.group(1)), int(end.group(2))
        block = rest[: end.start()].rpartition(_BEGIN)[2]  # one that failed has begun, and no end
        lines = list(_executions(block.decode(errors="replace")))
        # the calls before the timed ones print the same
        timed = lines[len(lines) * primed // (primed + loops) :]
        kernels: dict[str, float] = {}
        for name, milliseconds in timed:
            kernels[name] = kernels.get(name, 0.0) + 1e3 * milliseconds / loops
        return {"kernels_us": kernels, "calls": []}


def _executions(text: str) -> Iterator[tuple[str, float]]:
    """Yield kernel and milliseconds of ``onednn_verbose[,v1][,primitive],exec,cpu,KIND,KERNEL,...,MS``."""
    for line in text.splitlines():
        words = line.split(",")
        if not words[0].endswith("_verbose") or "exec" not in words[:5]:
            continue
        at = words.index("exec")
        try:
            yield f"{words[at + 2]} {words[at + 3]}", float(words[-1])
        except (IndexError, ValueError):
            continue
