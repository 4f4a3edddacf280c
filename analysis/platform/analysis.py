"""Platform: the devices behind the points, from the points themselves and from what is published of them."""

from fnmatch import fnmatchcase
from textwrap import wrap

import pandas as pd

from nntest.analyses.columns import present, require
from nntest.analyses.grouping import floats
from nntest.analyses.lookup import read_tables
from nntest.analyses.names import count_noun, listed
from nntest.analyses.selection import filter_rows
from nntest.analyses.style import FAINT, INK, empty_figure, new_figure
from nntest.errors import UsageError

NAME = "platform"
COLUMNS = ("platform", "cpu", "cores", "gpu", "clocks", "memory", "os", "driver")
TITLES = {"cpu": "CPU", "gpu": "GPU", "os": "OS"}
_KEYS = ("platform_id", "platform", "cpu", "gpu", "os", "target", "emulated")
_WIDTH = 88


def table(source, options):
    """Return one row per device; a cell is unknown where neither the points nor a table tell it."""
    points = filter_rows(source.points, options.where, where=NAME)
    require(points, ["platform"], where=NAME)
    if points.empty:
        raise UsageError(f"{NAME}: no rows were found; check the source, --tags and --where")
    devices = _told(source, points)
    known = read_tables("dataset,platforms", COLUMNS)
    rows = [_row(device, known, points) for _, device in devices.iterrows()]
    return {NAME: pd.DataFrame(rows, columns=list(COLUMNS)).drop_duplicates(ignore_index=True)}


def chart(tables, _options):
    """Write a card per device."""
    main = tables[NAME]
    if main.empty:
        return empty_figure("These points tell no platform.")
    lines = []
    for _, row in main.iterrows():
        lines.append(("", str(row["platform"])))
        for column in COLUMNS[1:]:
            words = "unknown" if pd.isna(row[column]) else str(row[column])
            name = TITLES.get(column, column)
            parts = wrap(words, _WIDTH) or [""]
            lines += [(name if part == parts[0] else "", part) for part in parts]
        lines.append(None)
    height = 0.21 * len(lines) + 0.5
    figure = new_figure(9.0, height)
    figure.text(0.008, 1 - 0.2 / height, finding(tables, None), fontweight="bold", fontsize=11, color=INK, va="center")
    for place, line in enumerate(lines):
        y = 1 - (0.5 + 0.21 * place) / height
        if line is None:
            continue
        name, words = line
        heading = not name and (place == 0 or lines[place - 1] is None)
        figure.text(0.02, y, name, va="center", fontsize=9.5)
        figure.text(0.02 if heading else 0.13, y, words, va="center", fontsize=10.5 if heading else 9.5,
                    fontweight="bold" if heading else "normal")  # fmt: skip
        if heading and place:
            figure.add_artist(_rule(y + 0.14 / height))
    return figure


def finding(tables, _options):
    """Count and name the devices."""
    names = tables[NAME]["platform"].dropna().drop_duplicates()
    return f"{count_noun(len(names), 'device')}: {listed(names)}" if len(names) else "These points tell no platform."


def _rule(y):
    from matplotlib.lines import Line2D

    return Line2D([0.02, 0.98], [y, y], color=FAINT, linewidth=0.8)


def _told(source, points):
    """Return the platforms of these points, with the facts that one point of each tells."""
    keys = present(points, _KEYS)
    devices = points[keys].drop_duplicates().reset_index(drop=True)
    try:
        facts = source.hardware
    except AttributeError:
        facts = None
    if facts is None:
        return devices
    joined = present(facts, keys)
    texts = [frame.assign(_key=frame[joined].astype("string").fillna("").agg("\n".join, axis=1))
             for frame in (devices, facts)]  # fmt: skip
    more = texts[1].drop(columns=joined).drop_duplicates("_key")
    return texts[0].merge(more, on="_key", how="left")


def _row(device, known, points):
    def fact(name):
        value = device.get(name)
        return None if value is None or pd.isna(value) or str(value).strip() in ("", "-") else value

    name = fact("platform")
    published = _published(name, known)
    cpu = fact("cpu")
    # a platform that tells no name is called after its CPU, and some CPUs after their board
    told = {
        "platform": name,
        "cpu": cpu if cpu != name or not published.get("cpu") else None,
        "cores": fact("cores"),
        "gpu": fact("gpu"),
        "clocks": _clocks(fact, points),
        "memory": None if fact("ram_mb") is None else f"{fact('ram_mb') / 1e3:.1f} GB",
        "os": fact("os"),
        "driver": fact("driver"),
    }
    if told["cores"] is not None:
        told["cores"] = f"{told['cores']:g}"
    # what is published adds to what the points tell of the clocks: a GPU's is in no point
    if told["clocks"] and published.get("clocks"):
        told["clocks"] = f"{told['clocks']}; published: {published['clocks']}"
    return {column: told[column] if told[column] is not None else published.get(column) for column in COLUMNS}


def _published(name, known):
    for _, row in known.iterrows():
        if name is not None and fnmatchcase(str(name), str(row["platform"])):
            return {key: value for key, value in row.items() if not pd.isna(value)}
    return {}


def _clocks(fact, points):
    if fact("clock_high_mhz") is not None:
        low, high = fact("clock_low_mhz"), fact("clock_high_mhz")
        return f"CPU {low:.0f} to {high:.0f} MHz" if low < high else f"CPU {high:.0f} MHz"
    if "core_ghz" not in points:
        return None
    here = points
    if fact("platform_id") is not None:
        same = points["platform_id"].astype("string") == fact("platform_id")
        here = points[same.fillna(value=False).to_numpy(dtype=bool)]
    measured = pd.Series(floats(here["core_ghz"])).dropna()
    return None if measured.empty else f"CPU {measured.median():.2f} GHz (median, measured beside the samples)"
