"""The entry analysis/platform."""

import pandas as pd
import pytest

from nntest.analyses.entries import load_analysis
from nntest.analyses.style import chart_style
from nntest.errors import DataError
from tests.analyses.conftest import Carry
from tests.analyses.frames import caffe, row, session, typed
from tests.analyses.tx1 import needs_tx1, table_tx1

COLUMNS = ["platform", "cpu", "cores", "gpu", "clocks", "memory", "os", "driver"]


def test_a_row_per_device_from_what_the_points_tell(carry: Carry) -> None:
    points = typed([row(core_ghz=2.5), row(core_ghz=2.7), row(platform="Pi", cpu="Cortex-A72", os=None)])
    points["platform_id"] = points["platform"].astype("string")
    hardware = points[["platform", "cpu"]].drop_duplicates().assign(cores=[2.0, 4.0], ram_mb=[8000.0, None])
    main = carry("platform", points, hardware=hardware).tables["platform"]
    assert list(main.columns) == COLUMNS
    first, second = main.to_dict("records")
    assert (first["platform"], first["cores"], first["memory"]) == ("AMD EPYC 9005", "2", "8.0 GB")
    assert first["clocks"] == "CPU 2.60 GHz (median, measured beside the samples)"
    assert (second["cpu"], second["cores"]) == ("Cortex-A72", "4")
    assert pd.isna(second["clocks"])
    assert pd.isna(second["os"])


def test_what_is_published_fills_the_gaps_and_does_not_replace(carry: Carry) -> None:
    points = caffe(cpu__net_a__2=[1.0])
    found = carry("platform", points).tables["platform"].iloc[0]
    assert (found["cpu"], found["gpu"]) == ("Arm Cortex-A57", "NVIDIA Maxwell (256 CUDA cores)")
    assert found["os"] == "Debian 12"


def test_it_shows_the_devices_of_failed_points_too(carry: Carry) -> None:
    points = typed([row(platform="broken", success=False, trust="failed", time_us=None)])
    assert carry("platform", points).tables["platform"]["platform"].tolist() == ["broken"]


def test_a_card_per_device(carry: Carry) -> None:
    result = carry("platform", session())
    with chart_style():
        figure = load_analysis("platform").chart(result.tables, result.options)
    words = [text.get_text() for text in figure.texts]
    assert words[0] == "1 device: AMD EPYC 9005"
    assert {"CPU", "OS", "Debian 12", "unknown"} <= set(words)


def test_a_missing_column_is_named(carry: Carry) -> None:
    with pytest.raises(DataError, match=r"^platform: the points lack the column platform; "):
        carry("platform", session().drop(columns="platform"))


@needs_tx1
def test_the_tx1() -> None:
    (found,) = table_tx1("platform").to_dict("records")
    assert found["platform"] == "jetson_tx1"
    assert (found["cores"], found["os"]) == ("4", "Ubuntu 16.04.1 LTS")
    assert found["clocks"].startswith("CPU 102 to 1734 MHz; ")
    assert found["driver"] == "JetPack 2.3.1; CUDA 8.0.33; cuDNN 5.1"
