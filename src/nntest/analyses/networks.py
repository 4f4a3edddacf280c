"""The layers of a network that an analysis weighs its shapes by."""

from typing import TYPE_CHECKING

from nntest.analyses.columns import nearest
from nntest.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from nntest.analyses.contract import Tables

PREFIX = "network-"


def layers_of(source: "Tables", network: str, *, where: str) -> "pd.DataFrame":
    """Return the layers of a network: one row per distinct shape, with its ``multiplicity`` and ``layers``' names.

    Columns: model, species, shape, multiplicity, layer (names joined by ``+``), in the order of first occurrence.

    Raises
    ------
    UsageError
        There is no such network; the nearest is named.
    """
    table = source.networks
    names = [] if table is None else [str(name) for name in table["network"].dropna().unique()]
    bare = {name.removeprefix(PREFIX): name for name in names}
    wanted = network.removeprefix(PREFIX)
    if table is None or wanted not in bare:
        raise UsageError(f"{where}: there is no network {network!r}; {nearest(wanted, bare)}")
    layers = table[table["network"] == bare[wanted]]
    grouped = layers.astype({"species": "string", "shape": "string", "layer": "string"}).groupby(
        ["species", "shape"], sort=False
    )
    result = grouped.agg(multiplicity=("layer", "size"), layer=("layer", "+".join)).reset_index()
    return result.assign(model=wanted)


def shapes_as_layers(points: "pd.DataFrame") -> "pd.DataFrame":
    """Return every measured shape as a layer that occurs once, as `layers_of` returns a network's."""
    from nntest.analyses.names import sort_naturally

    shapes = sort_naturally(points[["species", "shape"]].drop_duplicates().astype("string"))
    return shapes.assign(multiplicity=1, layer=shapes["shape"], model="all shapes")
