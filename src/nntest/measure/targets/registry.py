"""All targets that NNTest knows."""

from difflib import get_close_matches
from pathlib import Path

from nntest.errors import UsageError
from nntest.measure.targets import qemu
from nntest.measure.targets.target import Target
from nntest.measure.world import NATIVE_TARGET

TARGET_NAMES = (NATIVE_TARGET, qemu.NAME)


def find_target(name: str, cache_root: Path) -> Target:
    """Return a target, ready to build and run for.

    Parameters
    ----------
    name
        One of ``TARGET_NAMES``.
    cache_root
        Folder of all caches; installed targets are in it.

    Raises
    ------
    UsageError
        There is no target of that name.
    MissingPartError
        It is not installed; the message says how to install it.
    """
    if name == NATIVE_TARGET:
        return Target(name=name)
    if name == qemu.NAME:
        return qemu.find(cache_root)
    near = get_close_matches(name, TARGET_NAMES, n=1)
    guess = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(TARGET_NAMES)}"
    raise UsageError(f"target: {name!r} was given; {guess}")
