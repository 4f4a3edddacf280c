"""NNTest: which library should run each operator of my network, and how sure are we?"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nntest.crawl.load import kernels, layers, load

__version__ = "0.1.0"
__all__ = ["kernels", "layers", "load"]

# pandas takes longer to import than most commands take to run: what needs it is imported when first asked for.
_LAZY = dict.fromkeys(__all__, "nntest.crawl.load")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
