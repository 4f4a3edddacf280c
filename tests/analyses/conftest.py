from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from nntest.analyses.contract import Frames
from nntest.analyses.entries import load_analysis
from nntest.analyses.options import parse_options
from nntest.analyses.run import Result, carry_out
from tests.analyses.frames import network

Carry = Callable[..., Result]


@pytest.fixture
def carry() -> Carry:
    """Carry out an analysis entry on a frame; further keywords are its options, frames its further tables."""

    def run(name: str, points: pd.DataFrame, **given: Any) -> Result:
        more = {key: given.pop(key) for key in ("layers", "kernels", "hardware") if key in given}
        analysis = load_analysis(name)
        options = parse_options(analysis.declared, given, where=name)
        return carry_out(analysis, options, Frames(points=points, networks=network(), **more))

    return run
