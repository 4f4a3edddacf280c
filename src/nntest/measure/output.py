"""Outputs before times: what a driver computed, compared with the reference or with what passed before."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from nntest.errors import NNTestError
from nntest.measure.account import Account
from nntest.measure.interrupts import Interrupts
from nntest.measure.standing import Standing
from nntest.measure.world import Driver, World
from nntest.model.case import Case
from nntest.model.species import find_species

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from nntest.measure.reference import Reference


class NotCheckedError(NNTestError):
    """An output could not be compared for want of memory; it may be right."""


class OutputCheck:
    """Have outputs written to scratch files, and compare them.

    Those of set-up go to ``scratch``, those of later runs to ``scratch_again``: a driver that was asked ahead may write
    the second while the first is still read.
    """

    def __init__(
        self, world: World, account: Account, interrupts: Interrupts, scratch: Path, scratch_again: Path
    ) -> None:
        self._world = world
        self._account = account
        self._interrupts = interrupts
        self.scratch = scratch
        self.scratch_again = scratch_again
        self._expected: tuple[Case, Reference] | None = None

    def is_at_hand(self, standing: Standing) -> bool:
        """Whether the reference need not be computed, so that it can be had while a driver is busy."""
        return self._world.is_at_hand(standing.trial.case)

    def expect(self, standing: Standing) -> None:
        """Compute the reference of a case, or load it, while nothing else runs.

        Raises
        ------
        NotCheckedError
            There is too little memory for it.
        """
        with self._account.spending("reference"):
            self.load(standing)

    def load(self, standing: Standing) -> None:
        """Load the reference of a case that is at hand, while a driver works, whose time is booked already.

        Raises
        ------
        NotCheckedError
            There is too little memory for it.
        """
        case = standing.trial.case
        self._expected = None  # two large ones need not be there together
        with _enough_memory(), self._interrupts.waiting():
            self._expected = (case, self._world.expected(case))

    def recompute(self, driver: Driver, key: int, standing: Standing, implementation: str) -> None:
        """Run the case once more and judge what comes out."""
        with self._interrupts.waiting():
            answer = driver.output(key, self.scratch_again, unless=standing.output_hash)
        self._account.add("check", answer.library_s)
        self._judge(answer.hash, standing, implementation, self.scratch_again)

    def judge(self, hash_: str, standing: Standing, implementation: str) -> None:
        """Judge what set-up has written to ``scratch``.

        Raises
        ------
        NotCheckedError
            There is too little memory for the output and its reference.
        """
        self._judge(hash_, standing, implementation, self.scratch)

    def _judge(self, hash_: str, standing: Standing, implementation: str, written: Path) -> None:
        """Set ``verification`` of the standing; an output whose hash passed before passes again.

        An output that differs from the one that passed (sums of several threads may) is compared in full.

        Raises
        ------
        NotCheckedError
            There is too little memory for the output and its reference.
        """
        if standing.output_hash and hash_ == standing.output_hash:
            return
        with _enough_memory():
            self._compare(hash_, standing, implementation, written)

    def _compare(self, hash_: str, standing: Standing, implementation: str, written: Path) -> None:
        from nntest.measure.verify import algorithm_in_force

        case = standing.trial.case
        if self._expected is None or self._expected[0] is not case:
            self.expect(standing)
        assert self._expected is not None
        reference = self._expected[1]
        algorithm = algorithm_in_force(standing.trial.candidate.program.algorithm, implementation)
        standing.verification = self._world.verify(case, read_output(written, case), reference, algorithm)
        standing.output_varies = standing.output_varies or bool(standing.output_hash)
        standing.output_hash = standing.output_hash or hash_


@contextmanager
def _enough_memory() -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        told = f" ({error})" if str(error) else ""
        raise NotCheckedError(
            f"the output could not be checked: too little memory for the reference{told}; "
            "free memory, raise the limit (ulimit -v) or use --skip_output_validation"
        ) from None


@contextmanager
def output_scratch() -> Iterator[Path]:
    """Give the path of a file in memory, which other processes can write while this one lives and nobody after it."""
    with _nameless_file() as file:
        yield Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")


def _nameless_file() -> IO[bytes]:
    # a Python that was built for an old C library (conda's) lacks the call; a file without a name ends as surely
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("nntest-output"), "rb+")
    return tempfile.TemporaryFile(prefix="nntest-output-")


def read_output(path: Path, case: Case) -> "npt.NDArray[np.generic]":
    """Return an output as the driver wrote it: raw values in the logical order (NCHW); flat if the size is wrong."""
    import math

    import numpy as np

    dtype = np.dtype(case.dtype)
    # Mapped: a copy would cost more than the comparison, for the fresh pages that it needs.
    whole = path.stat().st_size // dtype.itemsize
    values = np.memmap(path, dtype=dtype, mode="r", shape=(whole,)) if whole else np.empty(0, dtype=dtype)
    shape = find_species(case.species).output_shape(case.parameters, case.batch_size)
    return values.reshape(shape) if values.size == math.prod(shape) else values
