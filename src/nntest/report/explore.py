"""Charts to hover over and to filter, drawn by the page itself without any network."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nntest.analyses.names import natural_key, pretty, question_labels, question_noun
from nntest.analyses.style import library_colour

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 2000
MAX_QUESTIONS = 80
MAX_CHOICES = 30
#: What is drawn along x: the first of these that the table has, with its title.
VALUES = {
    "speedup": "speedup",
    "ratio": "ratio",
    "time_ms_per_image": "ms per image",
    "median_us": "median time of one call, µs",
    "time_us": "time, µs",
    "gflops": "GFLOPS",
    "memory_mb": "memory, MB",
    "instructions": "instructions of a call (a count, no time)",
    "top1": "top-1 accuracy",
}
#: Low and high end of a value's interval, or its spread.
INTERVALS = {"speedup": ("ci_low", "ci_high"), "ratio": ("ci_low", "ci_high")}
#: Columns that may become a choice above the chart, the most telling first.
CHOICES = ("model", "species", "batch_size", "threads", "dtype", "tuner", "cache", "direction", "platform", "operator")
_LOG_FROM = 20
_DULL = ("session", "library_version", "point", "experiment", "statistic")
_TOOLTIPS = 10


def specification(frame: "pd.DataFrame") -> dict[str, Any] | None:
    """Return a Vega-Lite chart of a table, None where it has nothing to draw.

    At most 2,000 rows, evenly taken, and the first 80 questions; values keep six digits. Clicking the legend or
    choosing above the chart filters; hovering shows all columns that differ.
    """
    value = next((name for name in VALUES if name in frame and frame[name].notna().any()), None)
    if value is None:
        return None
    drawn, words = _thinned(frame[frame[value].notna()])
    columns = [column for column in drawn.columns if column != "question" and drawn[column].nunique(dropna=False) > 1]
    # what a person does not look at: hashes and places of the single sample
    columns = [column for column in columns if column not in _DULL][:_TOOLTIPS]
    columns += [end for end in INTERVALS.get(value, ()) if end in drawn and end not in columns]
    columns += [
        column for column in CHOICES if column in drawn and drawn[column].nunique() > 1 and column not in columns
    ]
    fields = {str(column): f"c{number}" for number, column in enumerate(dict.fromkeys([*columns, value, "question"]))}
    rows = _rows(drawn, fields)
    whole: dict[str, Any] = _chart(rows, drawn, fields, value, words).to_dict()
    # the page says how it is drawn, and an address would look like a request
    return {key: part for key, part in whole.items() if key not in ("$schema", "config")}


@lru_cache(maxsize=1)
def drawing_library() -> str:
    """Return the JavaScript that draws the charts (Vega, Vega-Lite, Vega-Embed), as one text."""
    import vl_convert

    # inside a page the text may not end the element that holds it
    # the stub wants the snippet that the function itself does not
    bundle = vl_convert.javascript_bundle(vl_version=_vega_lite())  # type: ignore[call-arg]
    return str(bundle).replace("</script", "<\\/script")


def _vega_lite() -> str:
    from altair import SCHEMA_VERSION

    return ".".join(SCHEMA_VERSION.lstrip("v").split(".")[:2])


def _thinned(frame: "pd.DataFrame") -> "tuple[pd.DataFrame, str]":
    import numpy as np

    if "layer" in frame:
        labels = frame["layer"].astype("string").fillna("?")
        noun = "layer"
    elif {"shape", "model"} & set(frame.columns):
        labels, noun = question_labels(frame), question_noun(frame)
    else:
        texts = [column for column in frame.columns if frame[column].dtype.kind not in "fiub"]
        labels = frame[texts[0] if texts else frame.columns[0]].astype("string").fillna("?")
        noun = str(texts[0] if texts else frame.columns[0])
    questions = labels.unique().tolist()
    if noun != "layer":
        questions.sort(key=natural_key)
    kept = frame.assign(question=labels)[labels.isin(questions[:MAX_QUESTIONS]).to_numpy(dtype=bool)]
    words = f"the first {MAX_QUESTIONS} of {len(questions):,} {noun}s" if len(questions) > MAX_QUESTIONS else ""
    if len(kept) > MAX_ROWS:
        words = f"{words}{', ' if words else ''}{MAX_ROWS:,} of {len(kept):,} rows, evenly taken"
        kept = kept.iloc[np.linspace(0, len(kept) - 1, MAX_ROWS).astype(int)]
    order = {question: number for number, question in enumerate(questions)}
    return kept.iloc[np.argsort(kept["question"].map(order).to_numpy(), kind="stable")], words


def _rows(frame: "pd.DataFrame", fields: Mapping[str, str]) -> list[dict[str, Any]]:
    import pandas as pd

    columns = []
    for column in fields:
        values = frame[column].astype("object").tolist()
        name = column in ("library", "model", "platform")
        columns.append([None if pd.isna(item) else _plain(item, name=name) for item in values])
    return [dict(zip(fields.values(), row, strict=True)) for row in zip(*columns, strict=True)]


def _plain(value: Any, *, name: bool) -> Any:
    if isinstance(value, bool | str):
        return pretty(value) if name else value
    number = float(value) if isinstance(value, float) else value
    return float(f"{number:.6g}") if isinstance(number, float) else int(number)


def _chart(rows: list[dict[str, Any]], frame: "pd.DataFrame", fields: Mapping[str, str], value: str, words: str) -> Any:
    import altair as alt

    numbers = frame[value].astype("float64")
    wide = numbers.min() > 0 and numbers.max() / numbers.min() > _LOG_FROM
    legend = "library" if "library" in fields else "program" if "program" in fields else None
    scale = alt.Scale(type="log") if wide else alt.Scale(zero=value not in INTERVALS)
    questions = frame["question"].drop_duplicates().tolist()
    encodings: dict[str, Any] = {
        "x": alt.X(fields[value], type="quantitative", title=VALUES[value], scale=scale),
        "y": alt.Y(fields["question"], type="nominal", title=None, sort=questions),
        "tooltip": [
            alt.Tooltip(field, type="nominal" if isinstance(rows[0][field], str) else "quantitative",
                        title=column.replace("_", " "), format="" if isinstance(rows[0][field], str) else ",.4~g")
            for column, field in fields.items()
        ],
    }  # fmt: skip
    params, filters = _filters(frame, fields, legend)
    if legend:
        encodings["color"] = _colour(frame, fields[legend], legend)
    base = alt.Chart(alt.InlineData(values=rows), width="container", height=40 + 18 * len(questions))
    marks = base.mark_point(filled=True, size=70, opacity=0.8).encode(**encodings)
    low, high = (fields.get(end) for end in INTERVALS.get(value, ("", "")))
    layers = [marks]
    if low and high:
        ends = {key: encodings[key] for key in ("y", "color") if key in encodings}
        span = base.mark_rule(opacity=0.6).encode(x=alt.X(low, type="quantitative"), x2=high, **ends)
        layers.insert(0, span)
    # a legend listens only to choices of the first layer
    layers[0] = layers[0].add_params(*params)
    for condition in filters:
        layers = [layer.transform_filter(condition) for layer in layers]
    chart = alt.layer(*layers).properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    return chart.properties(title=alt.TitleParams(words, fontSize=11, fontWeight="normal")) if words else chart


def _colour(frame: "pd.DataFrame", field: str, legend: str) -> Any:
    import altair as alt

    names = sorted(frame[legend].dropna().astype("string").unique())
    colours = [library_colour(name) for name in names] if legend == "library" else None
    shown = [pretty(name) for name in names] if legend == "library" else names
    scale = alt.Scale(domain=shown, range=colours) if colours else alt.Scale(domain=shown)
    return alt.Color(field, type="nominal", scale=scale, title=None, legend=alt.Legend(orient="top"))


def _filters(frame: "pd.DataFrame", fields: Mapping[str, str], legend: str | None) -> tuple[list[Any], list[Any]]:
    import altair as alt

    params, filters = [], []
    if legend:
        picked = alt.selection_point(name="picked", fields=[fields[legend]], bind="legend")
        params.append(picked)
        filters.append(picked)
    for column in [column for column in CHOICES if column in fields][:4]:
        values = sorted(frame[column].dropna().unique(), key=natural_key)
        if not 1 < len(values) <= MAX_CHOICES:
            continue
        plain = [_plain(item, name=column in ("model", "platform")) for item in values]
        bind = alt.binding_select(options=[None, *plain], labels=["all", *map(str, plain)],
                                  name=f"{column.replace('_', ' ')} ")  # fmt: skip
        chosen = alt.selection_point(name=f"chosen_{fields[column]}", fields=[fields[column]], bind=bind)
        params.append(chosen)
        filters.append(chosen)
    return params, filters
