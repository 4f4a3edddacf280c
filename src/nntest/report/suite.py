"""The report of a source: the analyses that suit what it holds, on one page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nntest.analyses.contract import Tables
from nntest.analyses.entries import load_analysis
from nntest.analyses.options import parse_options
from nntest.analyses.run import Result, Source, carry_out, open_tables, source_words, write_result
from nntest.errors import DataError, UsageError
from nntest.report.page import compose, evidence_of, head, write_section
from nntest.report.text import write_latex, write_markdown

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("html", "md", "tex")


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What a source holds, as far as the choice of analyses depends on it."""

    points: int
    shapes: int
    models: int
    subjects: int
    libraries: int
    batch_sizes: int
    has_layers: bool
    has_kernels: bool
    has_memory: bool
    has_counts: bool


#: Analyses in the order of reading, each with what it needs to say anything.
SUITABLE: Mapping[str, Callable[[Holding], bool]] = {
    "adaptive": lambda holds: holds.libraries > 1 and (holds.shapes > 0 or holds.has_layers),
    "speedup": lambda holds: holds.subjects > 1,
    "schedule": lambda holds: holds.subjects > 1 and holds.shapes > 0,
    "batch": lambda holds: holds.models > 0 or holds.batch_sizes > 1,
    "ratio": lambda holds: holds.libraries > 1 and holds.models > 0,
    "layers": lambda holds: holds.has_layers,
    "memory": lambda holds: holds.has_memory,
    "violin": lambda holds: holds.points > 0,
    "profile": lambda holds: holds.has_kernels,
    "instructions": lambda holds: holds.has_counts,
    "points": lambda holds: holds.points > 0,
    "platform": lambda holds: holds.points > 0,
}


def write_report(
    source: Source | Tables,
    out_dir: Path,
    *,
    tags: str = "",
    analyses: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    formats: Sequence[str] = ("html",),
) -> list[Path]:
    """Carry out the analyses that suit the source and write them on one page; the page's path comes last.

    Parameters
    ----------
    analyses
        Their names; by default those of `SUITABLE` that can say something about the source.
    options
        Given to each analysis that has them; one that none has is refused.
    formats
        ``html`` is the page; ``md`` adds DIR/report.md, ``tex`` DIR/<name>.tex with each main table.

    Raises
    ------
    UsageError
        An analysis, option or format is unknown, or nothing could be said.
    DataError
        The source is damaged.
    """
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"report: format is {name!r}; expected one of {', '.join(FORMATS)}")
    tables = open_tables(source, tags)
    chosen = list(analyses) or suitable(holding(tables))
    loaded = [load_analysis(name) for name in chosen]
    given = dict(options or {})
    _refuse_unknown(given, [{*analysis.declared, "where", "include"} for analysis in loaded])
    results, notes = [], []
    for analysis in loaded:
        own = {key: value for key, value in given.items() if key in {*analysis.declared, "where", "include"}}
        try:
            parsed = parse_options(analysis.declared, own, where=analysis.name)
            results.append(carry_out(analysis, parsed, tables, source=source_words(source, tags)))
        except (UsageError, DataError) as error:
            if analyses:
                raise
            notes.append(str(error))
    if not results:
        raise UsageError(f"report: nothing can be said of this source ({'; '.join(notes) or 'it holds no points'})")
    return _write(results, notes, out_dir, formats)


def suitable(held: Holding) -> list[str]:
    """Return the analyses that can say something about what a source holds, in the order of reading."""
    return [name for name, suits in SUITABLE.items() if suits(held)]


def holding(tables: Tables) -> Holding:
    """Find out what a source holds."""
    points = tables.points
    return Holding(
        points=len(points),
        shapes=_distinct(points, "shape"),
        models=_distinct(points, "model"),
        subjects=max(_distinct(points, "program"), _distinct(points, "library")),
        libraries=_distinct(points, "library"),
        batch_sizes=_distinct(points, "batch_size"),
        has_layers=_distinct(points, "model") > 0 and _has_rows(tables.layers),
        has_kernels=_has_rows(tables.kernels),
        has_memory=_distinct(points, "memory_mb") > 0,
        has_counts=_distinct(points, "instructions") > 0,
    )


def _write(results: Sequence[Result], notes: Sequence[str], out_dir: Path, formats: Sequence[str]) -> list[Path]:
    paths: list[Path] = []
    for result in results:
        paths += write_result(result, out_dir, publish=_section).paths
    if "tex" in formats:
        paths += [path for result in results for path in write_latex(result, out_dir)]
    if "md" in formats:
        paths.append(
            write_markdown(results, out_dir, head=head([evidence_of(result) for result in results]), notes=notes)
        )
    return [*paths, compose(out_dir, notes=notes)]


def _section(result: Result, out_dir: Path) -> list[Path]:
    return [write_section(result, out_dir)]


def _refuse_unknown(given: Mapping[str, Any], declared: Sequence[set[str]]) -> None:
    for name in given:
        if not any(name in options for options in declared):
            raise UsageError(
                f"report: there is no option {name!r} in any of the {len(declared)} analyses; "
                "`nntest list analyses` shows them"
            )


def _distinct(points: "pd.DataFrame", column: str) -> int:
    return int(points[column].nunique()) if column in points else 0


def _has_rows(frame: "pd.DataFrame | None") -> bool:
    return frame is not None and len(frame) > 0
