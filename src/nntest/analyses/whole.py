"""Whole networks that tell the time of each layer: the same layers of several libraries, and the best library for each.

Libraries fuse layers (``conv1 + relu1``), or lack some. The finest layers that all have are compared: where one
library fuses two, the others' two are added. A layer that a library lacks is left out on all sides, and named.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nntest.analyses.cases import codes_of, combined
from nntest.analyses.columns import present
from nntest.analyses.options import Options

if TYPE_CHECKING:
    import pandas as pd

    from nntest.statistics.series import Ints

#: Direction to the column of the whole's time and the directions of its layers.
PASSES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "forward": ("time_us", ("forward",)),
    "backward": ("time_backward_us", ("backward",)),
    "forward_backward": ("time_forward_backward_us", ("forward", "backward")),
}
WHOLE = "whole"
#: The statistic that divides what the study divided: least times of layers by a mean time of the whole.
STUDY_RULE = "auto"
_FUSED = re.compile(r" \+ |\|\|")
_KEYS = ("library", "batch_size", "experiment", "point", "repetition")


@dataclass(frozen=True, kw_only=True, eq=False)
class Aligned:
    """Layers that all ``libraries`` have, and their times.

    Attributes
    ----------
    names
        The layers, in the order of the first library that has them.
    times
        One row per library, batch_size, repetition and layer (a number): time_ms, per image.
    left_out
        layer and reason.
    """

    libraries: tuple[str, ...]
    names: tuple[str, ...]
    times: "pd.DataFrame"
    left_out: "pd.DataFrame"


def rows_of(layers: "pd.DataFrame", points: "pd.DataFrame", direction: str) -> "pd.DataFrame":
    """Return the layers of those repetitions that are among ``points``, in the directions that belong to it."""
    layers = layers[layers["direction"].isin(PASSES[direction][1]).to_numpy(dtype=bool) & layers["time_us"].notna()]
    keys = [key for key in ("repo", "experiment", "point", "repetition") if key in layers and key in points]
    if not keys:
        return layers
    wanted = points[keys].drop_duplicates()
    both = [np.concatenate(pair) for pair in zip(*_shared_codes(layers, wanted, keys), strict=True)]
    numbers = combined(both)
    return layers[np.isin(numbers[: len(layers)], numbers[len(layers) :])]


def align(layers: "pd.DataFrame", libraries: Sequence[str], direction: str) -> Aligned:
    """Find the finest layers that all libraries have, and add up what they fuse."""
    import pandas as pd

    reasons: list[tuple[str, str]] = []
    names = layers["library"].astype("string").to_numpy(dtype=object)
    for needed in PASSES[direction][1]:
        has = set(names[(layers["direction"] == needed).to_numpy(dtype=bool)])
        reasons += [("", f"{library} has no {needed} times") for library in libraries if library not in has]
    lacking = {reason.split(" has no ")[0] for _, reason in reasons}
    libraries = tuple(library for library in libraries if library not in lacking)
    layers, names = layers[np.isin(names, libraries)], names[np.isin(names, libraries)]
    labels = _labels(layers)
    table = pd.DataFrame({"library": names, "label": labels, "index": layers["index"].to_numpy()})
    known = table.drop_duplicates(["library", "label"]).sort_values("index", kind="stable")
    units = _units({library: known.loc[known["library"] == library, "label"].tolist() for library in libraries})
    kept = [unit for unit in units if not unit.lacking]
    reasons += [(unit.name, unit.reason) for unit in units if unit.lacking]
    place = {label: number for number, unit in enumerate(kept) for label in unit.labels}
    codes, texts = pd.factorize(labels)
    numbers = np.array([place.get(label, -1) for label in texts], dtype=np.int64)[codes]
    times = _times(layers[numbers >= 0], numbers[numbers >= 0])
    return Aligned(
        libraries=libraries,
        names=tuple(unit.name for unit in kept),
        times=times,
        left_out=pd.DataFrame(reasons, columns=["layer", "reason"]),
    )


def compose(
    layers: "pd.DataFrame",
    points: "pd.DataFrame",
    libraries: Sequence[str],
    setting: Mapping[str, Any],
    options: Options,
) -> "dict[str, pd.DataFrame]":
    """Compose one network of the layers of some libraries.

    Returns
    -------
    dict
        ``layers`` (which library and batch size was picked for each), ``single`` (each library alone), ``total``,
        ``left_out`` (layers that not all libraries have); the last alone where they have no layer in common. All
        times are ms per image.
    """
    import pandas as pd

    aligned = align(layers, libraries, options.direction)
    head = {**setting, "ranking": WHOLE, "libraries": "+".join(sorted(aligned.libraries))}
    if aligned.times.empty:
        return {"left_out": _with(head, aligned.left_out)}
    published = options.statistic == STUDY_RULE
    batch, same = one_batch(layer_times(aligned, "mean" if published else options.statistic), aligned.libraries)
    alone = same.groupby("library", observed=True)["time_ms"].sum()
    picks = fastest(layer_times(aligned, "minimum") if published else same)
    ideal = picks["time_ms"].sum()
    whole = whole_times(points, options.direction) if published else same.iloc[:0]
    whole = whole[whole["library"].isin(aligned.libraries)]
    best = whole.loc[whole.groupby("library")["time_ms"].idxmin()] if len(whole) else whole
    single = best.set_index("library")["time_ms"] if len(best) else alone
    winner = str(single.idxmin()) if len(single) else ""
    rule = fastest(same)["time_ms"].sum() / alone.min() if len(alone) else np.nan
    layer_table = pd.DataFrame(
        {
            "layer": [aligned.names[number] for number in picks["layer"]],
            "multiplicity": 1,
            "library": picks["library"].astype("string"),
            "batch_size": picks["batch_size"],
            "time_ms_per_image": picks["time_ms"],
            "share": picks["time_ms"] / ideal,
        }
    )
    total = {
        "layers": len(aligned.names),
        "layers_left_out": int((aligned.left_out["layer"] != "").sum()),
        "ideal_ms_per_image": ideal,
        "best_single_library": winner,
        "best_single_ms_per_image": single.min() if len(single) else np.nan,
        "ratio": ideal / single.min() if len(single) else np.nan,
        "ratio_same_rule": rule,
        "batch_size_same_rule": batch,
    }
    singles = pd.DataFrame(
        {
            "kind": "library",
            "name": single.index.astype("string"),
            "library": single.index.astype("string"),
            "layers": len(aligned.names),
            "layers_of": len(aligned.names),
            "time_ms_per_image": single.to_numpy(),
            "ideal_ms_same_layers": ideal,
            "ratio": ideal / single.to_numpy(),
            "same_rule_ms_per_image": alone.reindex(single.index).to_numpy(),
        }
    )
    return {
        "layers": _with(head, layer_table),
        "single": _with(head, singles),
        "total": _with(head, pd.DataFrame([total])),
        "left_out": _with(head, aligned.left_out),
    }


def layer_times(aligned: Aligned, statistic: str) -> "pd.DataFrame":
    """Return library, batch_size, layer, time_ms: a statistic over repetitions of each layer's time of one image."""
    groups = aligned.times.groupby(["library", "batch_size", "layer"], observed=True, sort=True)["time_ms"]
    how = {"minimum": "min"}.get(statistic, statistic)
    return groups.agg(how).reset_index()


def fastest(times: "pd.DataFrame") -> "pd.DataFrame":
    """Return one row per layer: the row of ``times`` with the least time.

    Among equals (to 12 digits: 371 / 14 is 424 / 16) it is the largest batch size, then the first library by name.
    """
    keys = times.assign(_time=[float(f"{time:.12g}") for time in times["time_ms"]])
    ordered = keys.sort_values(["layer", "_time", "batch_size", "library"], ascending=[True, True, False, True])
    return ordered.drop_duplicates("layer").drop(columns="_time").reset_index(drop=True)


def one_batch(times: "pd.DataFrame", libraries: Sequence[str]) -> "tuple[Any, pd.DataFrame]":
    """Return the batch size at which the best library alone is fastest, and the times at it.

    Only batch sizes that all libraries were measured at count; None where there is none.
    """
    totals = times.groupby(["batch_size", "library"], observed=True)["time_ms"].sum()
    counts = totals.groupby(level="batch_size", observed=True).size()
    shared = counts[counts == len(libraries)].index
    if shared.empty:
        return None, times.iloc[:0]
    best: Any = totals[totals.index.get_level_values("batch_size").isin(shared)].reset_index()
    best = best.loc[best["time_ms"].idxmin(), "batch_size"]
    return best, times[times["batch_size"] == best]


def whole_times(points: "pd.DataFrame", direction: str) -> "pd.DataFrame":
    """Return library, batch_size, time_ms: means over repetitions of the whole network's time of one image."""
    times = (
        points[PASSES[direction][0]].astype("float64") / 1e3 / points["batch_size"].astype("Int64").astype("float64")
    )
    frame = points[["library", "batch_size"]].astype({"library": "string"}).assign(time_ms=times)
    return frame.groupby(["library", "batch_size"], observed=True)["time_ms"].mean().dropna().reset_index()


@dataclass(frozen=True, kw_only=True)
class _Unit:
    """Layers that stand for each other: ``labels`` of all libraries; ``lacking`` tells who does not have all parts."""

    name: str
    labels: tuple[str, ...]
    lacking: Mapping[str, tuple[str, ...]]

    @property
    def reason(self) -> str:
        parts = {missing for each in self.lacking.values() for missing in each}
        who = ", ".join(self.lacking)
        of = "" if parts == set(_parts(self.name)) else f" (of it {', '.join(sorted(parts))})"
        return f"{who} {'lacks' if len(self.lacking) == 1 else 'lack'} it{of}"


def _units(labels: Mapping[str, list[str]]) -> list[_Unit]:
    """Join labels that share parts; the order is that of the first library that has a part."""
    root: dict[str, str] = {}

    def find(part: str) -> str:
        while root[part] != part:
            root[part] = root[root[part]]
            part = root[part]
        return part

    for label in (label for each in labels.values() for label in each):
        first, *others = _parts(label)
        for part in (first, *others):
            root.setdefault(part, part)
            root[find(part)] = find(first)
    parts: dict[str, list[str]] = {}
    for part in root:
        parts.setdefault(find(part), []).append(part)
    found: dict[str, dict[str, set[str]]] = {unit: {library: set() for library in labels} for unit in parts}
    texts: dict[str, dict[str, None]] = {unit: {} for unit in parts}
    for library, each in labels.items():
        for label in each:
            unit = find(_parts(label)[0])
            found[unit][library].update(_parts(label))
            texts[unit][label] = None
    return [
        _Unit(
            name=" + ".join(parts[unit]),
            labels=tuple(texts[unit]),
            lacking={
                library: tuple(part for part in parts[unit] if part not in has)
                for library, has in found[unit].items()
                if len(has) < len(parts[unit])
            },
        )
        for unit in parts
    ]


def _parts(label: str) -> list[str]:
    return [part.strip() for part in _FUSED.split(label)]


def _labels(layers: "pd.DataFrame") -> Any:
    """Return the label of each row; the second layer of one name in one network is ``name (2)``."""
    import pandas as pd

    labels = layers["label"].astype("string").fillna("?")
    keys = [codes_of(layers[key]) for key in present(layers, (*_KEYS, "direction", "label"))]
    numbers = pd.Series(combined(keys, rows=len(layers)))
    if numbers.is_unique:
        return labels.to_numpy(dtype=object)
    count = numbers.groupby(numbers).cumcount().to_numpy()
    again = pd.Series(np.char.add(np.char.add(" (", (count + 1).astype(str)), ")"), index=labels.index)
    return labels.where(count == 0, labels + again).to_numpy(dtype=object)


def _times(layers: "pd.DataFrame", numbers: "Ints") -> "pd.DataFrame":
    import pandas as pd

    keys = present(layers, _KEYS)
    frame = layers[keys].assign(
        layer=numbers,
        library=layers["library"].astype("string"),
        time_ms=layers["time_us"].to_numpy(dtype=np.float64)
        / 1e3
        / layers["batch_size"].astype("Int64").to_numpy(dtype=np.float64, na_value=1.0),
    )
    codes = combined([codes_of(frame[key]) for key in (*keys, "layer")])
    if pd.Index(codes).is_unique:
        return frame
    summed = frame.groupby([*keys, "layer"], observed=True, dropna=False, sort=False)["time_ms"].sum()
    return summed.reset_index()


def _shared_codes(one: "pd.DataFrame", other: "pd.DataFrame", keys: Sequence[str]) -> "tuple[list[Ints], list[Ints]]":
    """Return numbers for the values of ``keys`` that mean the same in both frames."""
    import pandas as pd

    first, second = [], []
    for key in keys:
        values = pd.concat([one[key].astype("object"), other[key].astype("object")])
        codes = codes_of(values)
        first.append(codes[: len(one)])
        second.append(codes[len(one) :])
    return first, second


def _with(setting: Mapping[str, Any], frame: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    head = pd.DataFrame([setting] * len(frame), columns=list(setting), index=frame.index)
    return pd.concat([head, frame], axis=1)
