"""Zips as they should not be: each is refused by its member and reason, while it is read."""

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest

from nntest.errors import DataError
from nntest.store.exchange.archive import open_archive
from nntest.store.exchange.limits import Limits, Tally
from tests.store.exchange.archives import zipped


def read(data: bytes, **limits: int) -> dict[str, bytes]:
    chosen = Limits(**limits)
    with open_archive(io.BytesIO(data), chosen, Tally(chosen)) as members:
        return {member.name: member.read() for member in members if not member.folder}


def with_info(files: Mapping[str, bytes], **fields: Any) -> bytes:
    """Return a zip whose members have these fields of ``ZipInfo``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            for key, value in fields.items():
                setattr(info, key, value)
            archive.writestr(info, data)
    return buffer.getvalue()


def test_members_are_read_in_place() -> None:
    files = {"a/x.json": b"{}", "b.json": b"[1]" * 1000}
    assert read(zipped(files)) == files


@pytest.mark.parametrize("mode", [0o120777, 0o120000])
def test_symbolic_links(mode: int) -> None:
    with pytest.raises(DataError, match=r"^x\.json: is a link$"):
        read(with_info({"x.json": b"/etc/passwd"}, external_attr=mode << 16, create_system=3))


@pytest.mark.parametrize("field", [0x000D, 0x756E])
def test_extra_fields_that_can_carry_a_link(field: int) -> None:
    with pytest.raises(DataError, match=r"^x\.json: is a link$"):
        read(with_info({"x.json": b""}, extra=struct.pack("<HH", field, 4) + b"link"))


@pytest.mark.parametrize("mode", [0o010644, 0o020644, 0o060644, 0o140644])
def test_pipes_and_devices(mode: int) -> None:
    with pytest.raises(DataError, match=r"^x\.json: is a device, pipe or socket$"):
        read(with_info({"x.json": b""}, external_attr=mode << 16))


def test_a_file_that_calls_itself_a_folder() -> None:
    with pytest.raises(DataError, match="is a folder by its attributes and a file by its name, or the reverse"):
        read(with_info({"x.json": b""}, external_attr=0o040755 << 16))


def test_encrypted_members() -> None:
    data = bytearray(zipped({"x.json": b"{}"}))
    data[data.index(b"PK\1\2") + 8] |= 1
    data[data.index(b"PK\3\4") + 6] |= 1
    with pytest.raises(DataError, match=r"^x\.json: is encrypted$"):
        read(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing(method: int) -> None:
    with pytest.raises(DataError, match=rf"^x\.json: is packed by method {method}; expected stored or deflated$"):
        read(zipped({"x.json": b"{}"}, method=method))


def test_names_with_a_nul() -> None:
    data = zipped({"x.json_evil": b"{}"}).replace(b"x.json_evil", b"x.json\0evil")
    with pytest.raises(DataError, match="has a control or unassigned character"):
        read(data)


def test_names_that_are_not_marked_as_utf8() -> None:
    data = zipped({"x1.json": b"{}"}).replace(b"x1.json", b"x\x81.json")
    with pytest.raises(DataError, match="is not marked as UTF-8, so that systems disagree about it"):
        read(data)


def test_the_names_of_header_and_contents_must_agree() -> None:
    data = bytearray(zipped({"x.json": b"{}"}))
    data[30:36] = b"y.json"
    with pytest.raises(DataError, match=r"^x\.json: is damaged \(BadZipFile: File name in directory"):
        read(bytes(data))


def test_damaged_content() -> None:
    data = zipped({"x.json": b"{}" * 50}, method=zipfile.ZIP_STORED).replace(b"{}{}", b"{}()", 1)
    with pytest.raises(DataError, match=r"^x\.json: is damaged \(BadZipFile: Bad CRC-32"):
        read(data)


@pytest.mark.parametrize("data", [b"", b"no zip", zipped({"x": b"y"})[:-5], b"PK\5\6" + b"\xff" * 18])
def test_what_is_no_zip(data: bytes) -> None:
    with pytest.raises(DataError, match=r"^is no readable zip .*; get it again from its source$"):
        read(data)


def test_files_of_members() -> None:
    with pytest.raises(DataError, match=r"^holds more than 2 members, the limit for an archive$"):
        read(zipped({"a": b"", "b": b"", "c": b""}), members=2)


def test_size_of_a_file_whatever_its_header_says() -> None:
    data = zipped({"x.json": bytes(5000)})
    lying = data.replace(struct.pack("<I", 5000), struct.pack("<I", 10))
    assert lying != data
    with pytest.raises(DataError):
        read(lying, file_bytes=1000)
    with pytest.raises(DataError, match=r"^x\.json: larger than 1000 bytes, the limit for one file$"):
        read(data, file_bytes=1000)


def test_size_of_all_files() -> None:
    files = {"x.json": bytes(600), "y.json": bytes(600)}
    with pytest.raises(DataError, match=r"^y\.json: all files together exceed 1000 bytes, the limit for an archive$"):
        read(zipped(files), total_bytes=1000)


def test_compression_ratio() -> None:
    bomb = zipped({"x.json": bytes(8_000_000)})
    with pytest.raises(DataError, match=r"^x\.json: unpacks to more than 200 times its compressed size, as bombs do$"):
        read(bomb)


def test_a_table_of_contents_that_fills_the_memory() -> None:
    data = zipped({f"{number}.json": b"" for number in range(100)})
    with pytest.raises(DataError, match=r"^its table of contents exceeds 1000 bytes, the limit for an archive$"):
        read(data, directory_bytes=1000)
