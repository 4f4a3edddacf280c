"""Reading one point of ours back from its file."""

from pathlib import Path

import orjson

from nntest.errors import DataError
from nntest.model.point import Point
from nntest.model.point_json import from_json


def read_point(path: Path) -> Point:
    """Return a point.

    Raises
    ------
    DataError
        The file cannot be read, is no JSON, or no point of NNTest.
    """
    try:
        words = orjson.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: it cannot be read ({error.strerror}); see to its permissions") from None
    except orjson.JSONDecodeError as error:
        raise DataError(f"{path}: it is not JSON ({error}); remove the file or restore it") from None
    if not isinstance(words, dict) or "nntest" not in words:
        raise DataError(f"{path}: it is a point of another tool, of whose measuring nothing is known")
    return from_json(words, where=str(path))
