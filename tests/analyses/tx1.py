"""The published points of the Jetson TX1, and what comes out of them; where they are absent, tests skip with a word."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nntest.analyses.entries import load_analysis
from nntest.analyses.options import parse_options
from nntest.analyses.run import Result, carry_out
from nntest.crawl.tables import Tables

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
ARCHIVE = SHARED / "ck-caffe-nvidia-tx1-bvlc.zip"
ORIGINAL = SHARED / "ck-nntest-original-sample.zip"
needs_tx1 = pytest.mark.skipif(not ARCHIVE.exists(), reason=f"{ARCHIVE.name} is not beside this checkout")
needs_original = pytest.mark.skipif(not ORIGINAL.exists(), reason=f"{ORIGINAL.name} is not beside this checkout")


@cache
def expected() -> dict[str, Any]:
    """The results of an independent computation."""
    words: dict[str, Any] = json.loads((SHARED / "expected" / "tx1.json").read_text(encoding="utf-8"))
    return words


@cache
def tables(path: Path = ARCHIVE) -> Tables:
    """The points, loaded once for all tests."""
    return Tables(path)


def carry_tx1(name: str, source: Path = ARCHIVE, **given: Any) -> Result:
    """Carry out an analysis entry on the published points."""
    analysis = load_analysis(name)
    return carry_out(analysis, parse_options(analysis.declared, given, where=name), tables(source))


def table_tx1(name: str, **given: Any) -> Any:
    """Return the main table of an analysis of the published points."""
    return carry_tx1(name, **given).tables[name]
