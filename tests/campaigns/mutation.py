"""Random damage, from a seeded generator: to bytes, to zips, to JSON."""

import io
import json
import random
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

ESCAPE = "nntest-escaped"
EVIL_NAMES = (
    f"../{ESCAPE}",
    f"../../{ESCAPE}.json",
    f"/tmp/{ESCAPE}",
    f"experiment/../../{ESCAPE}.json",
    f"experiment/demo/../../../{ESCAPE}.json",
    f"..\\{ESCAPE}",
    f"C:\\{ESCAPE}",
    f"C:/{ESCAPE}",
    f"//{ESCAPE}/x",
    f"experiment/{ESCAPE}\0.json",
    "experiment/demo/.cm/../../../../x.json",
    "program/x/run.sh",
    "module/nntest/module.py",
    ".ckr.json",
    "EXPERIMENT/demo/x.json",
    "experiment/demo/con.json",
    "experiment/demo/x\u202e.json",
    "experiment/demo/\ud83d.json",
    "experiment/demo/sub/x.json",
    "experiment",
    "experiment/demo",
    "experiment/demo/ckp-0000000000000000.0001.json",
    "experiment/.cm/alias-u-0123456789abcdee",
    ".nntest-import-x/experiment/a/.cm/meta.json",
    "manifest-sha256.txt",
    "",
    "/",
)
_EVIL_DATA = (
    b"",
    b"{",
    b"[]",
    b"{}",
    b"null",
    b"NaN",
    b'"\xff"',
    b"[" * 5000,
    b"PK\3\4",
    b"#!/bin/sh\n",
    b"0" * 70_000,
)
_MODES = (0o120777, 0o100644, 0o040755, 0o010644, 0o020666, 0o100755, 0)
_FIELDS = (b"PK\1\2", b"PK\3\4", b"PK\5\6")


def damage(data: bytes, generator: random.Random) -> bytes:
    """Return bytes with one to five random changes."""
    mutable = bytearray(data)
    for _ in range(generator.randint(1, 5)):
        if not mutable:
            break
        at = generator.randrange(len(mutable))
        match generator.randrange(6):
            case 0:
                mutable[at] ^= 1 << generator.randrange(8)
            case 1:
                mutable[at] = generator.randrange(256)
            case 2:
                del mutable[at:]
            case 3:
                del mutable[at : at + generator.randint(1, 64)]
            case 4:
                mutable[at:at] = generator.randbytes(generator.randint(1, 64))
            case _:
                length = generator.randint(1, 64)
                mutable[at : at + length] = mutable[generator.randrange(len(mutable)) :][:length]
    return bytes(mutable)


def damaged_zip(files: Mapping[str, bytes], generator: random.Random) -> bytes:
    """Return a zip of ``files`` with evil members, changed header fields, or random damage; sometimes unharmed."""
    chosen = dict(files)
    if generator.random() < 0.3:
        for _ in range(generator.randint(1, 3)):
            name = generator.choice([*chosen, *EVIL_NAMES])
            chosen[name] = generator.choice([*_EVIL_DATA, *chosen.values()])
    if generator.random() < 0.2:
        name = generator.choice(list(chosen))
        chosen[name] = damage(chosen[name], generator)
    if generator.random() < 0.1:
        chosen.pop(generator.choice(list(chosen)))
    if generator.random() < 0.1:
        name = generator.choice(list(chosen))
        chosen[name.swapcase()] = chosen[name]
    data = _write(chosen, generator)
    if generator.random() < 0.4:
        data = _with_field(data, generator)
    return damage(data, generator) if generator.random() < 0.4 else data


def _write(files: Mapping[str, bytes], generator: random.Random) -> bytes:
    buffer = io.BytesIO()
    odd = generator.random() < 0.2
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo("x")
            info.filename = name.encode("utf-8", "replace").decode()
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            if odd and generator.random() < 0.2:
                info.external_attr = generator.choice(_MODES) << 16
                info.compress_type = generator.choice((0, 8, 12, 14))
                info.extra = generator.choice((b"", struct.pack("<HH", 0x756E, 4) + b"link", generator.randbytes(9)))
            archive.writestr(info, data)
    return buffer.getvalue()


def _with_field(data: bytes, generator: random.Random) -> bytes:
    """Overwrite two or four bytes of a header: flags, sizes, offsets, counts."""
    mutable = bytearray(data)
    mark = generator.choice(_FIELDS)
    starts = [at for at in range(len(data) - 4) if data[at : at + 4] == mark]
    if starts:
        at = generator.choice(starts) + generator.randrange(4, 44)
        value = generator.choice((b"\0\0", b"\1\0", b"\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x01\x08"))
        mutable[at : at + len(value)] = value
    return bytes(mutable)


def damaged_json(document: Any, generator: random.Random) -> bytes:
    """Return a document with values of other types in random places, or with random damage to its bytes."""
    words = json.loads(json.dumps(document))
    for _ in range(generator.randint(1, 4)):
        _spoil(words, generator)
    data = json.dumps(words).encode()
    return damage(data, generator) if generator.random() < 0.4 else data


def _spoil(words: Any, generator: random.Random) -> None:
    place, key = words, None
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = generator.choice(keys)
        if not isinstance(place[key], dict | list) or not place[key] or generator.random() < 0.15:
            break
        place = place[key]
    if key is None or not isinstance(place, dict | list):
        return
    values = (
        None,
        True,
        0,
        -1,
        1e308,
        float("nan"),
        float("inf"),
        10**30,
        "",
        "x",
        "\0",
        "\ud800",
        [],
        {},
        [[]],
        "NaN",
    )
    if generator.random() < 0.15:
        del place[key]
    else:
        place[key] = generator.choice(values)
