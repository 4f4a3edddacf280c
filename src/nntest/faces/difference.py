"""How a difference of two sides is shown: on a terminal, in Markdown, and as JUnit for CI."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from nntest.faces.columns import columns
from nntest.units import US_PER_S, format_duration

if TYPE_CHECKING:
    from nntest.crawl.diff import CaseDifference, Difference, Side

_HEADING = ("program", "case", "A", "B", "time A", "time B", "B / A", "95 % interval", "verdict")


def table(difference: "Difference") -> str:
    """Return plain aligned columns, the notes, and a line that sums up."""
    rows = [(*_cells(case), _verdict(case)) for case in difference.cases]
    lines = list(columns(_HEADING, rows)) if rows else []
    return "\n".join([*lines, *_notes(difference), summary(difference)]) + "\n"


def markdown(difference: "Difference") -> str:
    """Return the same as a table of Markdown."""
    lines = [_row(_HEADING), _row(["---"] * len(_HEADING))] if difference.cases else []
    lines += [_row([*_cells(case), _verdict(case)]) for case in difference.cases]
    return "\n".join([*lines, "", *(f"- {note}" for note in _notes(difference)), "", summary(difference)]) + "\n"


def junit(difference: "Difference") -> str:
    """Return JUnit XML: a test case per case; slower and failed are failures, what cannot be told is skipped."""
    suite = ElementTree.Element("testsuite", name="nntest diff")
    failures = skipped = 0
    for case in difference.cases:
        test = ElementTree.SubElement(suite, "testcase", classname=case.program, name=case.case)
        text = f"{', '.join(_cells(case)[2:])}: {_verdict(case)}"
        undecided = case.gate == "undecided" or (difference.limit is None and case.verdict == "undecided")
        if case.gate == "slower":
            failures += 1
            ElementTree.SubElement(test, "failure", message=_clean(text), type=case.verdict).text = _clean(case.reason)
        elif undecided or case.verdict.startswith("missing"):
            skipped += 1
            ElementTree.SubElement(test, "skipped", message=_clean(text))
        else:
            ElementTree.SubElement(test, "system-out").text = _clean(text)
    suite.set("tests", str(len(difference.cases)))
    suite.set("failures", str(failures))
    suite.set("skipped", str(skipped))
    suite.set("errors", "0")
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def summary(difference: "Difference") -> str:
    """Return one line: how many of each verdict, and what the gate says."""
    from nntest.crawl.diff import VERDICTS

    counted = [f"{difference.count(verdict)} {verdict}" for verdict in VERDICTS if difference.count(verdict)]
    line = f"{len(difference.cases)} cases: {', '.join(counted)}" if counted else "no case on either side"
    if difference.limit is None:
        return line
    said = {0: "no case is slower", 1: "at least one case is slower or fails", 4: "this cannot be decided"}
    return f"{line}; by more than {100 * difference.limit:g} %: {said[difference.exit_code]}"


FORMATS: "Mapping[str, Callable[[Difference], str]]" = {"table": table, "markdown": markdown, "junit": junit}


def _cells(case: "CaseDifference") -> tuple[str, ...]:
    found = case.comparison
    ratio = f"{found.ratio:.3f}" if found and math.isfinite(found.ratio) else ""
    bounds = f"{found.low:.3f} to {found.high:.3f}" if found and math.isfinite(found.low) else ""
    return (
        case.program,
        case.case,
        case.a.library if case.a else "",
        case.b.library if case.b else "",
        _time(case.a),
        _time(case.b),
        ratio,
        bounds,
    )


def _verdict(case: "CaseDifference") -> str:
    open_gate = case.gate == "undecided" and case.verdict in {"slower", "faster", "equal"}
    words = [f"{case.verdict} (against the limit: undecided)" if open_gate else case.verdict]
    if case.verdict == "undecided" and case.comparison and math.isfinite(case.comparison.mde_pct):
        words.append(f"below {case.comparison.mde_pct:.1f} % nothing would have been found")
    return "; ".join([*words, case.reason] if case.reason else words)


def _time(side: "Side | None") -> str:
    if side is None:
        return ""
    return format_duration(side.time_us / US_PER_S) if math.isfinite(side.time_us) else "failed"


def _notes(difference: "Difference") -> Iterator[str]:
    yield from difference.notes


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _clean(text: str) -> str:
    """Return a text without what XML cannot hold."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "?" for letter in text)
