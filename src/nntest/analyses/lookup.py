"""Small tables that ship in dataset entries: accuracies, what is published of devices."""

from typing import TYPE_CHECKING

from nntest.errors import DataError
from nntest.store.entries import find_datasets

if TYPE_CHECKING:
    import pandas as pd


def read_tables(tags: str, columns: tuple[str, ...]) -> "pd.DataFrame":
    """Join the CSVs (``table_file`` of the meta) of all dataset entries that carry ``tags``; ``columns`` are kept.

    Raises
    ------
    DataError
        A file is missing, or lacks columns.
    """
    import pandas as pd

    frames = []
    for entry in find_datasets("*", tags):
        path = entry.path / str(entry.meta.get("table_file", ""))
        if not path.is_file():
            raise DataError(f"{path}: is missing; expected the table of the dataset {entry.uoa}; restore the file")
        frame = pd.read_csv(path)
        missing = [column for column in columns if column not in frame]
        if missing:
            raise DataError(f"{path}: lacks {', '.join(missing)}; expected {', '.join(columns)}; correct the file")
        frames.append(frame[list(columns)])
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(columns))
