"""Energy of timed blocks, from the counters that the processor keeps of itself (RAPL), where the system shows them.

The counters stand under /sys/class/powercap/intel-rapl:* (AMD's too), in microjoules. They are renewed about every
millisecond, they wrap around, and they count all that runs on a package, so that what the idle machine draws is
measured before a session's groups and subtracted. Where they cannot be read, the reason is kept instead, and a block
costs nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from nntest.model.point import Energy

Domain = Literal["package", "dram", "core"]

#: What the tables' energies are of.
TIER = "package, idle subtracted"
#: How often the processor renews its counters, about.
RESOLUTION_S = 1e-3
#: How long the idle machine is looked at.
IDLE_S = 2.0
#: Of a shorter window, begun and ended anywhere between two renewals, more than a fifth may be missing.
SHORTEST_WINDOW_S = 5 * RESOLUTION_S

_DOMAINS: tuple[Domain, ...] = get_args(Domain)
_FOLDER = Path("sys/class/powercap")
_ENERGY, _RANGE = "energy_uj", "max_energy_range_uj"
_UJ = 1e-6


@dataclass(frozen=True)
class Counter:
    """One counter: what it is of, its file, and the microjoules after which it begins anew."""

    domain: Domain
    path: Path
    range_uj: int

    def read_uj(self) -> int | None:
        """Return microjoules since the counter last began; None where it can no longer be read."""
        try:
            return int(self.path.read_bytes())
        except (OSError, ValueError):
            return None


@dataclass(frozen=True)
class Counters:
    """The counters of this machine; ``reason`` says why there are none."""

    counters: tuple[Counter, ...] = ()
    reason: str = ""

    def read(self) -> tuple[int | None, ...]:
        """Return all counters now, in microjoules."""
        return tuple(counter.read_uj() for counter in self.counters)

    def joules(self, before: Sequence[int | None], after: Sequence[int | None]) -> dict[Domain, float]:
        """Return what passed between two readings, by domain, all packages together; unread domains are left out."""
        spent: dict[Domain, float] = {}
        unread: set[Domain] = set()
        for counter, first, last in zip(self.counters, before, after, strict=True):
            if first is None or last is None:
                unread.add(counter.domain)
            else:
                # a counter holds minutes: between two readings it begins anew at most once
                passed = last - first if last >= first else last - first + counter.range_uj
                spent[counter.domain] = spent.get(counter.domain, 0.0) + passed * _UJ
        return {domain: value for domain, value in spent.items() if domain not in unread}


NOT_LOOKED_FOR = Counters(reason="counters were not looked for")
ELSEWHERE = Counters(reason="the target is not this machine, whose counters would count the emulator or the wait")


def open_counters(root: Path = Path("/")) -> Counters:
    """Find the counters of all packages, their memory and their cores.

    Parameters
    ----------
    root
        Root of the file system with /sys; another one in tests.
    """
    folder = root / _FOLDER
    # intel-rapl:0 is a package (or the whole board, psys), intel-rapl:0:1 a part of it; intel-rapl-mmio:* are the same
    # counters once more
    zones = sorted(folder.glob("intel-rapl:*"))
    found = [(domain, _counter(zone, domain)) for zone in zones if (domain := _domain(zone)) is not None]
    # the sum over packages is unknown, not smaller, where one of them cannot be read
    unread = {domain for domain, counter in found if counter is None}
    known = tuple(counter for domain, counter in found if counter is not None and domain not in unread)
    if not any(counter.domain == "package" for counter in known):
        return Counters(reason=_why_none(folder, zones))
    return Counters(counters=known)


@dataclass(frozen=True)
class Mark:
    """Counters and clock when a window began."""

    at_s: float
    counters: tuple[int | None, ...]


class EnergyMeter:
    """Energy of blocks above what the idle machine draws.

    Parameters
    ----------
    counters
        What can be read.
    clock
        Seconds, monotonic.
    idle_w
        Watts of the idle machine, by domain.
    """

    def __init__(
        self, counters: Counters, clock: Callable[[], float], idle_w: Mapping[Domain, float] | None = None
    ) -> None:
        self._counters = counters
        self._clock = clock
        self._idle_w = dict(idle_w or {})

    @classmethod
    def settled(cls, counters: Counters, clock: Callable[[], float], sleep: Callable[[float], None]) -> "EnergyMeter":
        """Look at the idle machine for ``IDLE_S`` seconds, where there are counters, and return the meter."""
        if counters.reason:
            return cls(counters, clock)
        meter = cls(counters, clock)
        mark = meter._read()
        sleep(IDLE_S)
        end = meter._read()
        passed = counters.joules(mark.counters, end.counters)
        if passed.get("package", 0.0) <= 0.0:
            reason = f"/{_FOLDER}/intel-rapl:* stood still for {IDLE_S:g} s; the system does not fill it"
            return cls(Counters(reason=reason), clock)
        seconds = end.at_s - mark.at_s
        return cls(counters, clock, {domain: value / seconds for domain, value in passed.items()})

    @property
    def facts(self) -> Energy:
        """What a point says of its energies."""
        if self._counters.reason:
            return Energy(reason=self._counters.reason)
        kinds = tuple(domain for domain in _DOMAINS if domain in self._idle_w)
        return Energy(tier=TIER, domains=kinds, resolution_s=RESOLUTION_S, idle_s=IDLE_S)

    @property
    def idle_w(self) -> float | None:
        """Watts that the packages of the idle machine draw."""
        return self._idle_w.get("package")

    @property
    def reads(self) -> bool:
        """Whether there is anything to read."""
        return bool(self._idle_w)

    def mark(self) -> Mark | None:
        """Begin a window; None, at no cost, where nothing can be read."""
        return self._read() if self._idle_w else None

    def above_idle(self, mark: Mark | None, *, timed_s: float, primed_s: float) -> dict[str, float]:
        """Return the joules above idle of a timed block, by the names of a ``Watch``; empty where nothing is known.

        The window from the mark to now holds the block, the priming before it, which is of the same calls, and the
        rest, which waits: above idle, all of its energy is of the first two, in proportion to their time.

        Parameters
        ----------
        timed_s
            Seconds of the block.
        primed_s
            Seconds of its priming.
        """
        if mark is None:
            return {}
        now = self._read()
        window_s, busy_s = now.at_s - mark.at_s, timed_s + primed_s
        if busy_s < SHORTEST_WINDOW_S:
            return {}
        share = timed_s / busy_s
        spent = self._counters.joules(mark.counters, now.counters)
        return {
            f"{domain}_j": (joules - self._idle_w[domain] * window_s) * share
            for domain, joules in spent.items()
            if domain in self._idle_w
        }

    def _read(self) -> Mark:
        return Mark(at_s=self._clock(), counters=self._counters.read())


def _domain(zone: Path) -> Domain | None:
    """Return what a zone counts; None for what is no part of a package, such as the whole board (psys)."""
    try:
        name = (zone / "name").read_text().strip()
    except (OSError, ValueError):
        return None
    if name.startswith("package"):
        return "package"
    return next((domain for domain in _DOMAINS if domain == name), None)


def _counter(zone: Path, domain: Domain) -> Counter | None:
    """Return the counter of a zone; None where it cannot be read."""
    try:
        counter = Counter(domain, zone / _ENERGY, int((zone / _RANGE).read_text()))
    except (OSError, ValueError):
        return None
    return None if counter.read_uj() is None else counter


def _why_none(folder: Path, zones: Sequence[Path]) -> str:
    """Say why no package's counter can be read, without the tests' root."""
    shown = Path("/") / _FOLDER
    if not folder.is_dir():
        return f"{shown} is not there; the processor's energy counters are not shown here (a virtual machine?)"
    if not zones:
        return f"{shown} has no intel-rapl:*; the processor's energy counters are not shown here (a container?)"
    wanted = [zone / name for zone in zones if _domain(zone) == "package" for name in (_ENERGY, _RANGE)]
    troubles = (f"{shown}/{path.parent.name}/{path.name} {words}" for path in wanted if (words := _trouble(path)))
    return next(troubles, f"{shown}/intel-rapl:* has no package's counter; expected a zone named package-0")


def _trouble(path: Path) -> str:
    """Say why a counter's file cannot be used, nothing where it can."""
    try:
        int(path.read_bytes())
    except PermissionError as error:
        allow = f"`sudo chmod a+r /{_FOLDER}/intel-rapl:*/{_ENERGY}`"
        return f"is not readable ({error.strerror}); root can allow it: {allow}"
    except OSError as error:
        return f"is not readable ({error.strerror})"
    except ValueError:
        return "holds no number; expected microjoules"
    return ""
