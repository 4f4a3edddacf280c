"""What an analysis is: two pure functions in its folder, ``table`` and ``chart``; options in its meta."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from nntest.analyses.options import Options

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class Tables(Protocol):
    """What an analysis reads, each loaded when first asked for.

    ``networks`` has one row per layer: network, layer, species, shape.
    """

    @property
    def points(self) -> "pd.DataFrame": ...  # noqa: D102

    @property
    def layers(self) -> "pd.DataFrame": ...  # noqa: D102

    @property
    def kernels(self) -> "pd.DataFrame": ...  # noqa: D102

    @property
    def networks(self) -> "pd.DataFrame": ...  # noqa: D102

    @property
    def hardware(self) -> "pd.DataFrame": ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Frames:
    """Tables from frames at hand: a notebook's, a query's, a test's."""

    points: "pd.DataFrame"
    layers: "pd.DataFrame" = field(default=None)  # type: ignore[assignment]
    kernels: "pd.DataFrame" = field(default=None)  # type: ignore[assignment]
    networks: "pd.DataFrame" = field(default=None)  # type: ignore[assignment]
    hardware: "pd.DataFrame" = field(default=None)  # type: ignore[assignment]


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """An analysis entry with its code.

    ``table`` gives the main frame under the analysis' own name and further parts under theirs; ``chart`` draws them;
    ``finding`` (optional) says in a sentence or two what they show.
    """

    name: str
    title: str
    declared: Mapping[str, Mapping[str, Any]]
    table: Callable[[Tables, Options], "dict[str, pd.DataFrame]"]
    chart: Callable[["dict[str, pd.DataFrame]", Options], "Figure"]
    finding: Callable[["dict[str, pd.DataFrame]", Options], str]
