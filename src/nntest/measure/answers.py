"""What a driver process answers, and how it fails to."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar

from nntest.errors import DriverError, NNTestError


class UnsupportedCase(NNTestError):  # noqa: N818 (an answer, not an error)
    """The operator cannot do this case; counted, makes no point."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DriverFault(DriverError):  # noqa: N818 (names what happened)
    """A driver process did not do its work; ``reason`` is the message."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DriverCrash(DriverFault):
    """The process ended by itself; the reason names the signal and what was printed last."""


class DriverTimeout(DriverFault):
    """No answer came in time; the process was killed."""


class DriverFailure(DriverFault):
    """The operator or the driver answered with an error; the process lives on."""


@dataclass(frozen=True, kw_only=True)
class SetupAnswer:
    """What setting a case up took (seconds) and gave; ``cores`` holds each thread's core, -1 where not pinned.

    ``library_s`` is the time inside the library, all of its calls together: reorders are repeated for their median.
    ``hash`` is the fingerprint of the first run's output, and ``written`` whether it went to the file; empty and False
    where no file was named.
    """

    create_s: float
    prepare_weights_s: float
    reorder_in_s: float
    reorder_out_s: float
    first_run_s: float
    library_s: float
    implementation: str
    native_layouts: Mapping[str, str]
    memory_bytes: int
    weights_bytes: int
    cores: tuple[int, ...]
    hash: str = ""
    written: bool = False


@dataclass(frozen=True, kw_only=True)
class WarmUpAnswer:
    """Seconds of one call in order, whether they settled, and the loops that make a block long enough.

    ``spent_s`` is how long it all took.
    """

    values_s: tuple[float, ...]
    settled: bool
    loops: int
    spent_s: float


@dataclass(frozen=True, kw_only=True)
class BlockAnswer:
    """One timed block: ``seconds`` of all ``loops`` together; ``start_s`` on CLOCK_MONOTONIC.

    ``profile`` is the account of its kernels, as `nntest.model.point.Profile.of` reads it, where one is kept;
    ``instructions`` is the number of those of all ``loops`` together, where they are counted.
    """

    seconds: float
    loops: int
    prime_calls: int
    prime_s: float
    start_s: float
    involuntary_switches: int
    minor_faults: int
    major_faults: int
    steal_s: float | None
    core_ghz: float | None
    profile: Mapping[str, Any] | None = None
    instructions: int | None = None


@dataclass(frozen=True, kw_only=True)
class OutputAnswer:
    """Fingerprint of an output, whether it was written to the file, and the seconds inside the library."""

    hash: str
    written: bool
    library_s: float


@dataclass(frozen=True, kw_only=True)
class PeakAnswer:
    """Peak of all threads together: best and median slice, in GFLOPS; one vector instruction does ``lanes`` of them."""

    gflops: float
    gflops_median: float
    isa: str
    threads: int
    core_ghz: float | None
    lanes: int = 0


@dataclass(frozen=True, kw_only=True)
class BandwidthAnswer:
    """What all threads together moved, in GB/s, as STREAM counts bytes; the best slice of each."""

    read_gb_s: float
    copy_gb_s: float
    triad_gb_s: float
    isa: str


_Answer = TypeVar("_Answer")


def read_answer(kind: type[_Answer], answer: Mapping[str, Any]) -> _Answer:
    """Make one of the classes above of the driver's JSON; keys that it does not know are left out."""
    every = fields(kind)  # type: ignore[arg-type]  # every kind is a dataclass
    names = [field.name for field in every if field.name in answer or field.default is MISSING]
    values = {name: tuple(answer[name]) if isinstance(answer[name], list) else answer[name] for name in names}
    return kind(**values)
