"""Which names may come in, and what each of them is."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from nntest.store.entries import MODULE_UIDS
from nntest.store.exchange.limits import Limits, RefusedError
from nntest.store.repository import REPOSITORY_FILE

Kind = Literal["document", "manifest", "module alias", "alias", "meta", "data"]

#: Modules whose entries are data.
DATA_MODULES = ("dataset", "experiment")
MANIFEST = "manifest-sha256.txt"
CRATE = "ro-crate-metadata.json"
#: Files that CK keeps in an entry's ``.cm``.
META_FILES = ("meta.json", "info.json", "desc.json", "updates.json")

_UID = re.compile(r"[0-9a-f]{16}")
_POINT = re.compile(r"ckp-([0-9a-f]{16})\.([0-9]{1,9})\.json")
# Behind the uid: a number, or the word of a derived file.
_OF_POINT = re.compile(r"ckp-[0-9a-f]{16}\.([0-9]{1,9}|[A-Za-z][A-Za-z0-9_.]*)\.json")
# Shell and CK patterns, drive letters, streams, and what Windows cannot store.
_MEANINGFUL = frozenset('\\:*?"<>|')
_DOCUMENTS = re.compile(
    r"(readme|licen[cs]e|copying|copyright|notice|authors|changes|changelog|contributing)(\.(md|txt|rst))?"
    r"|citation\.cff|\.gitignore|\.gitattributes",
    re.IGNORECASE,
)
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_CODE = re.compile(
    r"\.(py|pyc|pyo|pyd|sh|bash|bat|cmd|ps1|exe|dll|so|dylib|o|a|c|cc|cpp|cxx|h|hpp|cl|cu|js|jar|class|pl|rb|lua|ipynb"
    r"|pkl|pickle|whl|deb|rpm|mk|cmake)"
)
_ARCHIVE = re.compile(r"\.(zip|gz|tgz|bz2|xz|zst|tar|7z|rar|lz4|cab|iso)")
_DATA = {"experiment": frozenset({".json"}), "dataset": frozenset({".json", ".csv"})}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a member belongs: ``module`` and ``entry`` are empty for what belongs to the whole archive."""

    kind: Kind
    module: str = ""
    entry: str = ""
    file: str = ""


def split_name(name: str, limits: Limits) -> tuple[str, ...]:
    """Return the parts of a member's name.

    Raises
    ------
    RefusedError
        The name could leave its folder, or means different things to different systems.
    """
    for fault in _faults(name):
        raise RefusedError(name, fault)
    parts = tuple(name.removesuffix("/").split("/"))
    if len(parts) > limits.parts:
        raise RefusedError(name, f"deeper than {limits.parts} levels, the limit")
    for part in parts:
        for fault in _part_faults(part, limits):
            raise RefusedError(name, fault)
    return parts


def top_folder(names: Iterable[tuple[str, ...]]) -> str:
    """Return the one folder that holds a whole repository (``.ckr.json`` lies directly in it), or ''."""
    tops, described = set(), False
    for parts in names:
        tops.add(parts[0])
        described = described or (len(parts) == 2 and parts[1] == REPOSITORY_FILE)
    return tops.pop() if described and len(tops) == 1 else ""


class Spellings:
    """Names seen so far, so that no two become one file on another system."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._files: set[tuple[str, ...]] = set()
        self._folders: set[tuple[str, ...]] = set()

    def add(self, name: str, parts: tuple[str, ...], *, folder: bool) -> None:
        """Remember a name and the folders on its way.

        Raises
        ------
        RefusedError
            It is there already, or differs from one that is only in case or Unicode form, or is both file and folder.
        """
        for length in range(1, len(parts) + 1):
            key = tuple(_folded(part) for part in parts[:length])
            spelt = self._seen.setdefault(key, parts[:length])
            if spelt != parts[:length]:
                raise RefusedError(name, f"differs from {'/'.join(spelt)} only in case or Unicode form")
            last = length == len(parts)
            if key in self._files:
                raise RefusedError(
                    name, "stands in the archive twice" if last else f"lies below {'/'.join(spelt)}, a file"
                )
            if last and not folder:
                if key in self._folders:
                    raise RefusedError(name, "is both a file and a folder")
                self._files.add(key)
            else:
                self._folders.add(key)


def classify(name: str, parts: tuple[str, ...]) -> Place:
    """Say what a file is.

    Raises
    ------
    RefusedError
        It is no data of an experiment or dataset entry.
    """
    top = parts[0]
    if len(parts) == 1:
        return _root_file(name, top)
    if top == ".cm" and len(parts) == 2:
        return _module_alias(name, parts[1])
    if top not in DATA_MODULES:
        raise RefusedError(name, f"belongs to {top}; import takes data only: experiment and dataset entries")
    if parts[1] == ".cm":
        if len(parts) == 3 and _is_alias(parts[2]):
            return Place(kind="alias", module=top, file=parts[2])
        raise RefusedError(name, "is no alias file; expected alias-a-NAME or alias-u-UID")
    if len(parts) == 4 and parts[2] == ".cm":
        if parts[3] not in META_FILES:
            raise RefusedError(name, f"is no file of CK; expected one of {', '.join(META_FILES)}")
        return Place(kind="meta", module=top, entry=parts[1], file=f".cm/{parts[3]}")
    if len(parts) != 3:
        raise RefusedError(name, f"is no file of an entry; expected {top}/NAME/FILE")
    _check_data_name(name, top, parts[2])
    return Place(kind="data", module=top, entry=parts[1], file=parts[2])


def point_number(file: str) -> tuple[str, int] | None:
    """Return uid and number of a sub-point's file, or None for any other file."""
    found = _POINT.fullmatch(file)
    return (found[1], int(found[2])) if found else None


def is_uid(text: str) -> bool:
    """Tell whether a text is a UID of CK."""
    return _UID.fullmatch(text) is not None


def _faults(name: str) -> Iterable[str]:
    if not name or name == "/":
        yield "has no name"
    if name.startswith("/"):
        yield "is absolute; names must stay inside the folder"
    if "\\" in name:
        yield "has a backslash, which leaves the folder on some systems"
    if re.match(r"[A-Za-z]:", name):
        yield "begins with a drive letter; names must stay inside the folder"


def _part_faults(part: str, limits: Limits) -> Iterable[str]:
    if part in {"", ".", ".."}:
        yield "leaves its folder or has an empty part"
    if any(unicodedata.category(letter)[0] == "C" or unicodedata.category(letter) in {"Zl", "Zp"} for letter in part):
        yield "has a control or unassigned character"
    if _MEANINGFUL & set(part):
        yield f"has one of {' '.join(sorted(_MEANINGFUL))}"
    if part != part.strip() or part.endswith("."):
        yield "begins or ends with a blank, or ends with a dot"
    if _RESERVED.fullmatch(part):
        yield "is a device on some systems"
    if len(part.encode("utf-8", "surrogatepass")) > limits.part_bytes:
        yield f"has a part longer than {limits.part_bytes} bytes, the limit"


def _folded(part: str) -> str:
    """Return what two names have in common when a file system takes them for one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", part).casefold())


def _root_file(name: str, file: str) -> Place:
    if file == MANIFEST:
        return Place(kind="manifest", file=file)
    if file in {REPOSITORY_FILE, CRATE} or _DOCUMENTS.fullmatch(file):
        return Place(kind="document", file=file)
    raise RefusedError(name, f"{_what(file)}; import takes data only: experiment and dataset entries")


def _module_alias(name: str, file: str) -> Place:
    for module in DATA_MODULES:
        if file in {f"alias-a-{module}", f"alias-u-{MODULE_UIDS[module]}"}:
            return Place(kind="module alias", file=file)
    raise RefusedError(name, "is no alias of the modules experiment and dataset, which are all that import takes")


def _is_alias(file: str) -> bool:
    if file.startswith("alias-a-"):
        return len(file) > len("alias-a-")
    return file.startswith("alias-u-") and is_uid(file.removeprefix("alias-u-"))


def _check_data_name(name: str, module: str, file: str) -> None:
    suffix = PurePosixPath(file).suffix.lower()
    if suffix not in _DATA[module] or file.startswith("."):
        allowed = " and ".join(sorted(_DATA[module]))
        raise RefusedError(name, f"{_what(file)}; import takes data only: {allowed} files of {module} entries")
    if module == "experiment" and file.startswith("ckp-") and not _OF_POINT.fullmatch(file):
        raise RefusedError(name, "is no name of a point; expected ckp-<16 hex>.<number>.json")


def _what(file: str) -> str:
    suffixes = [suffix.lower() for suffix in PurePosixPath(file).suffixes]
    if any(map(_ARCHIVE.fullmatch, suffixes)):
        return "is a nested archive"
    return "is code" if any(map(_CODE.fullmatch, suffixes)) else "is no data file"
