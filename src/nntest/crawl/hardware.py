"""What one point of each platform tells of its hardware, beyond the columns of the table."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nntest.crawl.content import UnreadableError, parse
from nntest.crawl.rules import to_number, to_text
from nntest.crawl.sources import Folder, Listing

if TYPE_CHECKING:
    import pandas as pd

#: Columns that tell platforms apart.
KEYS = ("platform_id", "platform", "cpu", "gpu", "os", "target", "emulated")
#: Columns that are read from one point of each.
FACTS = ("cores", "clock_low_mhz", "clock_high_mhz", "ram_mb", "kernel", "driver")


def hardware_table(points: "pd.DataFrame", listings: Sequence[Listing]) -> "pd.DataFrame":
    """Return one row per platform: `KEYS`, then `FACTS`, unknown where no point tells them.

    A point file that cannot be read (any more) leaves its platform's facts unknown.
    """
    import pandas as pd

    platforms = points.drop_duplicates(list(KEYS)).reset_index(drop=True)
    folders = {(folder.repo, folder.name): folder for listing in listings for folder in listing.folders}
    places = zip(platforms["repo"], platforms["experiment"], platforms["point"], strict=True)
    facts = [_facts(folders.get((repo, experiment)), str(point)) for repo, experiment, point in places]
    table = platforms[list(KEYS)].copy()
    for name in FACTS:
        values = [row.get(name) for row in facts]
        table[name] = pd.array(values, dtype="string" if name in ("kernel", "driver") else "Float64")
    return table


def facts_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a point tells of its platform: our own block first, then the features that ck found."""
    own = _at(document, "nntest", "platform")
    if isinstance(own, dict):
        return _known(
            {
                "cores": to_number(own.get("cores")),
                "ram_mb": to_number(own.get("memory_mb")),
                "kernel": to_text(own.get("kernel") or ""),
                "driver": to_text(own.get("driver") or ""),
            }
        )
    features = _at(document, "features", "platform")
    clocks = [*_numbers(_at(features, "cpu", "all_freqs"), 1e-3), *_numbers(_at(features, "cpu", "max_freq"), 1.0)]
    kernel = _at(features, "os", "name_short")
    return _known(
        {
            "cores": to_number(_at(features, "cpu", "num_proc")),
            "clock_low_mhz": min(clocks, default=None),
            "clock_high_mhz": max(clocks, default=None),
            "kernel": to_text(kernel) if isinstance(kernel, str) else None,
        }
    )


def _facts(folder: Folder | None, point: str) -> dict[str, Any]:
    if folder is None:
        return {}
    names = [name for name in folder.names if name.startswith(f"ckp-{point}.")]
    try:
        return facts_of(parse(_content(folder, names[0]))) if names else {}
    except (UnreadableError, OSError, zipfile.BadZipFile, KeyError, RuntimeError):
        return {}


def _content(folder: Folder, name: str) -> bytes:
    inside = "/".join(part for part in (folder.path, name) if part)
    if not folder.container:
        return Path(inside).read_bytes()
    with zipfile.ZipFile(folder.container) as archive:
        return archive.read(inside)


def _known(facts: Mapping[str, Any]) -> dict[str, Any]:
    # ck writes 0 for a clock that it could not read
    return {name: value for name, value in facts.items() if value}


def _numbers(value: Any, scale: float) -> Iterator[float]:
    """Yield the numbers in a clock's object: one per core, or a list per core."""
    for item in value.values() if isinstance(value, dict) else ():
        for number in item if isinstance(item, list) else [item]:
            found = to_number(number)
            if found:
                yield found * scale


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
