"""Folders that a session is going to need: asked for before anything is measured."""

import tempfile
from pathlib import Path

from nntest.errors import DataError


def require_writable(folder: Path, *, purpose: str, advice: str) -> None:
    """Make ``folder`` where it is missing, and see that a file can be made in it.

    Raises
    ------
    DataError
        It cannot; the message names the folder, the reason and ``advice``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise DataError(f"{folder}: {purpose} cannot be written there ({error.strerror}); {advice}") from None
