"""Points as JSON: CK's experiment format, and under the key ``nntest`` what CK has no place for.

Format history (``FORMAT``, semantic version; a reader refuses a newer major version and ignores unknown keys of a
newer minor one):

- 1.0.0: case, subject and platform blocks with their ids; session, plan, launches and samples as columns, reference,
  trust and flags.
- 1.1.0: energy (how it was taken, or why not), launches.idle_w, samples.package_j, .dram_j and .core_j; without them
  an energy is unknown.
- 1.2.0: samples.kernels_us and samples.calls, what a profiler saw; extra.profiler, who that was.
- 1.3.0: samples.instructions, counted by an emulator; extra.counter, what counted them. Unknown without.
  case.quantisation of uint8 points, scale and zero point by role; cases without it are as before.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from functools import cache
from importlib import resources
from typing import Any, TypeVar

import orjson

from nntest.errors import DataError
from nntest.model.case import Case, Library, Plan, Platform, Subject
from nntest.model.point import (
    Energy,
    Failure,
    Launch,
    Origin,
    Point,
    Profile,
    Sample,
    Verification,
    WarmUp,
    Watch,
)
from nntest.model.quantisation import Quantisation
from nntest.model.species import SPECIES

FORMAT = "1.3.0"
SCHEMA_FILE = "point.schema.json"

Json = dict[str, Any]
Migration = Callable[[Json], Json]
#: Each migration turns a whole point of one major version into the next; the key is the version that it reads.
MIGRATIONS: Mapping[int, Migration] = {}

#: The original's threshold, which its tools expect among the choices; ours stands in the ``reference`` block.
_ABS_DIFF_THRESHOLD = 0.001
_COLUMNS_OF_WATCH = tuple(item.name for item in fields(Watch))
_COLUMNS_OF_LAUNCH = tuple(item.name for item in fields(Launch) if item.name != "warm_up")

T = TypeVar("T")


def to_json(point: Point) -> Json:
    """Return a point as it is stored: CK's keys, and the ``nntest`` block from which ``from_json`` restores it.

    Raises
    ------
    DataError
        A time of the point is no finite number.
    """
    return {
        "characteristics_list": _characteristics(point),
        "choices": _choices(point),
        "features": _features(point),
        "nntest": _block(point),
    }


def to_bytes(point: Point) -> bytes:
    """Return the bytes of a point's file: compact JSON with sorted keys, so that equal points give equal files."""
    try:
        return orjson.dumps(to_json(point), option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError as error:
        raise DataError(
            f"ckp-{point.uid}: cannot be written as JSON ({error}); this is a defect of who made it"
        ) from None


def from_json(words: Mapping[str, Any], *, where: str = "point") -> Point:
    """Restore a point from its JSON.

    Parameters
    ----------
    words
        The whole point; only its ``nntest`` block is read.
    where
        What an error message begins with, usually the file's path.

    Raises
    ------
    DataError
        The point is foreign (no ``nntest`` block), of a newer major version, or a key is missing or of a wrong type.
    """
    words = migrate(words, where=where)
    block = words["nntest"]
    try:
        return _point(block)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(
            f"{where}: the nntest block is damaged ({reason}); expected format {FORMAT}; {_ADVICE}"
        ) from None


def migrate(words: Mapping[str, Any], *, where: str = "point") -> Json:
    """Bring the JSON of an older major version up to this one.

    Raises
    ------
    DataError
        There is no ``nntest`` block, or its version is unreadable or newer.
    """
    block = words.get("nntest")
    if not isinstance(block, dict):
        raise DataError(f"{where}: no nntest block was found, so this is not a point of ours; `nntest.load` reads it")
    version = block.get("format")
    major = _major(version)
    if major is None:
        raise DataError(f"{where}: nntest.format is {version!r}; expected a version such as {FORMAT}; {_ADVICE}")
    ours = _major(FORMAT) or 0
    if major > ours:
        raise DataError(
            f"{where}: format {version} is newer than {FORMAT}, which this nntest reads; update nntest to read it"
        )
    migrated = dict(words)
    for step in range(major, ours):
        migrated = MIGRATIONS[step](migrated)
    return migrated


@cache
def schema() -> Json:
    """Return the JSON Schema of a point (also docs/point.schema.json)."""
    words: Json = orjson.loads(resources.files("nntest.model").joinpath(SCHEMA_FILE).read_bytes())
    return words


_ADVICE = "remove the file or restore it from its source"


def _major(version: Any) -> int | None:
    head = version.split(".")[0] if isinstance(version, str) else ""
    return int(head) if head.isascii() and head.isdecimal() and len(head) < 6 else None


def _block(point: Point) -> Json:
    block: Json = {
        "format": FORMAT,
        "uid": point.uid,
        "case_id": point.case.id,
        "subject_id": point.subject.id,
        "platform_id": point.platform.id,
        "case": point.case.block(),
        "subject": point.subject.block(),
        "platform": point.platform.block(),
        "plan": asdict(point.plan),
        "session": {_SESSION_KEYS.get(key, key): value for key, value in asdict(point.origin).items()},
        "launches": _launch_columns(point.launches),
        "samples": _sample_columns(point.samples),
        "reference": {
            **asdict(point.verification),
            "max_error": _finite(point.verification.max_error),
            "limit": _finite(point.verification.limit),
        },
        "trust": point.trust,
        "flags": list(point.flags),
    }
    if point.failure is not None:
        block["failure"] = asdict(point.failure)
    if point.memory_bytes is not None:
        block["memory_bytes"] = point.memory_bytes
    if point.energy is not None:
        block["energy"] = {
            key: _plain(value) for key, value in vars(point.energy).items() if value not in ("", (), None)
        }
    if point.extra:
        block["extra"] = dict(point.extra)
    return block


#: ``Origin.session`` is the id of the block ``session``.
_SESSION_KEYS = {"session": "id"}


def _launch_columns(launches: Sequence[Launch]) -> Json:
    columns: Json = {name: [_plain(getattr(launch, name)) for launch in launches] for name in _COLUMNS_OF_LAUNCH}
    columns["warm_up_values_s"] = [list(launch.warm_up.values_s) for launch in launches]
    columns["settled"] = [launch.warm_up.settled for launch in launches]
    return columns


def _sample_columns(samples: Sequence[Sample]) -> Json:
    columns: Json = {
        "launch": [sample.launch for sample in samples],
        "round": [sample.round for sample in samples],
        "loops": [sample.loops for sample in samples],
        "seconds": [_required(sample.seconds) for sample in samples],
        "at_s": [_required(sample.at_s) for sample in samples],
    }
    for name in _COLUMNS_OF_WATCH:
        seen = [getattr(sample.watch, name) for sample in samples]
        if any(value is not None for value in seen):
            columns[name] = seen
    profiles = [sample.profile for sample in samples]
    if any(profiles):
        columns["kernels_us"] = [dict(one.kernels_us) if one else {} for one in profiles]
        columns["calls"] = [[asdict(call) for call in one.calls] if one else [] for one in profiles]
    return columns


def _point(block: Json) -> Point:
    failure, energy = block.get("failure"), block.get("energy")
    return Point(
        case=_case(block["case"]),
        subject=_restore(Subject, {**block["subject"], "library": _restore(Library, block["subject"]["library"])}),
        platform=_restore(Platform, {**block["platform"], "isa": tuple(block["platform"].get("isa", ()))}),
        plan=_restore(Plan, block["plan"]),
        origin=_restore(Origin, {_ORIGIN_KEYS.get(key, key): value for key, value in block["session"].items()}),
        launches=tuple(_launches(block["launches"])),
        samples=tuple(_samples(block["samples"])),
        verification=_restore(Verification, block["reference"]),
        failure=None if failure is None else _restore(Failure, failure),
        trust=block["trust"],
        flags=tuple(block["flags"]),
        memory_bytes=block.get("memory_bytes"),
        energy=None if energy is None else _energy(energy),
        extra=block.get("extra", {}),
    )


_ORIGIN_KEYS = {value: key for key, value in _SESSION_KEYS.items()}


def _case(words: Json) -> Case:
    quantisation = {role: _restore(Quantisation, one) for role, one in words.get("quantisation", {}).items()}
    return _restore(Case, {**words, "quantisation": quantisation})


def _energy(words: Json) -> Energy:
    return _restore(Energy, {**words, "domains": tuple(words.get("domains", ()))})


def _launches(columns: Json) -> list[Launch]:
    rows = zip(columns["warm_up_values_s"], columns["settled"], strict=True)
    warm_ups = [WarmUp(values_s=tuple(values), settled=settled) for values, settled in rows]
    known = [(name, columns[name]) for name in _COLUMNS_OF_LAUNCH if name in columns]
    launches = []
    for index, warm_up in enumerate(warm_ups):
        row = {name: values[index] for name, values in known}
        launches.append(Launch(**{**row, "cores": tuple(row.get("cores", ())), "warm_up": warm_up}))
    return launches


def _samples(columns: Json) -> list[Sample]:
    watched = [(name, columns[name]) for name in _COLUMNS_OF_WATCH if name in columns]
    basic = zip(columns["launch"], columns["round"], columns["loops"], columns["seconds"], columns["at_s"], strict=True)
    return [
        Sample(
            launch=launch,
            round=turn,
            loops=loops,
            seconds=seconds,
            at_s=at_s,
            watch=Watch(**{name: values[index] for name, values in watched}),
            profile=_profile(columns, index),
        )
        for index, (launch, turn, loops, seconds, at_s) in enumerate(basic)
    ]


def _profile(columns: Json, index: int) -> Profile | None:
    if not columns.get("kernels_us") or not columns["kernels_us"][index]:
        return None
    return Profile.of({"kernels_us": columns["kernels_us"][index], "calls": columns["calls"][index]})


def _restore(kind: type[T], words: Mapping[str, Any]) -> T:
    """Build a dataclass from the keys that it knows; those of a newer minor version are left out."""
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    return kind(**{key: value for key, value in words.items() if key in known})


def _characteristics(point: Point) -> list[Json]:
    if point.failure is not None:
        return [{"run": _failed_run(point.failure)}]
    setup = {launch.launch: launch.setup_s for launch in point.launches}
    checked: Json = {}
    if point.verification.verified is not None:
        failed = not point.verification.verified
        checked = {"output_check_failed": _yes(failed), "output_check_failed_bool": failed}
    return [
        {
            "run": {
                "execution_time": setup.get(sample.launch, 0.0) + sample.value_s,
                "execution_time_kernel_0": setup.get(sample.launch, 0.0),
                "execution_time_kernel_1": sample.value_s,
                "run_success": "yes",
                "run_success_bool": True,
                **checked,
                **_opencl_times(point, sample),
            }
        }
        for sample in point.samples
    ]


def _opencl_times(point: Point, sample: Sample) -> Json:
    """Return the original's key for what its profiler saw; it knew kernels of OpenCL alone."""
    if sample.profile is None or "OpenCL" not in point.extra.get("profiler", ""):
        return {}
    return {"execution_time_opencl_us": dict(sample.profile.kernels_us)}


def _failed_run(failure: Failure) -> Json:
    run: Json = {"run_success": "no", "run_success_bool": False, "fail_reason": failure.reason}
    if failure.kind == "wrong":
        run["output_check_failed"] = "yes"
        run["output_check_failed_bool"] = True
        run["output_check_failures"] = {"tmp-ck-output.bin": {"fail_reason": failure.reason}}
    return run


def _choices(point: Point) -> Json:
    case = point.case
    species = SPECIES.get(case.species)
    if species is None:
        values = {**case.parameters, "CK_IN_SHAPE_N": case.batch_size}
    else:
        values = species.ck_values(case.parameters, case.batch_size)
    return {
        "cmd_key": case.cmd_key,
        "compiler_flags": {},
        "data_uoa": case.program,
        "dataset_file": point.origin.dataset_file,
        "dataset_uoa": point.origin.dataset,
        "dvdt_prof": _yes(any(sample.profile for sample in point.samples)),
        "env": {
            **values,
            "CK_ABS_DIFF_THRESHOLD": _ABS_DIFF_THRESHOLD,
            "CK_DATASET_FILENAME": point.origin.dataset_file,
            "CK_OUT_RAW_DATA": "tmp-ck-output.bin",
            "CK_SEED": case.seed,
            **case.env,
        },
        "flags": point.subject.flags,
        "host_os": "linux-64",
        "mali_hwc": "no",
        "target_os": "linux-64",
        "target_os_bits": "64",
    }


def _features(point: Point) -> Json:
    platform = point.platform
    model = platform.model or platform.cpu or platform.arch
    return {
        "platform": {
            "cpu": {"name": platform.cpu, "num_proc": str(platform.cores)},
            "cpu_misc": {},
            "gpu": {"name": platform.gpu, "vendor": ""},
            "os": {"abi": platform.arch, "bits": "64", "name": platform.os, "name_short": platform.kernel},
            "platform": {"model": model, "name": model, "vendor": ""},
        },
        "statistical_repetitions": point.plan.repetitions,
    }


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _finite(value: float | None) -> float | None:
    """Return None for what JSON cannot say; the reference's reason says what was seen."""
    return value if value is None or math.isfinite(value) else None


def _required(value: float) -> float:
    if not math.isfinite(value):
        raise DataError(f"sample: {value} seconds; expected a finite number; do not record this sample")
    return value
