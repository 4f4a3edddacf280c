"""The manifest: what sha256sum reads, and what import holds against the files."""

import shutil
import subprocess
from pathlib import Path

import pytest

from nntest.errors import DataError
from nntest.store.entries import find_experiments
from nntest.store.exchange import manifest
from nntest.store.exchange.export import export_zip
from nntest.store.exchange.intake import import_entries
from nntest.store.repository import Repository
from tests.store.exchange.archives import FIRST, make_repository, point


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    repository = make_repository(tmp_path / "theirs")
    export_zip(find_experiments(repositories=[repository]), tmp_path / "x.zip")
    shutil.unpack_archive(tmp_path / "x.zip", tmp_path / "unpacked")
    return tmp_path / "unpacked"


def refusal(folder: Path, tmp_path: Path) -> str:
    (tmp_path / "ours").mkdir(exist_ok=True)
    with pytest.raises(DataError) as refused:
        import_entries(folder, Repository("ours", tmp_path / "ours"))
    assert list((tmp_path / "ours").iterdir()) == []
    return str(refused.value).removeprefix(f"{folder}: ").removesuffix("; nothing was imported")


def test_sha256sum_reads_it(unpacked: Path) -> None:
    command = ["sha256sum", "--check", "--strict", "--quiet", manifest.MANIFEST]
    assert subprocess.run(command, cwd=unpacked, capture_output=True, check=True).stdout == b""


def test_import_verifies_it(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    assert import_entries(unpacked, Repository("ours", tmp_path / "ours")).verified


def test_a_changed_file(unpacked: Path, tmp_path: Path) -> None:
    name = f"experiment/{FIRST}/.cm/info.json"
    (unpacked / name).write_bytes(b"{}")
    assert refusal(unpacked, tmp_path).startswith(
        f"{name}: was changed since manifest-sha256.txt was written (SHA-256 44136fa355b3678a..., expected "
    )


def test_a_missing_file(unpacked: Path, tmp_path: Path) -> None:
    name = f"experiment/{FIRST}/ckp-{point(1).uid}.0001.json"
    (unpacked / name).unlink()
    assert refusal(unpacked, tmp_path) == f"{name}: is missing, although manifest-sha256.txt names it"


def test_a_file_that_was_added(unpacked: Path, tmp_path: Path) -> None:
    name = f"experiment/{FIRST}/more.json"
    (unpacked / name).write_bytes(b"{}")
    assert refusal(unpacked, tmp_path) == (
        f"{name}: is not in manifest-sha256.txt; remove the manifest if the file was added on purpose"
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff", "is not UTF-8"),
        (b"abc  x\n", "line 1 has another form than `<sha256>  <name>`"),
        (b"%b  x\n%b  x\n" % (b"0" * 64, b"0" * 64), "line 2 names a file twice"),
    ],
)
def test_a_manifest_that_is_none(data: bytes, reason: str) -> None:
    with pytest.raises(DataError) as refused:
        manifest.parse(data)
    assert str(refused.value) == f"manifest-sha256.txt: {reason}"


def test_what_is_written_is_read_back() -> None:
    hashes = {"b": "1" * 64, "a b": "2" * 64}
    assert manifest.parse(manifest.to_bytes(hashes)) == hashes
