"""What a user asks of one session: every option of the runner, checked before anything else happens."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nntest.errors import UsageError
from nntest.model.case import CacheState, Fill

CACHE_STATES: tuple[CacheState, ...] = ("warm", "cold_weights", "cold_all")
LAYOUTS = ("auto", "NCHW", "NHWC")
DTYPES = ("float32", "uint8")
POST_OPS = ("relu", "sum")
TUNERS = ("NONE", "DEFAULT")
FILLS: tuple[Fill, ...] = ("normal", "relu", "int", "zeros")

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_ENV_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """The options of ``nntest run`` and ``ck run nntest:...``; a tuple is a dimension of the session.

    Every combination of the dimensions (``library``, ``flags``, ``threads``, ``dtype``, ``layout``, ``cache``,
    ``isa_max``, ``post_ops``, ``tuner``, batch sizes) is measured; an empty ``isa_max`` lets the library use all that
    the processor has, an empty ``post_ops`` fuses nothing. ``tuner`` and the numbers of the OpenCL platform and device
    are for programs on such devices; ``profile`` takes the account of each call's kernels, which costs time;
    ``instructions`` counts those of each call, on an emulated target. ``iterations`` counts autotuning points: the
    first N batch sizes of 1, 2, 4, 8, ...; it is no number of loops. Empty ``dataset_uoa`` means every dataset of the
    programs' species, empty ``library`` the version that is found first. ``timeout_s`` bounds one request to a driver;
    ``budget_s`` the whole session's measuring, together with ``until_ci_pct``. ``sweep`` holds values by CK_* key that
    each shape takes in turn; where neither dataset nor file is named, one shape of each species is swept.

    Raises
    ------
    UsageError
        A value that cannot be meant; the message names the option.
    """

    programs: str = "*"
    tags: str = ""
    species: str = ""
    dataset_uoa: str = ""
    dataset_files: tuple[str, ...] = ()
    library: tuple[str, ...] = ()
    cmd_key: str = "default"
    repetitions: int = 10
    iterations: int | None = None
    batch_sizes: tuple[int, ...] = ()
    timestamp: str = ""
    record_uoa: str = ""
    record_repo: str = "local"
    no_record: bool = False
    resume: bool = False
    list_tests: bool = False
    dry_run: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ("",)
    skip_output_validation: bool = False
    threads: tuple[int, ...] = (1,)
    dtype: tuple[str, ...] = ("float32",)
    layout: tuple[str, ...] = ("auto",)
    cache: tuple[CacheState, ...] = ("warm",)
    isa_max: tuple[str, ...] = ("",)
    post_ops: tuple[str, ...] = ("",)
    tuner: tuple[str, ...] = ("",)
    compute_platform_id: int | None = None
    compute_device_id: int | None = None
    profile: bool = False
    instructions: bool = False
    loops: int | None = None
    launches: int | None = None
    seed: int = 42
    order_seed: int | None = None
    timeout_s: float = 60.0
    until_ci_pct: float | None = None
    budget_s: float | None = None
    dump: Path | None = None
    data: Fill = "normal"
    share: bool = False
    sweep: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    target: str = "native"

    def __post_init__(self) -> None:
        self._check_counts()
        self._check_choices()
        self._check_words()
        self._check_combinations()

    @property
    def batches(self) -> tuple[int, ...]:
        """Batch sizes to measure: as given, else the first ``iterations`` of 1, 2, 4, 8, ..."""
        if self.batch_sizes:
            return tuple(dict.fromkeys(self.batch_sizes))
        return tuple(2**i for i in range(self.iterations or 1))

    @property
    def launch_count(self) -> int:
        """Launches over which the repetitions are spread."""
        return self.launches if self.launches is not None else min(self.repetitions, 5)

    def _check_counts(self) -> None:
        _positive("repetitions", self.repetitions)
        for name in ("iterations", "loops", "launches"):
            value = getattr(self, name)
            if value is not None:
                _positive(name, value)
        for name in ("batch_sizes", "threads"):
            for value in getattr(self, name):
                _positive(name, value)
        for name in ("timeout_s", "until_ci_pct", "budget_s"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise UsageError(f"{_option(name)}: {value} was given; expected a number above 0")
        _device_number("compute_platform_id", self.compute_platform_id)
        _device_number("compute_device_id", self.compute_device_id)
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"seed: {self.seed} was given; expected an integer from 0 to 2^63 - 1")
        for name in ("threads", "dtype", "layout", "cache", "flags", "isa_max", "post_ops", "tuner"):
            if not getattr(self, name):
                raise UsageError(f"{name}: no value was given; expected at least one, or leave the option out")

    def _check_choices(self) -> None:
        for dtype in self.dtype:
            _one_of("dtype", dtype, DTYPES)
        for layout in self.layout:
            _one_of("layout", layout, LAYOUTS)
        for cache in self.cache:
            _one_of("cache", cache, CACHE_STATES)
        for post_ops in filter(None, self.post_ops):
            if not set(post_ops.split("+")) <= set(POST_OPS):
                raise UsageError(
                    f"post_ops: {post_ops!r} was given; expected relu, sum, or both joined by + in their order, "
                    "such as sum+relu"
                )
        for tuner in filter(None, self.tuner):
            _one_of("tuner", tuner, TUNERS)
        _one_of("data", self.data, FILLS)

    def _check_words(self) -> None:
        for name in ("timestamp", "record_uoa", "record_repo"):
            value = getattr(self, name)
            if value and not _WORD.fullmatch(value):
                raise UsageError(
                    f"{name}: {value!r} was given; expected a word of letters, digits, dots, dashes and underscores"
                )
        for key in self.env:
            if not _ENV_KEY.fullmatch(key):
                raise UsageError(f"env: {key!r} was given; expected env.KEY=VALUE with KEY like CK_SEED")

    def _check_combinations(self) -> None:
        if self.launches is not None and self.launches > self.repetitions:
            raise UsageError(
                f"launches: {self.launches} was given with {self.repetitions} repetitions; "
                "expected at most one launch per repetition"
            )
        if self.iterations is not None and self.batch_sizes:
            raise UsageError(
                "iterations: it was given together with batch_sizes; iterations=N stands for the first N batch sizes "
                "of 1, 2, 4, ...; leave one of them out"
            )
        if self.budget_s is not None and self.until_ci_pct is None:
            raise UsageError("budget: it was given without until_ci; add until_ci (such as 1%), which it bounds")
        if self.resume and self.no_record:
            raise UsageError("resume: it was given together with no_record; a session without record has no points")
        if self.resume and not (self.timestamp or self.record_uoa):
            raise UsageError("resume: no timestamp was given; expected the timestamp (or record_uoa) of that session")


def _positive(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"{name}: {value} was given; expected a positive integer")


def _device_number(name: str, value: int | None) -> None:
    if value is not None and value < 0:
        raise UsageError(f"{name}: {value} was given; expected a number from 0, as `clinfo -l` shows them")


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{name}: {value!r} was given; expected one of {', '.join(choices)}")


def _option(field_name: str) -> str:
    """Name of the option as a user writes it."""
    return {"timeout_s": "timeout", "until_ci_pct": "until_ci", "budget_s": "budget"}[field_name]
