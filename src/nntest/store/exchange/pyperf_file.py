"""Points in the file format of pyperf (JSON, version 1.0), so that its ``compare_to``, ``stats`` and ``hist`` work."""

from collections.abc import Sequence
from typing import Any

import orjson

from nntest.model.point import Launch, Point
from nntest.model.species import SPECIES

_VERSION = "1.0"


def to_bytes(points: Sequence[Point]) -> bytes | None:
    """Return a pyperf suite: one benchmark per point, one run per launch.

    Failed points are left out, as pyperf has no word for them.

    Returns
    -------
    bytes or None
        None where no point has a sample; pyperf does not load an empty suite.
    """
    names: dict[str, int] = {}
    benchmarks = []
    for point in points:
        runs = _runs(point)
        if runs:
            name = name_of(point)
            names[name] = names.get(name, 0) + 1
            # pyperf wants each name once.
            unique = name if names[name] == 1 else f"{name} ({names[name]})"
            benchmarks.append({"metadata": _metadata(point, unique), "runs": runs})
    if not benchmarks:
        return None
    suite = {"benchmarks": benchmarks, "version": _VERSION}
    return orjson.dumps(suite, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def name_of(point: Point) -> str:
    """Return what other tools call a point: the program, then the question where it is not the plain one.

    The library's version is no part of it, so that these tools join two versions by name.
    """
    case = point.case
    species = SPECIES.get(case.species)
    shape = species.shape_name(case.parameters) if species else case.id
    usual = (
        (f"batch={case.batch_size}", case.batch_size != 1),
        (case.dtype, case.dtype != "float32"),
        (case.layout, case.layout != "auto"),
        (f"threads={case.threads}", case.threads != 1),
        (case.cache, case.cache != "warm"),
        (case.post_ops, case.post_ops),
        (case.isa_max, case.isa_max),
        (f"data={case.data}", case.data != "normal"),
    )
    return "/".join([case.program, shape, *(word for word, unusual in usual if unusual)])


def _metadata(point: Point, name: str) -> dict[str, Any]:
    platform, subject = point.platform, point.subject
    words = {
        "name": name,
        "unit": "second",
        "cpu_model_name": platform.cpu,
        "cpu_count": platform.cores,
        "platform": f"{platform.os} {platform.kernel} {platform.arch}",
        "description": f"{subject.library.tag}, {subject.compiler}",
        "nntest_case_id": point.case.id,
        "nntest_subject_id": subject.id,
        "nntest_platform_id": platform.id,
        "nntest_trust": point.trust,
        "nntest_flags": "+".join(point.flags),
    }
    # pyperf refuses empty texts.
    return {key: value for key, value in words.items() if value != ""}


def _runs(point: Point) -> list[dict[str, Any]]:
    launches = {launch.launch: launch for launch in point.launches}
    values: dict[int, list[float]] = {}
    loops: dict[int, int] = {}
    if point.failure is None:
        for sample in point.samples:
            values.setdefault(sample.launch, []).append(sample.value_s)
            loops[sample.launch] = sample.loops
    return [
        {"metadata": _run_metadata(loops[number], launches.get(number)), "warmups": _warm_ups(launches.get(number))}
        | {"values": values[number]}
        for number in sorted(values)
    ]


def _run_metadata(loops: int, launch: Launch | None) -> dict[str, Any]:
    words: dict[str, Any] = {"loops": loops}
    if launch is not None and launch.load_1min is not None:
        words["load_avg_1min"] = launch.load_1min
    return words


def _warm_ups(launch: Launch | None) -> list[tuple[int, float]]:
    """Return (loops, seconds of one call) of each warm-up; ours are kept as times of one call."""
    values = () if launch is None else launch.warm_up.values_s
    return [(1, value) for value in values if value > 0]
