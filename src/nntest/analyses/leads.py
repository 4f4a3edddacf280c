"""Whether the one that was picked is faster than the one it was preferred to, and the words for it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nntest.analyses.names import listed
from nntest.statistics.comparison import Comparison, comparisons

if TYPE_CHECKING:
    import pandas as pd

    from nntest.statistics.series import Ints, Series

ALONE = "alone"
#: Behind what a chart names as picked, before the one that it was preferred to.
MARKS = {"equivalent": "≈", "undecided": "?"}
_WORDS = (
    ("different", "sure"),
    ("equivalent", "a tie within 1 %"),
    ("undecided", "not told apart"),
    (ALONE, "without a competitor"),
)


def lead(item: Comparison) -> str:
    """Return the verdict on a lead (the second before the first); where the samples say the contrary, nobody leads."""
    return "undecided" if item.verdict == "different" and item.ratio < 1 else item.verdict


def leads(series: "Sequence[Series]", picked: "Ints", rivals: "Ints") -> "tuple[list[str], list[float]]":
    """Judge each pick against its rival (a number below 0: it has none), as one family (false discovery rate).

    Returns
    -------
    tuple of lists
        Verdicts: those of `lead`, or `ALONE`; and the smallest differences in percent that would have been found.
    """
    contested = np.flatnonzero(rivals >= 0)
    verdicts, least = [ALONE] * len(picked), [float("nan")] * len(picked)
    found = comparisons(series, rivals[contested], picked[contested], adjustment="fdr") if len(contested) else []
    for place, item in zip(contested.tolist(), found, strict=True):
        verdicts[place], least[place] = lead(item), item.mde_pct
    return verdicts, least


def lead_words(verdicts: "pd.Series") -> str:
    """Return how many leads are sure, ties, open: ``3 sure and 1 not told apart``."""
    counts = verdicts.value_counts()
    return listed(f"{counts[word]} {said}" for word, said in _WORDS if counts.get(word, 0))
