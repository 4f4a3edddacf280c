"""Adaptive: the best program for every layer of a network, and what that is worth.

A program is picked for a layer on odd repetitions and its time is estimated on even ones: the smallest of several
noisy times is too small (the winner's curse), and the other half does not know who won. Every total, the ideal's and
each single program's, is a sum of the same statistic over the same half.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nntest.analyses.bars import set_heading
from nntest.analyses.cases import NATIVE, RANKINGS, collect, time_of
from nntest.analyses.columns import ANSWER, present, require
from nntest.analyses.names import count_noun, equals, listed, pretty, setting_labels
from nntest.analyses.networks import layers_of, shapes_as_layers
from nntest.analyses.selection import select
from nntest.analyses.style import empty_figure, new_figure, ordered_subjects, subject_styles
from nntest.errors import UsageError
from nntest.statistics.comparison import compare, decide
from nntest.statistics.interval import intervals, student_quantile
from nntest.units import format_duration

NAME = "adaptive"
SETTING = ("platform", "target", "batch_size", "threads", "dtype", "cache", "isa", "post_ops")
MAX_LAYERS = 60
MAX_BARS = 24
MARKS = {"equivalent": "≈", "undecided": "?"}


@dataclass(frozen=True, eq=False)
class Choice:
    """One program on one layer: its time on the half that picks and on the half that estimates (us)."""

    answer: dict
    picked_us: float
    time_us: float
    low_us: float
    high_us: float
    log_error: float
    freedom: float
    series: object

    @property
    def library(self):
        """Library that the program belongs to."""
        return self.answer["library"]


def table(source, options):
    """Return the time per library of the ideal network, and how it was found.

    Parts: ``total`` (the ideal against the best single library), ``single`` (against every single library and
    program, on the layers that it has), ``layers`` (who was picked, how sure), ``missing`` (layers nobody measured).
    """
    require(source.points, ["time_us", "species", "shape", "program", "library"], where=NAME)
    ranked = select(source.points, options, where=NAME).ranked
    ranked = ranked[ranked["species"].notna() & ranked["shape"].notna()]
    if ranked.empty:
        raise UsageError(f"{NAME}: no row tells its species and shape; expected points of single layers")
    if options.libraries:
        ranked = ranked[np.logical_or.reduce([equals(ranked["library"], name) for name in options.libraries])]
        if ranked.empty:
            raise UsageError(f"{NAME}: no row is of the libraries {', '.join(options.libraries)}")
    layers = layers_of(source, options.network, where=NAME) if options.network else shapes_as_layers(ranked)
    keys = present(ranked, SETTING)
    results = []
    for values, rows in ranked.groupby(keys, observed=True, dropna=False, sort=True):
        setting = {"model": layers["model"].iloc[0], **dict(zip(keys, values, strict=True))}
        for ranking in RANKINGS:
            choices = gather_choices(rows, ranking, options)
            if any((row.species, row.shape) in choices for row in layers.itertuples()):
                results.append(solve(choices, layers, {**setting, "ranking": ranking}))
    if not results:
        raise UsageError(f"{NAME}: none of the network's layers was measured; run its datasets first")
    return {name: pd.concat([result[name] for result in results], ignore_index=True) for name in results[0]}


def gather_choices(rows, ranking, options):
    """Return the choices for each (species, shape): the time of every answer on both halves."""
    times = time_of(rows, ranking)
    keys = ("species", "shape", *ANSWER)
    halves = [np.ones(len(rows), dtype=bool)]
    if options.split and "repetition" in rows:
        odd = (rows["repetition"].astype("Int64") % 2 == 1).fillna(value=False).to_numpy(dtype=bool)
        halves = [odd, ~odd, halves[0]]
    *half_times, all_times = [_by_key(rows[half], times[half], keys, options.statistic) for half in halves]
    choices = {}
    for key, whole in all_times.items():
        # a case without both halves (one repetition) is picked and estimated on the same samples
        found = [half.get(key) for half in half_times]
        pick, estimate = found if found and all(found) else (whole, whole)
        answer, item, series = estimate
        choices.setdefault(key[:2], []).append(
            Choice(answer, pick[1].estimate, item.estimate, item.low, item.high, item.log_error, item.freedom, series)
        )
    return choices


def solve(choices, layers, setting):
    """Pick for every layer, and sum up; returns the tables of one setting and ranking."""
    images = float(setting.get("batch_size") or 1)
    measured = [row for row in layers.itertuples() if (row.species, row.shape) in choices]
    picks = [sorted(choices[row.species, row.shape], key=lambda choice: choice.picked_us) for row in measured]
    weights = np.array([row.multiplicity for row in measured]) / (1e3 * images)
    ideal = [pick[0] for pick in picks]
    layer_table = _layer_table(measured, picks, weights, setting)
    singles = _single_table(ideal, picks, weights, [row.multiplicity for row in measured], setting)
    missing = layers[[(row.species, row.shape) not in choices for row in layers.itertuples()]]
    return {
        NAME: _by_library(layer_table, setting),
        "total": _with(setting, _total_row(ideal, weights, missing, singles)),
        "single": singles,
        "layers": layer_table,
        "missing": _with(setting, missing[["layer", "species", "shape", "multiplicity"]]),
    }


def chart(tables, _options):
    """Draw the totals (ideal split by library, single libraries below) and who was picked for each layer."""
    totals, layers = tables["total"], tables["layers"]
    first = totals.iloc[0]
    keys = ["model", *present(totals, SETTING)]
    here = (layers[keys].astype("string").fillna("") == first[keys].astype("string").fillna("").tolist()).all(axis=1)
    layers = layers[here & (layers["ranking"] == NATIVE)]
    if layers.empty:
        return empty_figure("No layer was measured.")
    shown = layers.head(MAX_LAYERS)
    bars = _total_bars(tables, keys)
    figure = new_figure(9.0, 1.9 + 0.34 * len(bars) + 0.235 * len(shown))
    upper, lower = figure.subplots(2, 1, height_ratios=[0.34 * len(bars) + 0.6, 0.235 * len(shown) + 0.6])
    styles = subject_styles(ordered_subjects((name, name) for name in tables["single"]["library"]))
    _draw_totals(upper, bars, styles)
    _draw_layers(lower, shown, len(layers), styles)
    set_heading(figure, _title(first))
    return figure


def finding(tables, _options):
    """Say what the ideal costs, what the best single library costs, who was picked, and how sure that is."""
    words = []
    for _, row in tables["total"].iterrows():
        kind = "" if row["ranking"] == NATIVE else " with reorders around every layer"
        words.append(
            f"{pretty(row['model'])}{kind}: the best program for each layer needs "
            f"{_ms(row['ideal_ms_per_image'])} per image{_interval(row)}"
        )
        if row["best_single_library"]:
            low, high = 100 * (1 - row["ratio_ci_high"]), 100 * (1 - row["ratio_ci_low"])
            words[-1] += f", {_gain(row)} ({_ms(row['best_single_ms_per_image'])}"
            words[-1] += f"; saving, 95 %: {low:.1f} to {high:.1f} %)" if low < high else ")"
        else:
            words[-1] += "; no single library has all of these layers"
        words[-1] += "."
    layers = tables["layers"]
    layers = layers[layers["ranking"] == NATIVE]
    picked = layers.groupby("library")["multiplicity"].sum().sort_values(ascending=False)
    words.append(
        "Picked: " + listed(f"{pretty(name)} for {count_noun(count, 'layer')}" for name, count in picked.items()) + "."
    )
    counts = layers["verdict"].value_counts()
    sure = [
        f"{counts[word]} {said}"
        for word, said in (
            ("different", "sure"),
            ("equivalent", "a tie within 1 %"),
            ("undecided", "undecided"),
            ("alone", "without a competitor"),
        )
        if counts.get(word, 0)
    ]
    words.append(f"Of {count_noun(len(layers), 'distinct shape')}, the winner's lead is: {listed(sure)}.")
    missing = tables["missing"].drop_duplicates(["layer", "species", "shape"])
    if len(missing):
        names = listed((f"{row.species} {row.shape}" for row in missing.itertuples()), limit=6)
        words.append(
            f"Nobody measured {names}: the totals lack {count_noun(int(missing['multiplicity'].sum()), 'layer')}."
        )
    return " ".join(words)


def _by_key(rows, times, keys, statistic):
    cases = collect(rows, times, keys)
    columns = present(cases.table, ("species", "shape"))
    answers = cases.table[present(cases.table, ANSWER)].astype("string").fillna("")
    found = intervals(cases.series, statistic)
    layers = list(cases.table[columns].astype("string").itertuples(index=False, name=None))
    names = [dict(zip(answers.columns, row, strict=True)) for row in answers.itertuples(index=False, name=None)]
    return {
        (*layer, *answer.values()): (answer, item, series)
        for layer, answer, item, series in zip(layers, names, found, cases.series, strict=True)
    }


def _with(setting, frame):
    frame = frame.reset_index(drop=True)
    head = pd.DataFrame([setting] * len(frame), columns=list(setting), index=frame.index)
    return pd.concat([head, frame], axis=1)


def _layer_table(measured, picks, weights, setting):
    comparisons = {
        number: compare(pick[1].series, pick[0].series) for number, pick in enumerate(picks) if len(pick) > 1
    }
    judged = dict(zip(comparisons, decide(list(comparisons.values()), "fdr"), strict=True))
    rows = []
    for number, (layer, pick) in enumerate(zip(measured, picks, strict=True)):
        best, rival = pick[0], pick[1] if len(pick) > 1 else None
        rows.append(
            {
                "layer": layer.layer,
                "species": layer.species,
                "shape": layer.shape,
                "multiplicity": layer.multiplicity,
                **best.answer,
                "picked_us": best.picked_us,
                "time_us": best.time_us,
                "ci_low_us": best.low_us,
                "ci_high_us": best.high_us,
                "time_ms_per_image": weights[number] * best.time_us,
                "runner_up": rival.answer["program"] if rival else "",
                "runner_up_us": rival.time_us if rival else np.nan,
                "verdict": judged[number].verdict if rival else "alone",
                "mde_pct": judged[number].mde_pct if rival else np.nan,
            }
        )
    frame = pd.DataFrame(rows)
    frame["share"] = frame["time_ms_per_image"] / frame["time_ms_per_image"].sum()
    return _with(setting, frame)


def _by_library(layer_table, setting):
    groups = layer_table.groupby("library", sort=False)
    frame = groups.agg(time_ms_per_image=("time_ms_per_image", "sum"), layers=("multiplicity", "sum")).reset_index()
    frame["share"] = frame["time_ms_per_image"] / frame["time_ms_per_image"].sum()
    return _with(setting, frame.sort_values("time_ms_per_image", ascending=False))


def _single_table(ideal, picks, weights, multiplicities, setting):
    """Compare the ideal with each library (its own best per layer) and each program, on the layers that it has."""
    rows = []
    for kind in ("library", "program"):
        for name in sorted({choice.answer[kind] for pick in picks for choice in pick}):
            # picks are sorted by the picking half, so the first of a library is its own best
            own = [next((choice for choice in pick if choice.answer[kind] == name), None) for pick in picks]
            has = [number for number, choice in enumerate(own) if choice is not None]
            theirs = [own[number] for number in has]
            best = [ideal[number] for number in has]
            ratio, low, high = _ratio(best, theirs, weights[has])
            rows.append(
                {
                    "kind": kind,
                    "name": name,
                    "library": theirs[0].library,
                    "layers": int(sum(multiplicities[number] for number in has)),
                    "layers_of": int(sum(multiplicities)),
                    "time_ms_per_image": _sum(theirs, weights[has]),
                    "ideal_ms_same_layers": _sum(best, weights[has]),
                    "ratio": ratio,
                    "ci_low": low,
                    "ci_high": high,
                }
            )
    return _with(setting, pd.DataFrame(rows))


def _total_row(ideal, weights, missing, singles):
    total = _sum(ideal, weights)
    half = _half_width(np.array([w * c.time_us * c.log_error for w, c in zip(weights, ideal, strict=True)]), ideal)
    complete = singles[(singles["kind"] == "library") & (singles["layers"] == singles["layers_of"])]
    best = complete.sort_values("time_ms_per_image").iloc[0] if len(complete) else None
    ratios = ("ratio", "ci_low", "ci_high") if best is not None else ()
    ratio, low, high = [best[name] for name in ratios] or [np.nan] * 3
    return pd.DataFrame(
        [
            {
                "libraries": "+".join(sorted(set(singles["library"]))),
                "layers": singles["layers_of"].iloc[0],
                "layers_missing": int(missing["multiplicity"].sum()),
                "ideal_ms_per_image": total,
                "ideal_ci_low": total - half,
                "ideal_ci_high": total + half,
                "best_single_library": best["name"] if best is not None else "",
                "best_single_ms_per_image": best["time_ms_per_image"] if best is not None else np.nan,
                "ratio": ratio,
                # both sides follow one rule here, so the two are equal; a study's own rule may differ
                "ratio_same_rule": ratio,
                "ratio_ci_low": low,
                "ratio_ci_high": high,
            }
        ]
    )


def _sum(choices, weights):
    return float(sum(weight * choice.time_us for weight, choice in zip(weights, choices, strict=True)))


def _half_width(errors, choices):
    """Half the interval of a sum of independent terms, with the fewest degrees of freedom of any (conservative)."""
    freedom = min(choice.freedom for choice in choices)
    return student_quantile(0.975, freedom) * float(np.sqrt(np.sum(errors**2))) if freedom == freedom else np.nan  # noqa: PLR0124


def _ratio(best, theirs, weights):
    """Ratio of two sums with its interval by the delta method; a layer that both give to one program moves both."""
    upper, lower = _sum(best, weights), _sum(theirs, weights)
    errors = []
    for weight, mine, other in zip(weights, best, theirs, strict=True):
        a, b = weight * mine.time_us / upper, weight * other.time_us / lower
        if mine is other:
            errors.append((a - b) * mine.log_error)
        else:
            errors += [a * mine.log_error, b * other.log_error]
    half = _half_width(np.array(errors), [*best, *theirs])
    ratio = upper / lower
    return ratio, ratio * float(np.exp(-half)), ratio * float(np.exp(half))


def _total_bars(tables, keys):
    """Rows of the upper panel, (label, [(library, ms)], words): the ideal, then every library alone."""
    bars = []
    totals = tables["total"]
    settings = setting_labels(totals, keys)
    for (_, total), setting in zip(totals.iterrows(), settings, strict=True):
        same = [*keys, "ranking"]
        wanted = total[same].astype("string").fillna("").tolist()
        words = f"{'native' if total['ranking'] == NATIVE else 'end to end'}{f' ({setting})' if setting else ''}"
        parts = _rows_like(tables[NAME], same, wanted)
        ideal = list(zip(parts["library"], parts["time_ms_per_image"], strict=True))
        bars.append((f"best per layer, {words}", ideal, _ms(total["ideal_ms_per_image"])))
        singles = _rows_like(tables["single"], same, wanted)
        singles = singles[singles["kind"] == "library"].sort_values(["layers", "ratio"], ascending=False)
        for _, single in singles.iterrows():
            parts = [(single["library"], single["time_ms_per_image"])]
            bars.append((f"{pretty(single['name'])} alone, {words}", parts, _single_words(single)))
    return bars[:MAX_BARS]


def _single_words(single):
    slower = f"{_ms(single['time_ms_per_image'])}, {1 / single['ratio']:.2f}x the best"
    if single["layers"] == single["layers_of"]:
        return slower
    return f"{slower} on its {single['layers']} of {single['layers_of']} layers"


def _rows_like(frame, columns, values):
    return frame[(frame[columns].astype("string").fillna("") == values).all(axis=1)]


def _draw_totals(axes, bars, styles):
    drawn = set()
    # a library many times slower would press the rest into a line
    end = min(max(sum(value for _, value in parts) for _, parts, _ in bars), 2.5 * sum(v for _, v in bars[0][1]))
    for position, (_, parts, words) in enumerate(bars):
        left = 0.0
        for library, value in parts:
            style = styles[library]
            axes.barh(
                position, min(value, end - left), left=left, height=0.8, color=style["color"], hatch=style["hatch"],
                edgecolor="white", linewidth=0.5, label=None if library in drawn else pretty(library),
            )  # fmt: skip
            drawn.add(library)
            left = min(left + value, end)
        cut = "… " if sum(value for _, value in parts) > end else ""
        axes.annotate(
            cut + words, (left, position), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5
        )
    axes.set_yticks(range(len(bars)), [label for label, _, _ in bars])
    axes.set_ylim(len(bars) - 0.45, -0.55)
    axes.set_xlim(0, end * 1.7)
    axes.set_xlabel("ms per image")
    axes.grid(axis="x")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.3, ncols=4, handlelength=1.5)


def _draw_layers(axes, shown, count, styles):
    for position, (_, row) in enumerate(shown.iterrows()):
        time = row["time_ms_per_image"]
        style = styles[row["library"]]
        axes.barh(position, time, height=0.8, color=style["color"], hatch=style["hatch"], edgecolor=style["edge"])
        rival = f" {MARKS[row['verdict']]} {row['runner_up']}" if row["verdict"] in MARKS else ""
        words = f"{row['program']}{rival}  {100 * row['share']:.1f} %"
        axes.annotate(words, (time, position), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5)
    times = [f"  × {times}" if times > 1 else "" for times in shown["multiplicity"]]
    axes.set_yticks(range(len(shown)), [shape + words for shape, words in zip(shown["shape"], times, strict=True)])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(0, shown["time_ms_per_image"].max() * 1.6)
    axes.grid(axis="x")
    more = f" (the first {len(shown)} of {count})" if count > len(shown) else ""
    axes.set_xlabel("ms per image in all occurrences of the layer")
    axes.set_title(f"Picked for each layer{more} – ≈ a tie within 1 %, ? undecided")


def _title(total):
    ideal = _ms(total["ideal_ms_per_image"])
    words = f"{pretty(total['model'])}: the best program for each layer takes {ideal} per image"
    return f"{words}, {_gain(total)}" if total["best_single_library"] else words


def _gain(total):
    name, saved = pretty(total["best_single_library"]), 100 * (1 - total["ratio"])
    if abs(saved) < 0.05:
        return f"as {name} alone does"
    return f"{abs(saved):.1f} % {'less' if saved > 0 else 'more'} than {name} alone"


def _ms(value):
    return format_duration(value / 1e3)


def _interval(row):
    if row["ideal_ci_low"] != row["ideal_ci_low"]:
        return ""
    return f" (95 %: {_ms(row['ideal_ci_low'])} to {_ms(row['ideal_ci_high'])})"
