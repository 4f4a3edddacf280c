import re
from pathlib import Path

from nntest.analyses.contract import Frames
from nntest.report import write_report
from tests.analyses.frames import repetitions, typed

EVIL = "<script>|$x_1$ 50% & {a}\\\\"


def report(tmp_path: Path, *formats: str) -> None:
    points = typed(repetitions([1.0] * 10) + repetitions([2.0] * 10, program=EVIL, library="b"))
    write_report(Frames(points=points), tmp_path, analyses=["speedup"], formats=formats)


def test_markdown_has_findings_charts_and_tables_and_no_markup_of_others(tmp_path: Path) -> None:
    report(tmp_path, "md")
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert text.startswith(
        "# Operators of neural-network libraries on AMD EPYC 9005\n\n- conv: oneDNN 3.2.0 is fastest"
    )
    assert " and oneDNN 3.2.0.  \n" in text
    assert "## Speedup over a baseline\n" in text
    assert "![Speedup over a baseline](speedup.png)" in text
    assert "| program | library |" in text
    assert "<script>" not in text
    assert "&lt;script&gt;\\|$x\\_1$" in text


def test_latex_is_booktabs_with_texts_escaped(tmp_path: Path) -> None:
    report(tmp_path, "tex")
    text = (tmp_path / "speedup.tex").read_text(encoding="utf-8")
    assert "\\toprule" in text
    assert text.rstrip().endswith("\\end{longtable}")
    assert r"\textless{}script\textgreater{}|\$x\_1\$ 50\% \& \{a\}" in text


def test_latex_says_what_is_equal_in_all_rows(tmp_path: Path) -> None:
    report(tmp_path, "tex")
    text = (tmp_path / "speedup.tex").read_text(encoding="utf-8")
    assert re.search(r"\\multicolumn\{\d+\}\{l\}\{\\footnotesize In all rows: .*species conv, .*\.\} ", text)


def test_tables_without_rows_are_left_out(tmp_path: Path) -> None:
    points = typed(repetitions([1.0] * 4))
    write_report(Frames(points=points), tmp_path, analyses=["profile"], formats=["md"])
    assert "| kernel" not in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_what_acts_instead_of_showing_is_written_out(tmp_path: Path) -> None:
    acting = "a\u202eb\x1b\x9bc\u2066"
    points = typed(repetitions([1.0] * 10) + repetitions([2.0] * 10, program=acting, library=acting, platform="x"))
    write_report(Frames(points=points), tmp_path, analyses=["points"], formats=["md", "tex"])
    markdown, latex = ((tmp_path / name).read_text(encoding="utf-8") for name in ("report.md", "points.tex"))
    assert all(line.isprintable() for line in (*markdown.split("\n"), *latex.split("\n")))
    assert r"a\\u202eb\\x1b\\x9bc\\u2066" in markdown
    assert r"a\textbackslash{}u202eb" in latex
