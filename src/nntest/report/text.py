"""A report for a repository (Markdown) and tables for a paper (LaTeX)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nntest.analyses.names import listed, pretty
from nntest.analyses.run import Result, part_name
from nntest.report.tabular import format_value, sheet
from nntest.units import printable

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 40
_SPECIAL = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
            "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
            ">": r"\textgreater{}", "µ": r"\textmu{}"}  # fmt: skip


def write_markdown(
    results: Sequence[Result], out_dir: Path, *, head: Mapping[str, Any] | None = None, notes: Sequence[str] = ()
) -> Path:
    """Write DIR/report.md: findings, charts (by reference) and the first 40 rows of each main table.

    ``head`` is what `nntest.report.page.head` knows: verdicts, and what was measured, when and by which versions.
    """
    lines = _head(head) if head else ["# NNTest report", ""]
    for result in results:
        name = result.analysis.name
        lines += [f"## {_text(result.analysis.title)}", ""]
        lines += [_text(result.finding), ""] if result.finding else []
        lines += [f"![{_text(result.analysis.title)}]({name}.png)", "", _text(result.evidence.caption()), ""]
        lines += [*_table(result.tables[name], f"{name}.csv"), ""]
    if notes:
        lines += ["## Not shown", "", *(f"- {_text(note)}" for note in notes), ""]
    path = out_dir / "report.md"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def write_latex(result: Result, out_dir: Path) -> list[Path]:
    """Write DIR/<name>.tex and DIR/<name>-<part>.tex: the tables as booktabs, every row, texts escaped."""
    paths = []
    for part, frame in result.tables.items():
        if len(frame):
            path = out_dir / f"{part_name(result.analysis.name, part)}.tex"
            path.write_text(_latex(frame, result.analysis.title), encoding="utf-8")
            paths.append(path)
    return paths


def _head(head: Mapping[str, Any]) -> list[str]:
    lines = [f"# {_text(head['title'])}", "", *(f"- {_text(sentence)}" for sentence in head["verdict"]), ""]
    when = head["first"] if head["first"] == head["last"] else f"{head['first']} to {head['last']}"
    libraries = [
        " ".join(dict.fromkeys([*pretty(item.get("library", "")).split(), *item.get("library_version", "").split()]))
        for item in head["libraries"]
    ]
    machines = [" · ".join(dict.fromkeys(filter(None, item.values()))) for item in head["platforms"]]
    told = {"Measured": when, "On": "; ".join(machines), "Libraries": listed(libraries, limit=20),
            "Programs": listed(head["programs"], limit=20)}  # fmt: skip
    return [*lines, *(f"{name}: {_text(words)}.  " for name, words in told.items() if words), ""]


def _table(frame: "pd.DataFrame", file: str) -> list[str]:
    shown = sheet(frame.head(MAX_ROWS), name="", title="", file=file)
    if not shown.columns or not shown.rows:
        return []
    said = [f"In all rows: {_text(', '.join(f'{c} {v}' for c, v in shown.constants))}.", ""] if shown.constants else []
    align = ["---:" if cell.number else "---" for cell in shown.rows[0]]
    rows = [list(shown.columns), *([cell.text for cell in row] for row in shown.rows)]
    lines = [f"| {' | '.join(_text(cell) for cell in row)} |" for row in rows]
    lines.insert(1, f"| {' | '.join(align)} |")
    more = (
        ["", f"The first {MAX_ROWS} of {len(frame):,} rows; all are in [{file}]({file})."]
        if len(frame) > MAX_ROWS
        else []
    )
    return [*said, *lines, *more]


def _latex(frame: "pd.DataFrame", title: str) -> str:
    import pandas as pd

    kept = [column for column in frame.columns if frame[column].nunique(dropna=False) > 1 or len(frame) == 1]
    numeric = [pd.api.types.is_numeric_dtype(frame[column]) for column in kept]
    rows = frame[kept].astype("object").itertuples(index=False, name=None)
    body = [
        " & ".join(_escaped(format_value(value, str(column))) for value, column in zip(row, kept, strict=True)) + r" \\"
        for row in rows
    ]
    head = " & ".join(_escaped(str(column).replace("_", " ")) for column in kept) + r" \\"
    columns = "".join("r" if number else "l" for number in numeric)
    constant = [column for column in frame.columns if column not in kept and frame[column].notna().any()]
    same = [f"{column.replace('_', ' ')} {format_value(frame[column].iloc[0], str(column))}" for column in constant]
    words = _escaped(f"In all rows: {', '.join(same)}.")
    note = [r"\midrule", rf"\multicolumn{{{len(kept)}}}{{l}}{{\footnotesize {words}}} \\"] if same and kept else []
    return "\n".join(
        [f"% {title}; needs \\usepackage{{booktabs,longtable}}", rf"\begin{{longtable}}{{{columns}}}", r"\toprule",
         head, r"\midrule", r"\endhead", *body, *note, r"\bottomrule", r"\end{longtable}", ""]
    )  # fmt: skip


def _text(text: str) -> str:
    """Escape what Markdown and the HTML inside it would take for markup."""
    escaped = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")
    for mark in "\\`*_[]|":
        escaped = escaped.replace(mark, f"\\{mark}")
    return escaped


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(letter, letter) for letter in printable(text))
