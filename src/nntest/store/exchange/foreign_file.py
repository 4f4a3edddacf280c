"""Points in files that other benchmark tools read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from nntest.errors import DataError, UsageError
from nntest.model.point import Point
from nntest.model.point_json import from_json
from nntest.store.entries import Entry, ExperimentEntry
from nntest.store.exchange import gbench_file, pyperf_file
from nntest.store.exchange.export import written
from nntest.store.exchange.privacy import scrub_text

WRITERS: Mapping[str, Callable[[Sequence[Point]], bytes | None]] = {
    "pyperf": pyperf_file.to_bytes,
    "gbench": gbench_file.to_bytes,
}


@dataclass(frozen=True, kw_only=True)
class Converted:
    """What was written; ``foreign`` counts points of other tools, which these formats have no place for."""

    path: Path
    points: int
    failed: int
    foreign: int


def export_foreign(entries: Sequence[Entry], out: Path, form: str, *, with_host: bool = False) -> Converted:
    """Write the points of experiments in the format of another tool.

    Parameters
    ----------
    form
        One of ``WRITERS``.
    with_host
        Keep paths in the reasons of failures.

    Raises
    ------
    UsageError
        There is no point of ours with a sample, or an entry is no experiment.
    DataError
        A point is damaged, or the file could not be written.
    """
    points, foreign = _read(entries)
    if not with_host:
        points = [_scrubbed(point) for point in points]
    data = WRITERS[form](points) if points else None
    if data is None:
        raise UsageError(f"{form}: no point of NNTest with a sample is among these experiments; export a zip instead")
    with written(out) as file:
        file.write(data)
    failed = sum(point.failure is not None for point in points)
    return Converted(path=out, points=len(points), failed=failed, foreign=foreign)


def _read(entries: Sequence[Entry]) -> tuple[list[Point], int]:
    points, foreign = [], 0
    for entry in entries:
        if not isinstance(entry, ExperimentEntry):
            raise UsageError(f"{entry.uoa}: only experiments can be written in this format; export datasets as a zip")
        for path in entry.point_paths():
            try:
                words = orjson.loads(path.read_bytes())
            except (OSError, orjson.JSONDecodeError) as error:
                raise DataError(f"{path}: could not be read ({error}); see `nntest check`") from None
            if isinstance(words, dict) and isinstance(words.get("nntest"), dict):
                points.append(from_json(words, where=str(path)))
            else:
                foreign += 1
    return points, foreign


def _scrubbed(point: Point) -> Point:
    if point.failure is None:
        return point
    return replace(point, failure=replace(point.failure, reason=scrub_text(point.failure.reason)))
