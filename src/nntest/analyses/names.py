"""Names as charts show them; tables keep the raw ones."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, count
from typing import TYPE_CHECKING

from nntest.analyses.cases import group_numbers
from nntest.analyses.columns import QUESTION, present
from nntest.units import printable_line

if TYPE_CHECKING:
    import pandas as pd

_PRETTY = {
    "onednn-cpu": "oneDNN",
    "openblas-cpu": "OpenBLAS",
    "plain-cpu": "plain C++",
    "naive-cpu-library": "naive C++",
    "arm-compute-library-opencl": "Arm Compute (OpenCL)",
    "arm-compute-library-neon": "Arm Compute (Neon)",
    "armcl-cpu": "Arm Compute (CPU)",
    "armcl-opencl": "Arm Compute (OpenCL)",
    "onnxruntime-cpu": "ONNX Runtime",
    "openvino-cpu": "OpenVINO",
    "litert-cpu": "LiteRT",
    "ncnn-cpu": "ncnn",
    "pytorch-cpu": "PyTorch",
    "cpu": "OpenBLAS (Caffe)",
    "libdnn-cuda": "libDNN",
    "nvidia-cuda": "cuBLAS fp32",
    "nvidia-cudnn": "cuDNN fp32",
    "nvidia-fp16-cuda": "cuBLAS fp16",
    "nvidia-fp16-cudnn": "cuDNN fp16",
    "tensorrt-fp16": "TensorRT fp16",
    "tensorrt-fp32": "TensorRT fp32",
    "jetson_tx1": "Jetson TX1",
    "bvlc-alexnet": "AlexNet",
    "bvlc-googlenet": "GoogleNet",
    "deepscale-squeezenet-1.0": "SqueezeNet 1.0",
    "deepscale-squeezenet-1.1": "SqueezeNet 1.1",
    "lenet-5": "LeNet-5",
    "resnet-20-cifar10": "ResNet-20 (CIFAR-10)",
    "all shapes": "All shapes",
    "gflops": "GFLOPS",
    "time_us": "time of one call, us",
}
#: Families of networks by the beginning of their names; none whose models would be called as another's are.
_FAMILIES = {
    "mobilenets-v1": "MobileNet v1",
    "resnet": "ResNet",
    "vgg": "VGG",
}
_FAMILY = re.compile(rf"({'|'.join(_FAMILIES)})-(\d[\d.]*(?:-\d+)?)")
#: A version is the first part that begins with a digit and all that follows (``18.05-b3a371b``).
_VERSION = re.compile(r"-(v?\d[\w.+]*\.[\w.+-]*)$")
#: What tells two programs apart in a legend, beyond the program itself, when it differs.
_SORTED = ("platform", "model", "species", "shape", "batch_size", "threads", "dtype", "cache", "program", "tuner")
_DETAILS = ("library_version", "tuner", "layout")


def pretty(name: object) -> str:
    """Return the name that people know, or the raw one; a library tag keeps its version."""
    text = str(name)
    bare = text.removeprefix("network-")
    if text in _PRETTY or bare in _PRETTY:
        return _PRETTY.get(text) or _PRETTY[bare]
    if family := _FAMILY.fullmatch(bare):
        dash = "-" if family[1] in ("resnet", "vgg") else " "
        return f"{_FAMILIES[family[1]]}{dash}{family[2].replace('-', ' ')}"
    base, version = split_version(text)
    return f"{_PRETTY[base]} {version}" if version and base in _PRETTY else text


def split_version(library: str) -> tuple[str, str]:
    """Split a library's tag: ``onednn-cpu-3.2.0`` is ``onednn-cpu`` in version ``3.2.0``; without one it is empty."""
    match = _VERSION.search(library)
    return (library[: match.start()], match[1]) if match else (library, "")


def equals(column: "pd.Series", value: str) -> "pd.Series":
    """Tell which rows have the value; a library may be named without its version."""
    texts = column.astype("string").fillna("")
    mask = texts == value
    if column.name == "library" and not mask.any():
        mask = texts.map(lambda text: split_version(text)[0]) == value
    return mask.astype(bool)


def natural_key(text: object) -> tuple[tuple[int, int, str], ...]:
    """Sort key under which 64-7 comes before 512-7."""
    parts = re.findall(r"\d+|\D+", str(text))
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def sort_naturally(frame: "pd.DataFrame", columns: Sequence[str] = _SORTED) -> "pd.DataFrame":
    """Return the rows in natural order of ``columns``, with a fresh index."""
    import numpy as np

    keys = []
    for column in reversed(present(frame, columns)):
        codes, values = frame[column].astype("string").fillna("").factorize()
        rank = {value: number for number, value in enumerate(sorted(values, key=natural_key))}
        keys.append(np.array([rank[value] for value in values])[codes])
    return frame.iloc[np.lexsort(keys)].reset_index(drop=True) if keys else frame


def subject_labels(frame: "pd.DataFrame") -> "pd.Series":
    """Return what answered, as a legend shows it: the program, and whatever else tells two rows of it apart.

    A program that runs several libraries (a framework) is named by the library.
    """
    return _of_distinct(frame, ("program", "library", *_DETAILS), _subject_labels)


def _subject_labels(frame: "pd.DataFrame") -> "pd.Series":
    program = frame["program"].astype("string").fillna("?")
    library = frame["library"].astype("string").fillna("?")
    several = library.groupby(program.to_numpy()).transform("nunique") > 1
    shared = program.groupby(library.to_numpy()).transform("nunique") > 1
    named = library.map(pretty).astype("string")
    label = program.where(~several, named.where(~shared, program + " " + named))
    for column in present(frame, _DETAILS):
        values = frame[column].astype("string").fillna("")
        varies = values.groupby(label.to_numpy()).transform("nunique") > 1
        shown = values.where(values != "", "?")
        label = label.where(~varies, label + " " + ("v" if column == "library_version" else "") + shown)
    return label


def question_noun(frame: "pd.DataFrame") -> str:
    """Return what the rows of a chart are: shapes, or workloads: shapes in several settings, whole networks."""
    shapes = "shape" in frame and frame["shape"].notna().any()
    settings = present(frame, [column for column in QUESTION if column not in ("shape", "species", "model")])
    return "shape" if shapes and all(frame[column].nunique(dropna=False) <= 1 for column in settings) else "workload"


def question_labels(frame: "pd.DataFrame", *, without: Sequence[str] = ()) -> "pd.Series":
    """Return what was asked, as an axis shows it: the shape (or the whole model), and whatever else differs.

    Columns in ``without`` are said elsewhere.
    """
    return _of_distinct(frame, QUESTION, lambda rows: _question_labels(rows, without))


def _question_labels(frame: "pd.DataFrame", without: Sequence[str]) -> "pd.Series":
    import pandas as pd

    nothing = pd.Series(pd.NA, index=frame.index, dtype="string")
    shape = frame["shape"].astype("string") if "shape" in frame else nothing
    model = frame["model"].astype("string") if "model" in frame else nothing
    whole = shape.isna() & model.notna()
    label = shape.fillna(model.map(pretty, na_action="ignore").astype("string")).fillna("?")
    said = {"shape", *without, *(["model"] if whole.all() else [])}
    settings = setting_labels(frame, [column for column in QUESTION if column not in said])
    return label + settings.where(settings == "", " (" + settings + ")")


def setting_labels(frame: "pd.DataFrame", columns: Sequence[str]) -> "pd.Series":
    """Return the values of those ``columns`` that differ between rows, joined by commas."""
    import pandas as pd

    label = pd.Series("", index=frame.index, dtype="string")
    for column in present(frame, columns):
        texts = frame[column].astype("string").fillna("?")
        if texts.nunique() > 1:
            plain = column in ("platform", "model", "species", "dtype")
            words = texts if plain else f"{column.replace('_', ' ')} " + texts
            label = label.where(label == "", label + ", ") + words
    return label


def _of_distinct(
    frame: "pd.DataFrame", columns: Sequence[str], label: "Callable[[pd.DataFrame], pd.Series]"
) -> "pd.Series":
    """Label the distinct rows only, of which there are few, and spread the labels over all."""
    numbers, first = group_numbers(frame, present(frame, columns))
    spread: pd.Series = label(frame.iloc[first]).take(numbers)
    return spread.set_axis(frame.index)


def count_noun(count: int, noun: str) -> str:
    """Return ``1 shape``, ``2 shapes``."""
    return f"{count:,} {noun}{'' if count == 1 else 'es' if noun.endswith('s') else 's'}"


def shortened(text: object, limit: int = 56) -> str:
    """Return a text that fits beside an axis: its beginning and its end."""
    whole = str(text)
    if len(whole) <= limit:
        return whole
    return f"{whole[: limit * 2 // 3]}…{whole[-(limit - limit * 2 // 3 - 1) :]}"


def drawable_names(tables: "Mapping[str, pd.DataFrame]") -> "dict[str, pd.DataFrame]":
    """Return the tables as a chart may draw them: names on one line, none longer than an axis, all still different.

    Points come from anywhere: a name may hold control characters, which no SVG may, or marks that turn the direction
    of what follows.
    """
    return {part: _with_drawable_names(frame) for part, frame in tables.items()}


def drawable_name(text: str) -> str:
    """Return a name on one line, with what would act instead of show written out, no longer than an axis takes."""
    return shortened(printable_line(text), 60)


def _with_drawable_names(frame: "pd.DataFrame") -> "pd.DataFrame":
    changed = {}
    for column in frame.columns:
        if frame[column].dtype.kind in "biufM":
            continue
        texts = [value for value in frame[column].unique() if isinstance(value, str)]
        names = {text: name for text in texts if (name := drawable_name(text)) != text}
        if names:
            taken = {text for text in texts if text not in names}
            for text, name in names.items():
                again = (f"{name} ({number})" for number in count(2))
                names[text] = next(item for item in chain([name], again) if item not in taken)
                taken.add(names[text])
            plain = frame[column].astype("object")
            changed[column] = plain.map(lambda value, names=names: names.get(value, value)).astype("string")
    return frame.assign(**changed) if changed else frame


def listed(words: Iterable[object], limit: int = 4) -> str:
    """Return ``a, b and c``, or the first few and how many more."""
    texts = [str(word) for word in words]
    if len(texts) > limit:
        return f"{', '.join(texts[:limit])} and {len(texts) - limit} more"
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
