"""``nntest show``: one point or one experiment: what was asked, how it was measured, and what to make of it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from nntest.errors import DataError, UsageError
from nntest.faces.columns import columns
from nntest.faces.output import say
from nntest.units import MJ_PER_J, US_PER_S, format_duration

if TYPE_CHECKING:
    from nntest.model.point import Point

_UID = re.compile(r"[0-9a-f]{16}")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("show")(show)


def show(
    names: Annotated[
        list[str], typer.Argument(metavar="POINT|EXPERIMENT...", help="Uid or file of a point; name of an experiment.")
    ],
) -> int:
    """Show a point or an experiment: what, how, and the verdict with its evidence."""
    for name in names:
        experiments, points = _find(name)
        for folder in experiments:
            for line in _experiment_lines(folder):
                say(line)
        for path in points:
            for line in point_lines(path, _read(path)):
                say(line)
    return 0


def point_lines(path: Path, point: "Point") -> Iterator[str]:
    """Yield what a person wants to know of one point."""
    from nntest.model.species import SPECIES
    from nntest.statistics.trust import assess

    case, subject, platform = point.case, point.subject, point.platform
    shape = SPECIES[case.species].shape_name(case.parameters)
    trust, flags = assess(point)
    conditions = (
        f"{case.dtype} {case.layout}, threads {case.threads}, {case.cache}, {case.data} inputs, seed {case.seed}"
    )
    yield f"point {point.uid} ({path})"
    yield f"  asked     {case.program} on {case.species} {shape}, batch {case.batch_size}, {conditions}"
    yield f"  answered  {', '.join(filter(None, (subject.library.tag, f'{subject.compiler} {subject.flags}'.strip())))}"
    yield f"  where     {platform.cpu}, {platform.cores} cores, {platform.os}, {platform.kernel}"
    yield (
        f"  how       {len(point.samples)} samples in {len(point.launches)} launches, session {point.origin.session}, "
        f"{point.origin.timestamp}, from {point.origin.dataset} {point.origin.dataset_file}"
    )
    if point.samples:
        yield f"  time      {_time(point)}"
        yield f"  energy    {_energy(point)}"
        counts = [one.watch.instructions / one.loops for one in point.samples if one.watch.instructions is not None]
        if counts:
            yield f"  count     {_count(counts, str(point.extra.get('counter', 'an emulator')))}"
    yield f"  output    {_output(point)}"
    yield f"  verdict   {_verdict(trust, flags)}"
    yield f"  ids       case {case.id}, subject {subject.id}, platform {platform.id}"


def _verdict(trust: str, flags: Sequence[str]) -> str:
    if flags:
        return f"{trust}; seen: {', '.join(flags)}"
    return f"{trust}; nothing was seen that speaks against it" if trust == "stable" else trust


def _time(point: "Point") -> str:
    from nntest.model.species import SPECIES
    from nntest.statistics.interval import interval
    from nntest.statistics.series import Series

    values = [sample.value_s for sample in point.samples]
    found = interval(Series.of(values, [sample.launch for sample in point.samples]))
    flops = SPECIES[point.case.species].flops(point.case.parameters, point.case.batch_size)
    width = (
        f"95 % interval {found.low * US_PER_S:.2f} to {found.high * US_PER_S:.2f} us over {found.launches} launches"
        if found.low == found.low  # NaN: a single launch has none
        else "no interval from a single launch"
    )
    rate = f", {flops / found.estimate / 1e9:.1f} GFLOPS" if flops and not point.case.quantisation else ""
    return f"median {format_duration(found.estimate)}, {width}{rate}"


def _energy(point: "Point") -> str:
    if point.energy is None:
        return "NA: not recorded when this point was made"
    if point.energy.reason:
        return f"NA: {point.energy.reason}"
    known = [(one.watch.package_j / one.loops, one) for one in point.samples if one.watch.package_j is not None]
    if not known:
        return "NA: no block was warm and long enough for the counters"
    idle = {launch.launch: launch.idle_w for launch in point.launches}
    watts = median(idle[one.launch] or 0.0 for _, one in known)
    above = median(joules / one.value_s for joules, one in known)
    return (
        f"median {median(joules for joules, _ in known) * MJ_PER_J:.3g} mJ a call ({point.energy.tier}), "
        f"{above:.1f} W above {watts:.1f} W of the idle machine"
    )


def _count(counts: Sequence[float], counter: str) -> str:
    low, high = min(counts), max(counts)
    apart = "all samples alike" if low == high else f"{low:,.2f} to {high:,.2f} over {len(counts)} samples"
    return f"{median(counts):,.2f} instructions a call, {apart}; no time; by {counter}"


def _output(point: "Point") -> str:
    if point.failure is not None:
        return f"{point.failure.kind}: {' '.join(point.failure.reason.split())}"
    seen = point.verification
    if seen.verified is None:
        return f"not checked{': ' + seen.reason if seen.reason else ''}"
    verdict = "correct" if seen.verified else "wrong"
    if seen.max_error is None or seen.limit is None:
        return f"{verdict}{': ' + seen.reason if seen.reason else ''}"
    unit = "steps of the output" if point.case.quantisation else "eps * sqrt(K) * scale"
    error = f"largest error {seen.max_error:.3g} of {seen.limit:.3g} allowed (in {unit})"
    return f"{verdict}: {error}, against {seen.reference}"


def _experiment_lines(folder: Path) -> Iterator[str]:
    from nntest.model.species import SPECIES
    from nntest.statistics.trust import assess

    yield f"experiment {folder.name} ({folder})"
    rows = []
    for path in _point_files(folder):
        point = _read(path)
        trust, flags = assess(point)
        values = [sample.value_s for sample in point.samples]
        middle = format_duration(median(values)) if values else ""
        case = point.case
        shape = SPECIES[case.species].shape_name(case.parameters)
        asked = (point.uid, shape, case.batch_size, case.threads, len(values))
        rows.append((*asked, middle, trust, "; ".join(filter(None, (_reason(point), ", ".join(flags))))))
    heading = ("point", "shape", "batch", "threads", "samples", "median", "verdict", "seen")
    rows.sort(key=lambda row: [(len(part), part) for part in str(row[1]).split("-")])
    yield from (f"  {line}" for line in columns(heading, rows))


def _reason(point: "Point") -> str:
    return point.failure.reason.splitlines()[0] if point.failure is not None and point.failure.reason else ""


def _find(name: str) -> tuple[list[Path], list[Path]]:
    """Return the experiments and the points that a name means."""
    from nntest.store.entries import find_experiments

    path = Path(name).expanduser()
    if path.is_file():
        return [], [path]
    if path.is_dir() and _point_files(path):
        return [path], []
    found = [entry.path for entry in find_experiments(name)]
    if found:
        return found, []
    if _UID.fullmatch(name):
        points = [one for entry in find_experiments() for one in entry.path.glob(f"ckp-{name}.*.json")]
        if points := sorted(one for one in points if one in _point_files(one.parent)):
            return [], points
    raise UsageError(
        f"{name}: no point or experiment of that name was found; `nntest list experiments` shows what there is"
    )


def _point_files(folder: Path) -> list[Path]:
    from nntest.store.entries import is_point_name

    return sorted(path for path in folder.glob("ckp-*.json") if is_point_name(path.name))


def _read(path: Path) -> "Point":
    import orjson

    from nntest.model.point_json import from_json

    try:
        words = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise DataError(f"{path}: it is not JSON ({error}); remove the file or restore it") from None
    return from_json(words, where=str(path))
