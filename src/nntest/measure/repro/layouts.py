"""Memory layouts of a measured oneDNN case, in the library's own notation of letters (``aBcd16b``)."""

from nntest.errors import UsageError
from nntest.model.point import Point
from nntest.model.species import OPERANDS

#: Species whose programs leave the activations' layout to the library; the others must be given one.
ASKS_THE_LIBRARY = ("conv", "depthwiseconv", "fullyconnected", "gemm")

_LETTERS = "abcdef"


def require_onednn(point: Point, what: str) -> None:
    """Refuse a point of another library.

    Raises
    ------
    UsageError
        Its library is not oneDNN.
    """
    if point.subject.library.name != "onednn-cpu":
        raise UsageError(
            f"{point.uid}: {what} is for points of onednn-cpu, and this one is of {point.subject.library.name}; "
            "use the other forms"
        )


def plain_tag(rank: int, layout: str) -> str:
    """Return the tag of a tensor as a case describes it: row-major, or channels last."""
    return "acdb" if layout == "NHWC" and rank == len("nchw") else _LETTERS[:rank]


def measured_tag(point: Point, role: str, rank: int) -> str:
    """Return the layout that a tensor had when it was measured.

    A point without a launch (it failed before) says none: then the one that its program would choose, the blocks of
    channels that convolutions of the processor hand on.
    """
    if point.case.layout != "auto":
        return plain_tag(rank, point.case.layout)
    found = next((launch.native_layouts.get(role, "") for launch in point.launches), "")
    if found and found != "opaque":
        return found
    return "aBcd16b" if "avx512f" in point.platform.isa else "aBcd8b"


def operand_tags(point: Point, ranks: dict[str, int]) -> list[str]:
    """Return the layouts of all operands, in their order."""
    return [measured_tag(point, role, ranks[role]) for role in OPERANDS if role in ranks]
