"""What is measured: a case, put to a program as one library's version and a set of flags build it."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nntest.measure.devices import TUNER_KEY
from nntest.measure.selection import Shape
from nntest.model.case import Case
from nntest.store.entries import ProgramEntry

if TYPE_CHECKING:
    from nntest.measure.libraries import FoundLibrary


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """A program that is to be built against one library with one set of flags; once built, it is a subject."""

    program: ProgramEntry
    library: "FoundLibrary"
    flags: str = ""

    @cached_property
    def name(self) -> str:
        """What messages call it: program, library's tag, and flags if any."""
        return " ".join(filter(None, (self.program.uoa, self.library.library.tag, self.flags)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """One case of one candidate, and the shape that it comes from."""

    candidate: Candidate
    case: Case
    shape: Shape

    @cached_property
    def name(self) -> str:
        """What messages call it: the program, its shape, and what differs from the usual."""
        case = self.case
        unusual = (
            f"batch {case.batch_size}" if case.batch_size != 1 else "",
            f"{case.threads} threads" if case.threads != 1 else "",
            case.dtype if case.dtype != "float32" else "",
            case.layout if case.layout != "auto" else "",
            case.cache if case.cache != "warm" else "",
            f"isa {case.isa_max}" if case.isa_max else "",
            f"fused {case.post_ops}" if case.post_ops else "",
            f"tuner {case.env[TUNER_KEY]}" if TUNER_KEY in case.env else "",
        )
        return " ".join(filter(None, (self.candidate.name, self.shape.name, *unusual)))
