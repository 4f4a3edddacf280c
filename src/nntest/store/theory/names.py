"""One name for what published tables call differently: an alias table, and what needs none."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nntest.store.entries import find_datasets
from nntest.store.repository import Repository
from nntest.store.theory.csv_table import read_table

#: Tag of dataset entries with an alias table; their file is ``aliases.csv``: kind, name, canonical, group.
TAG = "alias-table"
FILE = "aliases.csv"

_DATATYPE = re.compile(r"[\s_-]+(INT\d+|FP\d+|BF16)$", re.IGNORECASE)
# A bare number is the pruning only behind a blank or an underscore: ResNet-50 is a name.
_PRUNING = re.compile(r"(?:[\s_-]+(\d+(?:\.\d+)?)\s*%|[\s_](\d+(?:\.\d+)?))$")


@dataclass(frozen=True)
class Names:
    """Canonical names and groups by (kind, key); kinds are platform and network."""

    canonical: Mapping[tuple[str, str], str] = field(default_factory=dict)
    groups: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def platform(self, name: str) -> str:
        """Return the name under which all tables know a platform."""
        return self.canonical.get(("platform", key_of(name)), name.strip())

    def network(self, name: str) -> str:
        """Return the name under which all tables know a network."""
        return self.canonical.get(("network", key_of(name)), name.strip())

    def group(self, kind: str, name: str) -> str:
        """Return the family that a canonical name belongs to, empty where the table does not say."""
        return self.groups.get((kind, key_of(name)), "")

    def split_platform(self, name: str) -> tuple[str, str]:
        """Split ``TX2-maxn-FP16`` into platform and datatype; the latter may be empty."""
        text, datatype = split_datatype(name)
        return self.platform(text), datatype

    def split_network(self, name: str) -> tuple[str, float, str]:
        """Split ``CNV 12.5%-INT2`` into network, pruning in percent (100 where not said) and datatype."""
        text, datatype = split_datatype(name)
        match = _PRUNING.search(text)
        if match is None:
            return self.network(text), 100.0, datatype
        return self.network(text[: match.start()]), float(match[1] or match[2]), datatype


def split_datatype(name: str) -> tuple[str, str]:
    """Split a datatype off the end of a name."""
    match = _DATATYPE.search(name.strip())
    return (name.strip()[: match.start()], match[1].upper()) if match else (name.strip(), "")


def key_of(name: str) -> str:
    """Return what stays of a name when case, blanks and punctuation are dropped.

    One at the end stays: a table that writes ``ResNet-50_`` beside ``ResNet-50`` means another.
    """
    text = name.strip().lower()
    return re.sub(r"[^a-z0-9.%]", "", text) + ("_" if text.endswith("_") else "")


def find_names(*, repositories: Sequence[Repository] | None = None) -> Names:
    """Read all alias tables that there are; the first that knows a name decides."""
    canonical: dict[tuple[str, str], str] = {}
    groups: dict[tuple[str, str], str] = {}
    for entry in find_datasets("*", TAG, repositories=repositories):
        for row in read_table(entry.path / FILE).rows:
            name = row.get("canonical") or row["name"]
            for alias in (row["name"], name):
                canonical.setdefault((row["kind"], key_of(alias)), name)
            if row.get("group"):
                groups.setdefault((row["kind"], key_of(name)), row["group"])
    return Names(canonical, groups)
