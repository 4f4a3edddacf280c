"""Where two tables say different things of one device or network."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nntest.model.roof import HardwareRow, Workload

#: Published numbers are rounded to two or three digits; what differs by more is another number.
TOLERANCE = 0.05


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """Two values of one quantity, each with the table that says so."""

    subject: str
    quantity: str
    first: float
    first_source: str
    second: float
    second_source: str

    def __str__(self) -> str:
        return (
            f"{self.subject}: {self.quantity} is {self.first:g} in {self.first_source} and {self.second:g} in "
            f"{self.second_source}; expected equal; correct one, or rename what is another device or network"
        )


def hardware_contradictions(rows: Iterable[HardwareRow]) -> list[Contradiction]:
    """Compare peaks by platform and datatype, bandwidths by platform and level; measured rows by machine too."""
    found: list[tuple[str, str, float | None, str]] = []
    for row in rows:
        subject = f"{row.platform} {row.machine}".strip()
        found.append((subject, f"peak_tops of {row.datatype}{_at(row)}", row.peak_tops, row.source))
        found.append((subject, f"bandwidth_gb_s of {row.level}{_at(row)}", row.bandwidth_gb_s, row.source))
    return list(_compare(found))


def workload_contradictions(rows: Iterable[Workload]) -> list[Contradiction]:
    """Compare operations, parameters and accuracies by network, pruning and datatype."""
    found: list[tuple[str, str, float | None, str]] = []
    for row in rows:
        name = f"{row.network} {row.pruning_pct:g}%"
        found += [(name, quantity, getattr(row, quantity), row.source) for quantity in ("gops", "parameters_m")]
        found.append((f"{name} {row.datatype}", "top1_pct", row.top1_pct, row.source))
    return list(_compare(found))


def _compare(found: Sequence[tuple[str, str, float | None, str]]) -> Iterator[Contradiction]:
    first: dict[tuple[str, str], tuple[float, str]] = {}
    said: set[Any] = set()
    for subject, quantity, value, source in found:
        if value is None:
            continue
        known, known_source = first.setdefault((subject, quantity), (value, source))
        differs = abs(known - value) > TOLERANCE * max(abs(known), abs(value))
        if differs and (subject, quantity, source) not in said:
            said.add((subject, quantity, source))
            yield Contradiction(
                subject=subject,
                quantity=quantity,
                first=known,
                first_source=known_source,
                second=value,
                second_source=source,
            )


def _at(row: HardwareRow) -> str:
    return "" if row.threads is None else f" with {row.threads} threads"
