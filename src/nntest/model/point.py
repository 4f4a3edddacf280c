"""A point: case + subject + platform + all samples, with what was seen while they were taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from nntest.model.case import Case, Plan, Platform, Subject
from nntest.model.ids import point_uid

FailureKind = Literal["build", "crash", "timeout", "error", "wrong"]


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What the machine did during one block; None where it cannot be read.

    ``package_j``, ``dram_j`` and ``core_j`` are joules of the block's calls together, above the idle machine's: of all
    packages, of the memory, and of the cores, which are a part of the packages. ``instructions`` are those of the
    block's calls together, of all threads, counted by an emulator.
    """

    involuntary_switches: int | None = None
    minor_faults: int | None = None
    major_faults: int | None = None
    steal_s: float | None = None
    core_ghz: float | None = None
    package_j: float | None = None
    dram_j: float | None = None
    core_j: float | None = None
    instructions: int | None = None


@dataclass(frozen=True, kw_only=True)
class KernelCall:
    """One call of a kernel of an OpenCL device; moments in microseconds of its clock since the first was queued.

    Sizes count work items by dimension; an empty ``local_size`` was left to the driver.
    """

    kernel: str
    queued_us: float
    submit_us: float
    start_us: float
    end_us: float
    global_size: tuple[int, ...] = ()
    local_size: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What happened within one block: microseconds of one call by kernel, and the last call's kernels in full."""

    kernels_us: Mapping[str, float]
    calls: tuple[KernelCall, ...] = ()

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> "Profile":
        """Read it from plain JSON.

        Raises
        ------
        KeyError, TypeError
            Something is missing.
        """
        calls = tuple(
            KernelCall(
                **{
                    **{key: call[key] for key in ("kernel", "queued_us", "submit_us", "start_us", "end_us")},
                    "global_size": tuple(call["global_size"]),
                    "local_size": tuple(call["local_size"]),
                }
            )
            for call in words["calls"]
        )
        return cls(kernels_us=dict(words["kernels_us"]), calls=calls)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One timed block of ``loops`` calls that took ``seconds`` in all; its value is ``seconds / loops``.

    ``launch`` and ``round`` count from 0 (round within its launch); ``at_s`` is the block's start since the
    session's start, on the monotonic clock: samples of two cases pair by (launch, round) of one group.
    """

    launch: int
    round: int
    loops: int
    seconds: float
    at_s: float
    watch: Watch = Watch()
    profile: Profile | None = None

    @property
    def value_s(self) -> float:
        """Seconds of one call."""
        return self.seconds / self.loops


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """Untimed blocks before a launch's first sample: call times in seconds, and whether they settled."""

    values_s: tuple[float, ...] = ()
    settled: bool = True


@dataclass(frozen=True, kw_only=True)
class Launch:
    """One fresh process: what it cost to set the case up, and the machine around it.

    ``idle_w``, the watts of the idle machine's packages, is subtracted from the energies of the launch's samples.
    """

    launch: int
    setup_s: float
    prepare_weights_s: float
    reorder_in_s: float
    reorder_out_s: float
    first_run_s: float
    warm_up: WarmUp = WarmUp()
    implementation: str = ""
    native_layouts: Mapping[str, str] = field(default_factory=dict)
    cores: tuple[int, ...] = ()
    load_1min: float | None = None
    governor: str | None = None
    temperature_c: float | None = None
    idle_w: float | None = None
    resumed: bool = False


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The comparison with the independent reference.

    ``verified`` is None when the check was skipped. ``max_error`` is the largest error in units of
    eps(dtype) * sqrt(K) * scale, of a quantised case in steps of its output; ``limit`` the largest allowed in the same
    units, ``reference`` names the reference's method and identity.
    """

    verified: bool | None
    max_error: float | None = None
    limit: float | None = None
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Energy:
    """How the samples' energies were taken, or the ``reason`` for which there are none.

    ``tier`` says what they are of (``package, idle subtracted``), ``domains`` what was read, ``resolution_s`` how
    often the counters are renewed, ``idle_s`` for how many seconds the idle machine was looked at.
    """

    tier: str = ""
    domains: tuple[str, ...] = ()
    resolution_s: float | None = None
    idle_s: float | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a case gave no trustworthy time."""

    kind: FailureKind
    reason: str


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where the question came from; no part of any identity."""

    dataset: str
    dataset_file: str
    session: str
    timestamp: str
    group: int = 0
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One measured (or failed) case of one subject on one platform, as one session saw it."""

    case: Case
    subject: Subject
    platform: Platform
    plan: Plan
    origin: Origin
    launches: tuple[Launch, ...] = ()
    samples: tuple[Sample, ...] = ()
    verification: Verification = Verification(verified=None)
    failure: Failure | None = None
    trust: str = "unverified"
    flags: tuple[str, ...] = ()
    memory_bytes: int | None = None
    energy: Energy | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def uid(self) -> str:
        """Hash of the three identities; the same question to the same subject on the same machine."""
        return point_uid(self.case.id, self.subject.id, self.platform.id)
