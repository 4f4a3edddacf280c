"""A network composed of single layers that were measured one by one: the best program for each, and every one alone.

A program is picked for a layer on one half of the samples and its time is estimated on the other: the smallest of
several noisy times is too small (the winner's curse), and the other half does not know who won.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nntest.analyses.cases import PLACES, batch_of, group_numbers, time_of
from nntest.analyses.columns import ANSWER, present
from nntest.analyses.leads import ALONE, lead
from nntest.statistics.batch import Batch
from nntest.statistics.comparison import comparisons, decide
from nntest.statistics.interval import Statistic, estimates, student_quantile

if TYPE_CHECKING:
    import pandas as pd

    from nntest.statistics.series import Floats, Ints

#: What has to be equal for two layers to be of one network's run.
SETTING = ("platform", "target", "batch_size", "threads", "dtype", "cache", "isa", "post_ops")
KINDS = ("library", "program")


@dataclass(frozen=True, eq=False)
class Candidates:
    """Every program on every layer: ``table`` has the case, picked_us, time_us and interval; ``series`` its samples."""

    table: "pd.DataFrame"
    series: Batch


def candidates(rows: "pd.DataFrame", ranking: str, statistic: Statistic, *, split: bool) -> Candidates:
    """Return the time of every answer on every layer; halves are odd and even repetitions.

    A case without both halves (one repetition) is picked and estimated on the same samples.
    """
    times = time_of(rows, ranking).to_numpy(dtype=np.float64)
    known = ~np.isnan(times)
    keys = present(rows, (*SETTING, "species", "shape", *ANSWER))
    # of some fifty columns; copies of a million rows are what takes time here
    rows = rows[[*keys, *present(rows, PLACES)]]
    if not known.all():
        rows, times = rows[known], times[known]
    numbers, first = group_numbers(rows, keys)
    picking = estimating = np.ones(len(rows), dtype=bool)
    if split and "repetition" in rows:
        odd = rows["repetition"].astype("Int64").to_numpy(dtype=np.int64, na_value=0) % 2 == 1
        halves = [np.bincount(numbers[half], minlength=first.size) > 0 for half in (odd, ~odd)]
        alone = ~(halves[0] & halves[1])[numbers]
        picking, estimating = odd | alone, ~odd | alone
    picked = batch_of(rows[picking], times[picking], numbers[picking], first.size)
    series = batch_of(rows[estimating], times[estimating], numbers[estimating], first.size)
    found = estimates(series, statistic)
    table = rows.iloc[first][keys].reset_index(drop=True)
    for column in present(table, ANSWER):
        table[column] = table[column].astype("string").fillna("")
    table = table.assign(
        picked_us=picked.medians() if statistic == "median" else picked.minima(),
        time_us=found.estimate,
        ci_low_us=found.low,
        ci_high_us=found.high,
        log_error=found.log_error,
        freedom=found.freedom,
    )
    return Candidates(table, series)


def solve(found: Candidates, layers: "pd.DataFrame", ranking: str, libraries: str) -> "dict[str, pd.DataFrame]":
    """Pick for every layer of every setting, and sum up; empty where none of the layers was measured.

    Returns
    -------
    dict
        ``layers`` (who was picked), ``single`` (every library and program alone, on the layers that it has),
        ``total``, ``missing`` (layers nobody measured). All times are ms per image.
    """
    picks = _in_order(found.table, layers)
    if picks.empty:
        return {}
    best = ~picks.duplicated(["_setting", "_layer"]).to_numpy()
    settings = _settings(picks, layers, ranking, libraries)
    layer_table = _layer_table(found.series, picks, best)
    singles = _single_table(picks, best)
    total = _total_table(picks[best], singles)
    missing = _missing(layers, picks)
    total["layers_missing"] = missing.groupby("_setting")["multiplicity"].sum().reindex(total["_setting"]).to_numpy()
    total["layers_missing"] = total["layers_missing"].fillna(0).astype("int64")
    tables = {"layers": layer_table, "single": singles, "total": total, "missing": missing}
    return {name: _with_settings(settings, frame) for name, frame in tables.items()}


def _in_order(table: "pd.DataFrame", layers: "pd.DataFrame") -> "pd.DataFrame":
    """Return the candidates for the network's layers: by setting, layer, then picked time."""
    keys = present(table, SETTING)
    order = layers[["layer", "species", "shape", "multiplicity"]].assign(_layer=np.arange(len(layers)))
    texts = {name: table[name].astype("string") for name in ("species", "shape")}
    picks = table.assign(_series=np.arange(len(table)), **texts).merge(
        order.astype({"species": "string", "shape": "string"}), on=["species", "shape"], how="inner"
    )
    numbers, first = group_numbers(picks, keys)
    ranks = picks.iloc[first][keys].reset_index(drop=True)
    # settings stand in the order of their values, unknown ones last
    place = np.empty(len(first), dtype=np.int64)
    place[ranks.sort_values(keys).index.to_numpy() if keys else [0] * len(first)] = np.arange(len(first))
    picks["_setting"] = place[numbers]
    images = picks["batch_size"].astype("Float64").fillna(1.0) if "batch_size" in picks else 1.0
    picks["_weight"] = picks["multiplicity"] / (1e3 * np.asarray(images, dtype=np.float64))
    picks["_ms"] = picks["_weight"] * picks["time_us"]
    return picks.sort_values(["_setting", "_layer", "picked_us"], kind="stable").reset_index(drop=True)


def _settings(picks: "pd.DataFrame", layers: "pd.DataFrame", ranking: str, libraries: str) -> "pd.DataFrame":
    settings = picks.drop_duplicates("_setting").set_index("_setting")[present(picks, SETTING)]
    settings.insert(0, "model", layers["model"].iloc[0])
    settings["ranking"], settings["libraries"] = ranking, libraries
    return settings


def _with_settings(settings: "pd.DataFrame", frame: "pd.DataFrame") -> "pd.DataFrame":
    whole: pd.DataFrame = settings.merge(frame, left_index=True, right_on="_setting", how="inner")
    return whole.drop(columns="_setting").reset_index(drop=True)


def _layer_table(series: Batch, picks: "pd.DataFrame", best: Any) -> "pd.DataFrame":
    winners = np.flatnonzero(best)
    frame = picks.iloc[winners]
    followers = np.minimum(winners + 1, len(picks) - 1)
    contested = ~best[followers] & (followers > winners)
    rivals = picks.iloc[followers[contested]]
    verdicts = np.full(len(frame), ALONE, dtype=object)
    least = np.full(len(frame), np.nan)
    found = comparisons(series, rivals["_series"].to_numpy(), frame["_series"].to_numpy()[contested])
    owners = frame["_setting"].to_numpy()[contested]
    for setting in np.unique(owners):
        mine = np.flatnonzero(owners == setting)
        judged = decide([found[number] for number in mine], "fdr")
        places = np.flatnonzero(contested)[mine]
        verdicts[places], least[places] = [lead(item) for item in judged], [item.mde_pct for item in judged]
    runner_up, runner_up_us = np.full(len(frame), "", dtype=object), np.full(len(frame), np.nan)
    runner_up[contested], runner_up_us[contested] = rivals["program"], rivals["time_us"]
    answer = present(picks, ANSWER)
    times = ["picked_us", "time_us", "ci_low_us", "ci_high_us"]
    return frame[["_setting", "layer", "species", "shape", "multiplicity", *answer, *times]].assign(
        time_ms_per_image=frame["_ms"],
        runner_up=runner_up,
        runner_up_us=runner_up_us,
        verdict=verdicts,
        mde_pct=least,
        share=frame["_ms"] / frame.groupby("_setting")["_ms"].transform("sum"),
    )


def _single_table(picks: "pd.DataFrame", best: Any) -> "pd.DataFrame":
    """Compare the ideal with each library (its own best per layer) and each program, on the layers that it has."""
    import pandas as pd

    ideal = picks[best].set_index(["_setting", "_layer"])
    all_layers = picks[best].groupby("_setting")["multiplicity"].sum()
    parts = []
    for kind in KINDS:
        # candidates stand in order of their picked time, so the first of a library is its own best
        own = picks.drop_duplicates(["_setting", "_layer", kind]).reset_index(drop=True)
        others = ideal.loc[pd.MultiIndex.from_frame(own[["_setting", "_layer"]])].reset_index()
        numbers, first = group_numbers(own, ["_setting", kind])
        upper, lower = _sums(others["_ms"], numbers), _sums(own["_ms"], numbers)
        ratio, low, high = _ratio(own, others, numbers, upper, lower)
        parts.append(
            pd.DataFrame(
                {
                    "_setting": own["_setting"].to_numpy()[first],
                    "kind": kind,
                    "name": own[kind].to_numpy()[first],
                    "library": own["library"].to_numpy()[first],
                    "layers": np.bincount(numbers, own["multiplicity"]).astype(np.int64),
                    "layers_of": all_layers.loc[own["_setting"].to_numpy()[first]].to_numpy(),
                    "time_ms_per_image": lower,
                    "ideal_ms_same_layers": upper,
                    "ratio": ratio,
                    "ci_low": low,
                    "ci_high": high,
                }
            ).sort_values(["_setting", "name"])
        )
    return pd.concat(parts).sort_values("_setting", kind="stable")


def _ratio(
    own: "pd.DataFrame", ideal: "pd.DataFrame", numbers: "Ints", upper: "Floats", lower: "Floats"
) -> "tuple[Floats, Floats, Floats]":
    """Ratio of two sums with its interval by the delta method; a layer that both give to one program moves both."""
    a, b = (ideal["_ms"] / upper[numbers]).to_numpy(), (own["_ms"] / lower[numbers]).to_numpy()
    mine, theirs = ideal["log_error"].to_numpy(), own["log_error"].to_numpy()
    same = ideal["_series"].to_numpy() == own["_series"].to_numpy()
    variance = np.where(same, ((a - b) * mine) ** 2, (a * mine) ** 2 + (b * theirs) ** 2)
    freedom = np.minimum(ideal["freedom"].to_numpy(), own["freedom"].to_numpy())
    half = _half_width(variance, freedom, numbers)
    ratio = upper / lower
    return ratio, ratio * np.exp(-half), ratio * np.exp(half)


def _total_table(ideal: "pd.DataFrame", singles: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    settings, numbers = np.unique(ideal["_setting"].to_numpy(), return_inverse=True)
    total = _sums(ideal["_ms"], numbers)
    variance = (ideal["_ms"] * ideal["log_error"]).to_numpy() ** 2
    half = _half_width(variance, ideal["freedom"].to_numpy(), numbers)
    complete = singles[(singles["kind"] == "library") & (singles["layers"] == singles["layers_of"])]
    best = complete.sort_values("time_ms_per_image", kind="stable").drop_duplicates("_setting").set_index("_setting")
    best = best.reindex(settings)
    return pd.DataFrame(
        {
            "_setting": settings,
            "layers": np.bincount(numbers, ideal["multiplicity"]).astype(np.int64),
            "ideal_ms_per_image": total,
            # in logarithms, as every interval here: a time is never below nothing
            "ideal_ci_low": total * np.exp(-half / total),
            "ideal_ci_high": total * np.exp(half / total),
            "best_single_library": best["name"].astype("string").fillna("").to_numpy(),
            "best_single_ms_per_image": best["time_ms_per_image"].to_numpy(),
            "ratio": best["ratio"].to_numpy(),
            # both sides follow one rule here, so the two are equal; a study's own rule may differ
            "ratio_same_rule": best["ratio"].to_numpy(),
            "ratio_ci_low": best["ci_low"].to_numpy(),
            "ratio_ci_high": best["ci_high"].to_numpy(),
        }
    )


def _missing(layers: "pd.DataFrame", picks: "pd.DataFrame") -> "pd.DataFrame":
    count = int(picks["_setting"].max()) + 1
    has = np.zeros((count, len(layers)), dtype=bool)
    has[picks["_setting"], picks["_layer"]] = True
    setting, layer = np.nonzero(~has)
    frame = layers.iloc[layer][["layer", "species", "shape", "multiplicity"]]
    return frame.assign(_setting=setting)


def _sums(values: Any, numbers: Any) -> "Floats":
    return np.asarray(np.bincount(numbers, np.asarray(values, dtype=np.float64)), dtype=np.float64)


def _half_width(variance: Any, freedom: Any, numbers: Any) -> "Floats":
    """Half the interval of sums of independent terms, with the fewest degrees of freedom of any (conservative)."""
    fewest = np.full(int(numbers.max(initial=-1)) + 1, np.inf)
    np.minimum.at(fewest, numbers, np.where(np.isnan(freedom), -np.inf, freedom))
    fewest[np.isinf(fewest)] = np.nan
    return np.asarray(student_quantile(0.975, fewest) * np.sqrt(_sums(variance, numbers)), dtype=np.float64)


def chosen(found: Candidates, libraries: Sequence[str]) -> Candidates:
    """Return the candidates of some libraries (their tags; none given: all)."""
    if not libraries:
        return found
    kept = found.table["library"].isin(libraries).to_numpy()
    return Candidates(found.table[kept].reset_index(drop=True), found.series.take(np.flatnonzero(kept)))
