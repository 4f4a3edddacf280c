"""Points in the JSON of google/benchmark, so that its ``compare.py`` works."""

from collections.abc import Sequence
from typing import Any

import orjson

from nntest.model.point import Point
from nntest.store.exchange.pyperf_file import name_of

_NS_PER_S = 1e9


def to_bytes(points: Sequence[Point]) -> bytes:
    """Return the report of a run of google/benchmark: one entry per repetition, one with the error per failed point.

    ``cpu_time`` repeats ``real_time``: the format requires it, and the samples are wall-clock times.
    """
    benchmarks: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for family, point in enumerate(points):
        name = name_of(point)
        instance = seen[name] = seen.get(name, -1) + 1
        head = {
            "name": name,
            "family_index": family,
            "per_family_instance_index": instance,
            "run_name": name,
            "run_type": "iteration",
            "repetitions": max(1, len(point.samples)),
            "threads": point.case.threads,
        }
        if point.failure is not None:
            reason = f"{point.failure.kind}: {point.failure.reason}"
            error = {"repetition_index": 0, "error_occurred": True, "error_message": reason}
            benchmarks.append({**head, **error, **_times(0, 0.0)})
            continue
        for index, sample in enumerate(point.samples):
            benchmarks.append({**head, "repetition_index": index, **_times(sample.loops, sample.value_s)})
    report = {"context": _context(points), "benchmarks": benchmarks}
    return orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _times(loops: int, seconds: float) -> dict[str, Any]:
    time_ns = seconds * _NS_PER_S
    return {"iterations": loops, "real_time": time_ns, "cpu_time": time_ns, "time_unit": "ns"}


def _context(points: Sequence[Point]) -> dict[str, Any]:
    """Return the machine, where all points share one."""
    context: dict[str, Any] = {
        "executable": "nntest",
        "library_build_type": "release",
        "caches": [],
        "json_schema_version": 1,
        "nntest_note": "cpu_time repeats real_time",
    }
    platforms = {point.platform.id: point.platform for point in points}
    if points:
        context["date"] = max(point.origin.timestamp for point in points)
    if len(platforms) == 1:
        platform = next(iter(platforms.values()))
        context |= {"num_cpus": platform.cores, "nntest_cpu": platform.cpu, "nntest_os": platform.os}
        context["nntest_platform_id"] = platform.id
    return context
