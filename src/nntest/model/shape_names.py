"""From a shape's canonical name back to its parameters; a reading counts only if it gives the same name again."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from nntest.errors import UsageError
from nntest.model.shape import Parameters
from nntest.model.species import SPECIES

_Raw = dict[str, str]


@lru_cache(maxsize=65536)
def parameters_of(species: str, name: str) -> Parameters | None:
    """Return the normalised parameters of a shape's name.

    Returns
    -------
    Parameters or None
        None where the name is not the canonical one of any shape, or the species has names that do not tell all.
    """
    entry = SPECIES.get(species)
    if entry is None:
        return None
    parts = name.split("-")
    try:
        raw = _READERS[species](parts) if species in _READERS else dict(zip(_required(species), parts, strict=True))
        parameters, _ = entry.normalise(raw)
    except (UsageError, ValueError, IndexError, KeyError):
        return None
    return parameters if entry.shape_name(parameters) == name else None


def _required(species: str) -> tuple[str, ...]:
    """Keys in the order of the fields, as plain names list them."""
    return tuple(item.key for item in SPECIES[species].fields)


def _conv(parts: list[str]) -> _Raw:
    head, tail = parts[:7], parts[7:]
    channels, height, width, kernel, outputs, stride, pad = head
    raw = {"CK_IN_SHAPE_C": channels, "CK_IN_SHAPE_H": height, "CK_IN_SHAPE_W": width, "CK_OUT_SHAPE_C": outputs}
    raw |= _window("CK_CONV", kernel, stride, pad)
    for part in tail:
        raw |= {"CK_CONV_GROUPS": part[1:]} if part[0] == "g" else _pair("CK_CONV_DILATION", part[1:])
    return raw


def _depthwise(parts: list[str]) -> _Raw:
    (channels, height, width, stride, pad), tail = parts[:5], parts[5:]
    raw = {"CK_IN_SHAPE_C": channels, "CK_IN_SHAPE_H": height, "CK_IN_SHAPE_W": width}
    raw |= _window("CK_DEPTHWISE", "3", stride, pad)
    for part in tail:
        raw |= _pair("CK_DEPTHWISE_KERNEL" if part[0] == "k" else "CK_DEPTHWISE_DILATION", part[1:])
    return raw


def _pool(parts: list[str]) -> _Raw:
    (channels, height, width, kernel, stride), tail = parts[:5], parts[5:]
    pad = next((part[1:] for part in tail if part.startswith("p")), "0")
    raw = {"CK_IN_SHAPE_C": channels, "CK_IN_SHAPE_H": height, "CK_IN_SHAPE_W": width}
    return raw | _window("CK_POOL", kernel, stride, pad)


def _window(prefix: str, kernel: str, stride: str, pad: str) -> _Raw:
    sides = pad.split(".") * (1 if "." in pad else 4)
    pads = {f"{prefix}_PAD_{side}": value for side, value in zip("TLBR", sides, strict=True)}
    return {**_pair(f"{prefix}_KERNEL", kernel), **_pair(f"{prefix}_STRIDE", stride), **pads}


def _pair(key: str, text: str) -> _Raw:
    rows, _, columns = text.partition("x")
    return {f"{key}_H": rows, f"{key}_W": columns or rows}


_READERS: Mapping[str, Callable[[list[str]], _Raw]] = {
    "conv": _conv,
    "depthwiseconv": _depthwise,
    "avgpool": _pool,
    "maxpool": _pool,
}
