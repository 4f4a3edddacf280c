import pandas as pd
import pytest

from nntest.analyses.evidence import chosen_rows, gather
from nntest.analyses.options import parse_options
from nntest.analyses.selection import Selection, excluded_table, select
from tests.analyses.frames import repetitions, row, session, typed

NONE = parse_options({}, {}, where="test")


def test_what_ranks_is_counted_and_what_does_not_is_named() -> None:
    points = session()
    found = gather(select(points, NONE), points)
    assert (found.rows, found.cases, found.sessions) == (500, 50, 1)
    assert found.trust == {"stable": 50}
    libraries = [item["library"] for item in found.libraries]
    assert libraries == [
        "onednn-cpu-3.2.0",
        "openblas-cpu-0.3.34",
        "plain-cpu-1.0.0",
    ]
    assert found.excluded == {"emulated": 3, "failed": 1, "simulated": 2, "unverified": 3, "wrong": 1}
    assert found.failures_total == 2
    assert [failure["fail_reason"] for failure in found.failures] == ["crash: SIGSEGV", "output[3] is 7, expected 1"]


def test_the_caption_says_n_units_trust_and_platform() -> None:
    points = typed([*repetitions([1.0] * 4), row(trust="failed", success=False, time_us=None)])
    assert gather(select(points, NONE), points).caption() == (
        "n = 4 samples of 1 case; trust: 1 stable; left out: 1 failed (rows; listed under “excluded”); "
        "on AMD EPYC 9005; threads 1; batch size 1; dtype float32; cache warm."
    )


def test_the_caption_of_theory_speaks_of_tables_not_of_samples() -> None:
    points = typed([row()]).iloc[:0]
    nothing = Selection(points, excluded_table(points, pd.Series(dtype="string")))
    assert gather(nothing, points, table_rows=181).caption() == (
        "n = 181 rows, from tables of hardware, networks and accuracies; none of them a sample of a point."
    )
    assert gather(nothing, points).caption() == "n = 0 samples of 0 cases."


def test_settings_are_listed_in_natural_order() -> None:
    points = typed([row(batch_size=size) for size in (16, 2, 10, 4)])
    assert gather(select(points, NONE), points).settings["batch_size"] == ["2", "4", "10", "16"]


def test_flags_are_counted_by_case() -> None:
    points = typed(
        repetitions([1.0] * 4, flags="drift+shared_machine") + repetitions([1.0] * 4, program="b", flags="drift")
    )
    assert gather(select(points, NONE), points).flags == {"drift": 2, "shared_machine": 1}


CHOOSERS = {name: {"type": "list", "default": ""} for name in ("models", "libraries", "batch_sizes")}


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({}, 4),
        ({"libraries": "onednn-cpu"}, 3),
        ({"libraries": "onednn-cpu+plain-cpu,plain-cpu"}, 4),
        ({"batch_sizes": "2"}, 2),
        ({"models": "512-*"}, 4),
        ({"models": "512-*", "batch_sizes": "2", "libraries": "plain-cpu"}, 1),
    ],
)
def test_what_an_option_left_out_is_not_counted(given: dict[str, str], count: int) -> None:
    points = typed(
        [row(batch_size=size) for size in (1, 1, 2)] + [row(library="plain-cpu", program="p", batch_size=2)]
    ).assign(shape="512-7-7-1-1024-1-0")
    options = parse_options(CHOOSERS, given, where="test")
    assert len(chosen_rows(points, options, pd.DataFrame())) == count
