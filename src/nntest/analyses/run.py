"""The runner: an analysis, its options and a source become files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nntest.analyses.contract import Analysis, Tables
from nntest.analyses.entries import load_analysis
from nntest.analyses.evidence import Evidence, chosen_rows, gather
from nntest.analyses.names import drawable_name, drawable_names
from nntest.analyses.options import Options, parse_options
from nntest.analyses.selection import Selection, excluded_table, exclusion_reasons, filter_rows
from nntest.analyses.style import chart_style, save_figure
from nntest.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Source = str | Path | Sequence[str | Path]


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """An analysis carried out: what a section of a report is made of."""

    analysis: Analysis
    options: Options
    source: str
    tables: "dict[str, pd.DataFrame]"
    finding: str
    evidence: Evidence
    points: "pd.DataFrame"


@dataclass(frozen=True, kw_only=True)
class Written:
    """The files that a run wrote; ``paths`` in order, the last is what to open first."""

    name: str
    paths: tuple[Path, ...]


Publish = Callable[[Result, Path], list[Path]]


def run_analysis(
    name: str,
    source: Source | Tables,
    options: Mapping[str, Any],
    out_dir: Path,
    *,
    tags: str = "",
    publish: Publish | None = None,
) -> Written:
    """Run the analysis ``name`` on ``source`` and write its tables and chart to ``out_dir``.

    Parameters
    ----------
    source
        A repository, folder or zip, a list of these, or tables at hand (`contract.Frames`).
    options
        Texts by name, as typed after ``--``; unknown ones are refused before anything is read.
    publish
        Writes the section and the report; `nntest.report.publish` is the one that the faces hand in.

    Returns
    -------
    Written
        DIR/<name>.csv, DIR/<name>-<part>.csv, DIR/<name>.svg, DIR/<name>.png and whatever ``publish`` wrote.

    Raises
    ------
    UsageError
        Unknown analysis or option, or no row that could be ranked.
    DataError
        The source is damaged or lacks columns.
    """
    analysis = load_analysis(name)
    parsed = parse_options(analysis.declared, options, where=name)
    tables = open_tables(source, tags)
    result = carry_out(analysis, parsed, tables, source=source_words(source, tags))
    return write_result(result, out_dir, publish=publish)


def write_result(result: Result, out_dir: Path, *, publish: Publish | None = None) -> Written:
    """Write the tables and chart of a result, then whatever ``publish`` adds."""
    out_dir.mkdir(parents=True, exist_ok=True)
    name = result.analysis.name
    paths = [write_csv(frame, out_dir / f"{part_name(name, part)}.csv") for part, frame in result.tables.items()]
    with chart_style():
        figure = result.analysis.chart(drawable_names(result.tables), _drawable(result.options))
    paths += save_figure(figure, out_dir / name)
    if publish is not None:
        paths += publish(result, out_dir)
    return Written(name=name, paths=tuple(paths))


def carry_out(analysis: Analysis, options: Options, tables: Tables, *, source: str = "") -> Result:
    """Compute tables, finding and evidence, without writing anything."""
    points = filter_rows(tables.points, options.where, where=analysis.name)
    layered = options.get("level") == "layer" and tables.layers is not None
    # a caption counts what was drawn
    drawn = filter_rows(tables.layers, options.where, where=analysis.name) if layered else points
    frames = analysis.table(tables, options)
    drawn = chosen_rows(drawn, options, frames[analysis.name])
    points = chosen_rows(points, options, frames[analysis.name])
    reasons = exclusion_reasons(drawn, include=options.include)
    selection = Selection(drawn[reasons.isna()], excluded_table(drawn, reasons))
    if not selection.excluded.empty:
        frames.setdefault("excluded", selection.excluded)
    return Result(
        analysis=analysis,
        options=options,
        source=source,
        tables=frames,
        # a sentence has no more room for a name than a chart
        finding=analysis.finding(drawable_names(frames), _drawable(options)),
        evidence=gather(selection, drawn, table_rows=len(frames[analysis.name])),
        points=points,
    )


def _drawable(options: Options) -> Options:
    """Return options that name their rows (a baseline's values by column) as drawable tables do."""
    return options.mapped(
        lambda value: (
            {key: drawable_name(str(one)) for key, one in value.items()} if isinstance(value, Mapping) else value
        )
    )


def part_name(analysis: str, part: str) -> str:
    """Return the stem of a part's file: the main table carries the analysis' name alone."""
    return analysis if part == analysis else f"{analysis}-{part.removeprefix(f'{analysis}-')}"


def write_csv(frame: "pd.DataFrame", path: Path) -> Path:
    """Write a table; unknown values are empty, numbers keep all digits that tell them apart."""
    frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
    return path


def open_tables(source: Source | Tables, tags: str) -> Tables:
    """Return the tables of a source; tables at hand are taken as they are."""
    if isinstance(source, str | Path | Sequence):
        from nntest.crawl.tables import Tables as Crawled

        crawled: Tables = Crawled(source, tags=tags)
        return crawled
    if tags:
        raise UsageError("tags choose experiments of a source; tables at hand have none; leave them out")
    return source


def source_words(source: Source | Tables, tags: str) -> str:
    """Return how a person would name the source; nothing for tables at hand."""
    from nntest.crawl.tables import Tables as Crawled

    if isinstance(source, Crawled):
        own = source.tags if isinstance(source.tags, str) else ",".join(source.tags)
        return source_words(source.source, own)
    if isinstance(source, str | Path):
        words = str(source)
    elif isinstance(source, Sequence):
        words = " ".join(map(str, source))
    else:
        return ""
    return f"{words} --tags={tags}" if tags else words
