"""``nntest.load``: points from any source as one data frame."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nntest.crawl.columns import BY_NAME, KERNEL_COLUMNS, LAYER_COLUMNS, Column
from nntest.crawl.extract import Skip
from nntest.crawl.sources import Folder, Listing, Source, open_sources
from nntest.crawl.views import Part, find_views
from nntest.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from nntest.crawl.frame import Flops
    from nntest.crawl.wanted import Wanted


class Skipped(NamedTuple):
    """A file that gave no rows: where it is, and what to do about it."""

    path: str
    reason: str


def load(
    source: Source | Sequence[Source],
    *,
    tags: str | Sequence[str] = "",
    where: Mapping[str, Any] | Sequence[str] | None = None,
    columns: Sequence[str] = (),
    views: Sequence[str | Path] = (),
    flops: "Flops" = "true",
    strict: bool = False,
    index: bool = True,
    workers: int | None = None,
) -> "pd.DataFrame":
    """Load points into a table, one row per repetition.

    Parameters
    ----------
    source
        A repository that ck knows (by name), a folder (a repository, an experiment, or any with points below it), a
        zip, or a list of these.
    tags
        Only experiments that carry all of these tags (``a,b`` or a list).
    where
        Only rows in which a column has a value, or one of a list of values: ``{"threads": 1, "species": "conv"}``;
        or conditions: ``["threads>=2", "shape=512-*"]``. Experiments that are not wanted are not read.
    columns
        Only these columns; by default all of them.
    views
        Files of views for other families of points; the shipped ones follow.
    flops
        ``true`` counts operations by the true output size, ``study`` by the published formula.
    strict
        Raise an error for the first file that cannot be loaded, instead of listing it.
    index
        Keep and use an index in the cache folder, so that the next call reads only what changed.
    workers
        Number of processes; by default chosen by the number of files.

    Returns
    -------
    pandas.DataFrame
        Columns as docs/formats.md lists them; texts are categorical, truth values and integers nullable, times in
        us. ``frame.attrs["skipped"]`` lists the files that gave no rows, each with path and reason.

    Raises
    ------
    UsageError
        The source, a column or a view is unknown.
    DataError
        ``strict`` is set and a file is damaged.
    """
    from nntest.crawl.collect import collect
    from nntest.crawl.frame import restrict, to_frame

    _check_columns([*(where if isinstance(where, Mapping) else ()), *columns])
    wanted = _wanted(where) if where else None
    known = find_views(views)
    listings = open_sources(source, tags)
    for listing in listings:
        listing.found = wanted.folders(listing.found) if wanted else listing.found
    collected = collect(listings, known, use_index=index, workers=workers)
    folders = [folder for listing in listings for folder in listing.folders]
    skipped = _skipped(listings, folders, collected.skips, strict=strict)
    block = restrict(collected.block, wanted.early) if wanted else collected.block
    late = wanted.late if wanted else []
    frame = to_frame(block, folders, flops=flops, columns=[*columns, *late] if columns else ())
    frame = wanted.rows(frame) if wanted else frame
    if columns:
        frame = frame[[name for name in frame.columns if name in columns]]
    frame.attrs["skipped"] = skipped
    collected.wait()
    return frame


def layers(
    source: Source | Sequence[Source],
    *,
    tags: str | Sequence[str] = "",
    views: Sequence[str | Path] = (),
    strict: bool = False,
    workers: int | None = None,
) -> "pd.DataFrame":
    """Load the layers of whole-network points, one row per point, repetition and layer.

    Parameters and errors are those of :func:`load`. Columns: those of the point, then repetition, index, label
    (without its number), direction (``forward``, ``backward``), time_us, energy_mj.
    """
    return _load_parts("layers", LAYER_COLUMNS, source, tags, views, strict=strict, workers=workers)


def kernels(
    source: Source | Sequence[Source],
    *,
    tags: str | Sequence[str] = "",
    views: Sequence[str | Path] = (),
    strict: bool = False,
    workers: int | None = None,
) -> "pd.DataFrame":
    """Load the kernels that a profiler saw, one row per point, repetition and kernel.

    Parameters and errors are those of :func:`load`. Columns: those of the point, then repetition, kernel, time_us.
    """
    return _load_parts("kernels", KERNEL_COLUMNS, source, tags, views, strict=strict, workers=workers)


def _load_parts(
    part: Part,
    columns: Sequence[Column],
    source: Source | Sequence[Source],
    tags: str | Sequence[str],
    views: Sequence[str | Path],
    *,
    strict: bool,
    workers: int | None,
) -> "pd.DataFrame":
    from nntest.crawl.collect import collect
    from nntest.crawl.frame import to_parts_frame

    listings = open_sources(source, tags)
    collected = collect(listings, find_views(views), part, workers=workers)
    folders = [folder for listing in listings for folder in listing.folders]
    skipped = _skipped(listings, folders, collected.skips, strict=strict)
    frame = to_parts_frame(collected.block, folders, columns)
    frame.attrs["skipped"] = skipped
    collected.wait()
    return frame


def _skipped(
    listings: Sequence[Listing], folders: Sequence[Folder], skips: Sequence[Skip], *, strict: bool
) -> list[Skipped]:
    skipped = [Skipped(path, reason) for listing in listings for path, reason in listing.damaged]
    skipped.extend(Skipped(_file_at(folders, skip.ordinal), skip.reason) for skip in skips)
    if strict and skipped:
        raise DataError(f"{skipped[0].path}: {skipped[0].reason}")
    return skipped


def _file_at(folders: Sequence[Folder], ordinal: int) -> str:
    for folder in folders:
        if ordinal < len(folder.names):
            return folder.file(ordinal)
        ordinal -= len(folder.names)
    raise IndexError(ordinal)


def _wanted(where: Mapping[str, Any] | Sequence[str]) -> "Wanted":
    # Most loads have no conditions, and a small one takes no longer than this import.
    from nntest.crawl.wanted import wanted_rows

    return wanted_rows(where)


def _check_columns(names: Sequence[str]) -> None:
    for name in names:
        if name not in BY_NAME:
            import difflib

            near = difflib.get_close_matches(name, BY_NAME, n=1)
            hint = f"did you mean `{near[0]}`?" if near else "docs/formats.md lists the columns"
            raise UsageError(f"{name}: no such column; {hint}")
