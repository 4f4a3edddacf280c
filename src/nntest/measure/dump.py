"""Tensors of a case as files that anyone can check with NumPy or PyTorch."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from nntest.errors import DataError, UsageError
from nntest.measure.answers import DriverFailure
from nntest.measure.devices import TUNER_KEY
from nntest.measure.inputs import case_tensors, stored_dtype
from nntest.measure.output import read_output
from nntest.measure.standing import Standing
from nntest.measure.trial import Trial
from nntest.model.species import find_species

if TYPE_CHECKING:
    from nntest.measure.world import Driver

_FORM = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def open_dump(folder: Path) -> None:
    """Make the folder, before anything is measured for it.

    Raises
    ------
    UsageError
        It cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError as error:
        raise UsageError(f"dump: {folder} cannot be made ({error.strerror}); choose another folder") from None
    if not writable:
        raise UsageError(f"dump: {folder} cannot be written; choose another folder")


def dump_case(folder: Path, driver: "Driver", key: int, standing: Standing, stem: str) -> Path:
    """Write ``<stem>-input.npy``, ``-weights.npy``, ``-bias.npy``, ``-output.npy`` and ``<stem>.json``.

    Inputs are written as the driver made them, the output as the program computed it, in logical order (NCHW, OIHW): of
    a quantised case as uint8, its bias as int32, and the JSON tells scales and zero points.

    Returns
    -------
    Path
        The JSON file: CK_* values of the shape, and which program and build of which library made the output.

    Raises
    ------
    DataError
        A file could not be written (a full disk), which is no fault of the operator.
    """
    raw = folder / f"{stem}.raw"
    try:
        return _dump_case(raw, driver, key, standing)
    except OSError as error:
        raise _not_written(folder, error.strerror or str(error)) from error
    except DriverFailure as error:
        _, of_file, reason = str(error).partition(f"{raw}: ")
        if of_file:
            raise _not_written(folder, reason.rpartition(": ")[2]) from error
        raise
    finally:
        with suppress(OSError):
            raw.unlink(missing_ok=True)


def _not_written(folder: Path, reason: str) -> DataError:
    return DataError(
        f"{folder}: the dump could not be written ({reason}); free disk space or choose another folder, and resume"
    )


def _dump_case(raw: Path, driver: "Driver", key: int, standing: Standing) -> Path:
    import numpy as np

    case = standing.trial.case
    for role, dims in case_tensors(case).items():
        if role == "output":
            driver.output(key, raw)
            values = read_output(raw, case)
        else:
            driver.dump_tensor(key, role, raw)
            values = np.fromfile(raw, dtype=stored_dtype(case, role)).reshape(dims)
        np.save(raw.with_name(f"{raw.stem}-{role}.npy"), values)
    path = raw.with_suffix(".json")
    path.write_bytes(orjson.dumps(_words(standing), option=_FORM))
    return path


def dump_stems(standings: Sequence[Standing]) -> dict[str, str]:
    """Return the names of all cases' files by uid; where a program has several subjects, these are told apart."""
    subjects: dict[str, set[str]] = {}
    for standing in standings:
        subjects.setdefault(standing.trial.case.program, set()).add(standing.subject.id)
    return {
        standing.uid: _stem(
            standing.trial, standing.subject.id[:8] if len(subjects[standing.trial.case.program]) > 1 else ""
        )
        for standing in standings
    }


def _stem(trial: Trial, subject: str) -> str:
    """Name of a case's files: program, library, subject if need be, shape, and what differs from the usual."""
    case = trial.case
    candidate = trial.candidate
    parts = (
        case.program,
        candidate.library.library.version,
        subject,
        trial.shape.name,
        case.dtype if case.dtype != "float32" else "",
        f"n{case.batch_size}" if case.batch_size != 1 else "",
        f"t{case.threads}" if case.threads != 1 else "",
        case.layout.lower() if case.layout != "auto" else "",
        case.cache if case.cache != "warm" else "",
        case.isa_max,
        case.post_ops,
        case.env.get(TUNER_KEY, "").lower(),
        "".join(letter for letter in candidate.flags if letter.isalnum()),
    )
    return "-".join(filter(None, parts))


def _words(standing: Standing) -> dict[str, object]:
    case, trial, subject = standing.trial.case, standing.trial, standing.subject
    return {
        **find_species(case.species).ck_values(case.parameters, case.batch_size),
        "CK_SEED": case.seed,
        "nntest": {
            **case.block(),
            "library": subject.library.tag,
            "build": subject.library.build,
            "flags": subject.flags,
            "subject": subject.id,
            "dataset": trial.shape.dataset,
        },
    }
