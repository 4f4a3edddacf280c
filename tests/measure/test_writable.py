from pathlib import Path

import pytest

from nntest.errors import DataError
from nntest.measure.writable import require_writable


def test_a_missing_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    require_writable(folder, purpose="points", advice="see to it")
    assert list(folder.iterdir()) == []


def test_a_folder_below_a_file_is_refused_with_advice(tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_text("")
    folder = tmp_path / "file" / "points"
    with pytest.raises(DataError) as error:
        require_writable(folder, purpose="points", advice="see to the folder")
    assert str(error.value) == f"{folder}: points cannot be written there (Not a directory); see to the folder"
