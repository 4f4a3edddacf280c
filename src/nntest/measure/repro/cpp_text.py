"""What the C++ files of all libraries share: what they say of the point, the inputs, the clock, the output."""

import math
from collections.abc import Sequence
from statistics import median

from nntest.measure.inputs import case_tensors, fill_of, stream_start
from nntest.measure.libraries.isa import isa_environment
from nntest.model.case import Case
from nntest.model.point import Point
from nntest.model.species import SPECIES
from nntest.units import format_duration

_FILLS = {
    "normal": "value",
    "relu": "value > 0 ? value : 0",
    "int": "std::floor(value * 8)",
    "zeros": "0",
}

#: Values as ``measure.inputs`` defines them; ``start`` is the stream of one tensor.
INPUTS = """\
// Value i of a tensor depends on its stream and i alone (the finaliser of SplitMix64), in [-1, 1).
static std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

static float uniform(std::uint64_t start, std::uint64_t i) {
  const std::uint64_t bits = mix(start + (i + 1) * 0x9E3779B97F4A7C15u) >> 40;
  return static_cast<float>(static_cast<std::int32_t>(bits)) * 0x1p-23f - 1;
}
"""

#: Times a call; whoever wants another clock gives another ``time_calls``.
TIMER = """\
template <class Call>
static void time_calls(Call call) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [&](long calls) {
    const auto begin = Clock::now();
    for (long i = 0; i < calls; ++i) call();
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  long calls = 1;
  while (seconds(calls) < 0.01) calls *= 2;
  std::vector<double> times;
  for (int block = 0; block < 11; ++block) times.push_back(seconds(calls) / calls * 1e6);
  std::sort(times.begin(), times.end());
  std::printf("time_us median %.3f min %.3f max %.3f\\n", times[5], times.front(), times.back());
}
"""

#: Prints what came out; ``output`` is row-major.
OUTPUT = """\
static void print_output(const float* output, std::size_t count) {
  double sum = 0;
  std::uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a over the bytes
  for (std::size_t i = 0; i < count; ++i) sum += output[i];
  const auto* bytes = reinterpret_cast<const unsigned char*>(output);
  for (std::size_t i = 0; i < count * sizeof(float); ++i) hash = (hash ^ bytes[i]) * 0x100000001B3u;
  std::printf("output sum %.9g fnv1a %016llx first", sum, static_cast<unsigned long long>(hash));
  for (std::size_t i = 0; i < std::min<std::size_t>(count, 8); ++i) std::printf(" %.9g", output[i]);
  std::printf("\\n");
}
"""


def heading(point: Point, compile_options: str) -> str:
    """Return the comment that a file begins with: what it computes, what was measured, how to build and run it."""
    case, library = point.case, point.subject.library
    shape = SPECIES[case.species].shape_name(case.parameters)
    fused = f", fused {case.post_ops}" if case.post_ops else ""
    environment = "".join(f"{key}={value} " for key, value in _environment(point).items())
    inputs = f"{case.data} inputs of seed {case.seed}"
    lines = [
        f"{case.species} {shape} by {library.description or library.tag}",
        f"(batch {case.batch_size}, {case.dtype}, layout {case.layout}{fused}, {inputs}).",
        *_measured(point),
        "",
        "Build and run, with the folders of the library's headers and binary:",
        f"  c++ -std=c++17 -O2 repro.cpp {compile_options} -o repro",
        f"  {environment}./repro",
    ]
    return "".join(f"// {line}".rstrip() + "\n" for line in lines)


def stream(case: Case, role: str) -> str:
    """Return the start of a tensor's stream as a C++ number."""
    return f"0x{stream_start(case.seed, role):016X}u"


def fill(case: Case, role: str) -> str:
    """Return the C++ expression that turns ``value`` into an element of a tensor."""
    return _FILLS[fill_of(role, case.data)]


def count(case: Case, role: str) -> int:
    """Return the elements of a tensor."""
    return math.prod(case_tensors(case)[role])


def braces(values: Sequence[int]) -> str:
    """Return a C++ list of numbers."""
    return "{" + ", ".join(map(str, values)) + "}"


def _measured(point: Point) -> list[str]:
    if point.failure is not None:
        return [f"Seen: {point.failure.kind}, {line}" for line in point.failure.reason.splitlines()[:1]]
    where = f"on {point.platform.cpu} ({point.platform.os}), {point.subject.compiler}"
    if not point.samples:
        return [f"Not timed {where}."]
    kernels = sorted({launch.implementation for launch in point.launches if launch.implementation})
    time = format_duration(median(sample.value_s for sample in point.samples))
    state = "" if point.case.cache == "warm" else f", caches {point.case.cache} (this file: warm)"
    return [f"Seen: {time} a call{state}, kernel {' or '.join(kernels)},", f"{where}; nntest point {point.uid}."]


def _environment(point: Point) -> dict[str, str]:
    isa = isa_environment(point.subject.library.name, point.case.isa_max)
    threads = {"onednn-cpu": "OMP_NUM_THREADS", "openblas-cpu": "OPENBLAS_NUM_THREADS"}[point.subject.library.name]
    return {threads: str(point.case.threads), **isa, **point.case.env}
