"""The species table: everything that differs between operators of different meaning, once.

A species says which CK_* keys a shape has, what its tensors are, how much work it is, what it is called and how a
chart labels it. The key names are those of the original repository's shape files; NNTest adds keys for what those
could not say (``_H``/``_W`` variants, pads per side, groups, dilation).
"""

from collections.abc import Mapping
from types import MappingProxyType

from nntest.errors import UsageError
from nntest.model.species.attention import ATTENTION
from nntest.model.species.concatenation import CONCAT
from nntest.model.species.convolution import CONV, DEPTHWISECONV
from nntest.model.species.elementwise import ADD, FLATTEN, RELU, REORDER, RESHAPE, SOFTMAX
from nntest.model.species.entry import DTYPE_BYTES, OPERANDS, Species, Tensors
from nntest.model.species.matrix import FULLYCONNECTED, GEMM
from nntest.model.species.normalisation import BATCHNORM, LAYERNORM, LRN
from nntest.model.species.pooling import AVGPOOL, MAXPOOL
from nntest.model.species.resizing import RESIZEBILINEAR

_TABLE = (
    CONV,
    DEPTHWISECONV,
    FULLYCONNECTED,
    GEMM,
    AVGPOOL,
    MAXPOOL,
    SOFTMAX,
    REORDER,
    RESHAPE,
    ADD,
    CONCAT,
    RELU,
    LRN,
    BATCHNORM,
    FLATTEN,
    RESIZEBILINEAR,
    LAYERNORM,
    ATTENTION,
)

SPECIES: Mapping[str, Species] = MappingProxyType({species.name: species for species in _TABLE})


def find_species(name: str, *, where: str = "species") -> Species:
    """Return the species called ``name``, or refuse it with the names that exist."""
    if name not in SPECIES:
        raise UsageError(f"{where}: {name!r} is no species; expected one of {', '.join(SPECIES)}; correct the name")
    return SPECIES[name]


__all__ = ["DTYPE_BYTES", "OPERANDS", "SPECIES", "Species", "Tensors", "find_species"]
