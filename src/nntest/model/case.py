"""What is asked (case), what answers (subject), where (platform), how often (plan)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from nntest.model.ids import block_id
from nntest.model.quantisation import Quantisation, quantisation_of

CacheState = Literal["warm", "cold_weights", "cold_all"]
Fill = Literal["normal", "relu", "int", "zeros"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One question to one program.

    ``parameters`` are the normalised CK_* values of the shape (see ``species.normalise``): complete, integers,
    without CK_IN_SHAPE_N, which is ``batch_size``. The values decide, so the dataset's name is no part of a case.
    ``layout`` is that of the caller's tensors, NCHW or NHWC, or ``auto``: the library computes in the layout of its
    own choice, and what it costs to reorder NCHW tensors at its edges is measured apart. A case of ``dtype`` uint8 has
    a ``quantisation``, scale and zero point of each tensor by role: that of ``model.quantisation`` if none is given.
    """

    program: str
    species: str
    parameters: Mapping[str, int]
    batch_size: int = 1
    cmd_key: str = "default"
    dtype: str = "float32"
    layout: str = "auto"
    threads: int = 1
    cache: CacheState = "warm"
    post_ops: str = ""
    isa_max: str = ""
    data: Fill = "normal"
    seed: int = 42
    env: Mapping[str, str] = field(default_factory=dict)
    quantisation: Mapping[str, Quantisation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.dtype == "uint8" and not self.quantisation:
            found = quantisation_of(self.species, self.parameters, data=self.data, post_ops=self.post_ops)
            object.__setattr__(self, "quantisation", found)

    def block(self) -> dict[str, Any]:
        """Return the JSON block whose hash is ``id``; what is not quantised says nothing of it."""
        block = _plain(self)
        if not self.quantisation:
            del block["quantisation"]
        return block

    @cached_property
    def id(self) -> str:
        """Identity of the question; equal across library versions and machines."""
        return block_id(self.block())


@dataclass(frozen=True, kw_only=True)
class Library:
    """A library as found: ``tag`` is name and version (``onednn-cpu-3.2.0``), ``build`` the hash of its binary."""

    tag: str
    name: str
    version: str
    build: str = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What answers: program source, driver, library build, compiler and flags. Hashes are 16 hex digits."""

    program: str
    program_sha: str
    driver_sha: str
    library: Library
    compiler: str
    flags: str

    def block(self) -> dict[str, Any]:
        """Return the JSON block whose hash is ``id``."""
        return _plain(self)

    @cached_property
    def id(self) -> str:
        """Identity of the answerer; an updated library changes only this."""
        return block_id(self.block())


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The machine and system behind a point; no host or user name.

    ``machine`` is the salted hash of the machine id; ``isa`` lists the vector extensions that matter.
    """

    machine: str
    model: str
    cpu: str
    cores: int
    memory_mb: int
    os: str
    kernel: str
    arch: str
    isa: tuple[str, ...] = ()
    gpu: str = ""
    driver: str = ""
    target: str = "native"
    emulator: str = ""

    def block(self) -> dict[str, Any]:
        """Return the JSON block whose hash is ``id``."""
        return _plain(self)

    @cached_property
    def id(self) -> str:
        """Identity of the machine and its system."""
        return block_id(self.block())


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a case is measured. ``loops`` is None when each case calibrates its own.

    ``block_min_s``: processors change their clock every few milliseconds, a core that runs wide vectors by a fifth. A
    block shorter than that sees one of the clocks, a longer one their mean.
    """

    repetitions: int = 10
    launches: int = 5
    order_seed: int = 0
    loops: int | None = None
    block_min_s: float = 1e-2
    warm_up_max_s: float = 0.25
    warm_up_tolerance: float = 0.02
    timeout_s: float = 60.0

    def rounds(self, launch: int) -> int:
        """Return the rounds of one launch (counted from 0); together they make the repetitions."""
        whole, rest = divmod(self.repetitions, self.launches)
        return whole + (1 if launch < rest else 0)


def _plain(value: Any) -> dict[str, Any]:
    """Turn a frozen dataclass into plain JSON types, tuples to lists."""
    return {
        key: list(item) if isinstance(item, tuple) else dict(item) if isinstance(item, Mapping) else item
        for key, item in asdict(value).items()
    }
