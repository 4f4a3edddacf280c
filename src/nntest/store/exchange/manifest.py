"""The manifest of an archive: SHA-256 of every other file, in the form that ``sha256sum --check`` reads."""

import hashlib
import re
from collections.abc import Mapping

from nntest.store.exchange.limits import RefusedError
from nntest.store.exchange.names import MANIFEST

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def sha256(data: bytes) -> str:
    """Return the hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def to_bytes(hashes: Mapping[str, str]) -> bytes:
    """Return the manifest of files by name."""
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()


def parse(data: bytes) -> dict[str, str]:
    """Return SHA-256 by name.

    Raises
    ------
    RefusedError
        A line has another form, or names a file twice.
    """
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise RefusedError(MANIFEST, "is not UTF-8") from None
    hashes: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None or found[2] in hashes:
            fault = "names a file twice" if found else "has another form than `<sha256>  <name>`"
            raise RefusedError(MANIFEST, f"line {number} {fault}")
        hashes[found[2]] = found[1]
    return hashes


def verify(stated: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Compare a manifest with the files that were read.

    Parameters
    ----------
    stated, found
        SHA-256 by name.

    Raises
    ------
    RefusedError
        A file is missing, was changed, or is not in the manifest; the first of them by name is told.
    """
    for name in sorted({*stated, *found}):
        if name not in found:
            raise RefusedError(name, f"is missing, although {MANIFEST} names it")
        if name not in stated:
            raise RefusedError(name, f"is not in {MANIFEST}; remove the manifest if the file was added on purpose")
        if stated[name] != found[name]:
            raise RefusedError(
                name,
                f"was changed since {MANIFEST} was written (SHA-256 {found[name][:16]}..., "
                f"expected {stated[name][:16]}...)",
            )
