"""Holding a library back to older instructions, by the variables that it reads when it is loaded."""

from collections.abc import Mapping

from nntest.errors import UsageError

_VARIABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "onednn-cpu": (
        "ONEDNN_MAX_CPU_ISA",
        {name: name.upper() for name in ("sse41", "avx", "avx2", "avx512_core", "avx512_core_amx")},
    ),
    "openblas-cpu": (
        "OPENBLAS_CORETYPE",
        {"sse41": "Nehalem", "avx": "Sandybridge", "avx2": "Haswell", "avx512_core": "SkylakeX"},
    ),
}


def isa_environment(library: str, isa_max: str) -> dict[str, str]:
    """Return what a driver process of ``library`` needs in its environment for a case's ``isa_max``.

    Parameters
    ----------
    isa_max
        Nothing, or the newest extension to use, in oneDNN's names: ``sse41``, ``avx``, ``avx2``, ``avx512_core``, ...

    Raises
    ------
    UsageError
        The library cannot be held back, or not to that.
    """
    if not isa_max:
        return {}
    variable, values = _VARIABLES.get(library, ("", {}))
    if isa_max not in values:
        known = f"expected one of {', '.join(values)}" if values else "expected none for this library"
        raise UsageError(f"{library}: isa_max {isa_max!r} is unknown; {known}; correct it")
    return {variable: values[isa_max]}
