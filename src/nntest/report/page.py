"""Sections on disk, and the page that is rebuilt from them."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import Any

import orjson

from nntest import __version__
from nntest.analyses.names import count_noun, listed, pretty, shortened
from nntest.analyses.run import Result, part_name
from nntest.analyses.selection import exclusion_reasons
from nntest.report.explore import drawing_library, specification
from nntest.report.tabular import sheet
from nntest.report.vector import inline_svg
from nntest.report.verdict import as_records, sentences, trust_sentence, winners
from nntest.units import printable

SUFFIX = ".section.html"
_FIRST = ("adaptive", "speedup", "schedule", "batch", "ratio", "layers", "memory", "violin", "profile", "points")
_EVIDENCE = re.compile(r'<script type="application/json" class="evidence">(.*?)</script>', re.DOTALL)
_EXPLORER = '<details class="explore">'
_TITLE = re.compile(r"<h2[^>]*>(.*?)</h2>", re.DOTALL)
_PART_TITLES = {
    "excluded": "Left out, and why",
    "unmatched": "Cases without a baseline",
    "comparison": "Verdict on every comparison",
    "layers": "Picked for each layer",
    "single": "Against every single library and program",
    "total": "Totals",
    "missing": "Layers that nobody measured",
    "left_out": "Layers that not all libraries have",
    "sets": "Sets of libraries against each other",
}


def publish(result: Result, out_dir: Path) -> list[Path]:
    """Write the section of a result and rebuild the report of its folder; returns both paths."""
    return [write_section(result, out_dir), compose(out_dir)]


def write_section(result: Result, out_dir: Path) -> Path:
    """Write DIR/<name>.section.html, which holds everything that the report says of this analysis."""
    name = result.analysis.name
    sheets = [
        sheet(frame, name=part_name(name, part), title=_part_title(name, part), file=f"{part_name(name, part)}.csv")
        for part, frame in result.tables.items()
        if len(frame)
    ]
    options = {key: value for key, value in result.options.items() if value not in ("", None, (), {})}
    html = (
        _environment()
        .get_template("section.html")
        .render(
            name=name,
            title=result.analysis.title,
            finding=result.finding,
            caption=result.evidence.caption(),
            svg=inline_svg(
                (out_dir / f"{name}.svg").read_text(encoding="utf-8"), prefix=name, label=_escape(result.analysis.title)
            ),
            sheets=sheets,
            explorer=_script(specification(result.tables[name])),
            options={key: _option_words(value) for key, value in options.items()},
            evidence=_script(evidence_of(result)),
        )
    )
    path = out_dir / f"{name}{SUFFIX}"
    path.write_text(html, encoding="utf-8")
    return path


def evidence_of(result: Result) -> dict[str, Any]:
    """Return what a section knows of what was measured, and who won, as plain JSON."""
    points = result.points
    # an analysis may show emulated rows by itself; who is fastest is told of them only where somebody asked for it
    asked = result.options.include if result.options.was_given("include") else ()
    found = winners(points[exclusion_reasons(points, include=asked).isna()])
    return {
        **{key: getattr(result.evidence, key) for key in result.evidence.__dataclass_fields__},
        "winners": as_records(found),
        "verdict": [*filter(None, [trust_sentence(result.evidence.trust)]), *sentences(found)],
        "source": result.source,
        "included": list(result.options.include),
    }


def compose(out_dir: Path, *, notes: Sequence[str] = ()) -> Path:
    """Rebuild DIR/report.html from the sections in DIR: one file that asks nothing of any network.

    ``notes`` (what was left out, and why) stand at its end.
    """
    paths = sorted(out_dir.glob(f"*{SUFFIX}"), key=_rank)
    texts = [path.read_text(encoding="utf-8") for path in paths]
    found = [orjson.loads(match[1]) for text in texts if (match := _EVIDENCE.search(text))]
    html = (
        _environment()
        .get_template("report.html")
        .render(
            version=__version__,
            head=head(found),
            library=drawing_library() if any(_EXPLORER in text for text in texts) else "",
            notes=notes,
            sections=[
                {"id": path.name.removesuffix(SUFFIX), "title": _title(text, path), "html": _EVIDENCE.sub("", text)}
                for path, text in zip(paths, texts, strict=True)
            ],
        )
    )
    path = out_dir / "report.html"
    path.write_text(html, encoding="utf-8")
    return path


def head(evidence: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Join what the sections know into what stands at the page's head; the widest section speaks for the counts."""
    if not evidence:
        return {}
    # a section that shows what rankings leave out does not speak for them
    evidence = [item for item in evidence if not item.get("included")] or evidence
    widest = max(evidence, key=lambda item: item["rows"])
    platforms = _union(evidence, "platforms")
    names = [shortened(pretty(platform.get("platform", ""))) for platform in platforms]
    models = listed([shortened(pretty(name)) for name in _union(evidence, "models")])
    what, machine = models or "Operators of neural-network libraries", listed(dict.fromkeys(names))
    return {
        "title": f"{what} on {machine or 'an unnamed machine'}",
        "rows": widest["rows"],
        "cases": widest["cases"],
        "sessions": widest["sessions"],
        "first": min((item["first"] for item in evidence if item["first"]), default=""),
        "last": max((item["last"] for item in evidence if item["last"]), default=""),
        "platforms": platforms,
        "libraries": _union(evidence, "libraries"),
        "programs": _union(evidence, "programs"),
        "datasets": _union(evidence, "datasets"),
        "settings": {key: listed(values) for key, values in widest["settings"].items()},
        "trust": widest["trust"],
        "flags": widest["flags"],
        "excluded": widest["excluded"],
        "failures": widest["failures"],
        "failures_total": widest["failures_total"],
        "winners": widest["winners"],
        "verdict": widest["verdict"],
        "sources": sorted({item["source"] for item in evidence if item["source"]}),
    }


def _union(evidence: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    seen: dict[bytes, Any] = {}
    for item in evidence:
        for value in item[key]:
            seen.setdefault(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), value)
    return list(seen.values())


def _part_title(analysis: str, part: str) -> str:
    return "All values" if part == analysis else _PART_TITLES.get(part, part.replace("_", " ").capitalize())


def _option_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{key}:{item}" for key, item in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _script(value: Any) -> str:
    """Return JSON that may stand inside a script element: "<" is written as an escape, so nothing ends it."""
    if value is None:
        return ""
    shown = _shown(orjson.loads(orjson.dumps(value, default=str)))
    return orjson.dumps(shown).decode().replace("<", "\\u003c")


def _shown(value: Any) -> Any:
    """Return JSON with all texts as a page may show them."""
    if isinstance(value, dict):
        return {_shown(key): _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else _printable(value)


def _rank(path: Path) -> tuple[int, str]:
    name = path.name.removesuffix(SUFFIX)
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)


def _title(text: str, path: Path) -> str:
    match = _TITLE.search(text)
    return unescape(match[1]).strip() if match else path.name.removesuffix(SUFFIX)


def _escape(text: str) -> str:
    from markupsafe import escape

    return str(escape(text))


def _printable(value: Any) -> Any:
    """Return a text without control characters and marks that turn the direction of what follows; markup as it is."""
    return printable(value) if type(value) is str else value


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("nntest.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.filters["pretty"] = pretty
    environment.globals["count_noun"] = count_noun
    return environment
