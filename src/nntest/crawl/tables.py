"""What an analysis reads of a source: each table is made when it is first asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nntest.crawl.load import Skipped, kernels, layers, load
from nntest.crawl.sources import Source, list_sources
from nntest.errors import NNTestError
from nntest.model.network import load_network
from nntest.store.entries import DatasetEntry, find_datasets
from nntest.store.repository import Repository, known_repositories, repository_name

if TYPE_CHECKING:
    import pandas as pd

_NETWORK = ("network", "index", "layer", "species", "shape", "inputs")


@dataclass(frozen=True)
class Tables:
    """The tables of one source; parameters are those of :func:`nntest.load`."""

    source: Source | Sequence[Source]
    tags: str | Sequence[str] = field(default="", kw_only=True)
    views: Sequence[str | Path] = field(default=(), kw_only=True)
    strict: bool = field(default=False, kw_only=True)

    @cached_property
    def points(self) -> "pd.DataFrame":
        """One row per repetition; see :func:`nntest.load`."""
        return load(self.source, tags=self.tags, views=self.views, strict=self.strict)

    @cached_property
    def layers(self) -> "pd.DataFrame":
        """One row per point, repetition and layer; see :func:`nntest.layers`."""
        return layers(self.source, tags=self.tags, views=self.views, strict=self.strict)

    @cached_property
    def kernels(self) -> "pd.DataFrame":
        """One row per point, repetition and kernel; see :func:`nntest.kernels`."""
        return kernels(self.source, tags=self.tags, views=self.views, strict=self.strict)

    @cached_property
    def networks(self) -> "pd.DataFrame":
        """Every layer of the networks in the source and in the known repositories.

        Columns: network (the entry's name), index, layer, species, shape, inputs (names joined by ``+``); a network
        of the source hides one of the same name elsewhere. ``attrs["skipped"]`` lists entries that cannot be read.
        """
        import pandas as pd

        rows: list[tuple[str | int, ...]] = []
        skipped: list[Skipped] = []
        for entry in find_datasets("*", "dataset,network", repositories=self._repositories()):
            _add_network(entry, rows, skipped)
        frame = pd.DataFrame(rows, columns=list(_NETWORK)).astype({"index": "int64"})
        frame.attrs["skipped"] = skipped
        return frame

    @cached_property
    def hardware(self) -> "pd.DataFrame":
        """One row per platform that the points come from; see `nntest.crawl.hardware.hardware_table`."""
        from nntest.crawl.hardware import hardware_table

        return hardware_table(self.points, list_sources(self.source, self.tags))

    @property
    def skipped(self) -> list[Skipped]:
        """The files that gave no rows in the tables that were asked for so far, each once."""
        made = [vars(self)[name] for name in ("points", "layers", "kernels", "networks") if name in vars(self)]
        return list(dict.fromkeys(skip for frame in made for skip in frame.attrs["skipped"]))

    def _repositories(self) -> list[Repository]:
        """Return the folders of the source that are repositories, then all that are known."""
        sources = [self.source] if isinstance(self.source, str | Path) else list(self.source)
        own = [Path(item).expanduser() for item in sources]
        return [
            *(Repository(repository_name(path), path) for path in own if (path / "dataset").is_dir()),
            *known_repositories(),
        ]


def _add_network(entry: DatasetEntry, rows: list[tuple[str | int, ...]], skipped: list[Skipped]) -> None:
    try:
        network = load_network(entry.network_path)
    except NNTestError as error:
        skipped.append(Skipped(str(entry.network_path), str(error)))
        return
    for index, layer in enumerate(network.layers):
        rows.append((entry.uoa, index, layer.name, layer.species, layer.shape, "+".join(layer.inputs)))
