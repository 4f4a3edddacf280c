"""The entry analysis/instructions."""

import math
import re

import pytest

from nntest.analyses.entries import load_analysis
from nntest.analyses.style import chart_style
from nntest.errors import DataError, UsageError
from tests.analyses.conftest import Carry
from tests.analyses.frames import row, session, typed

EMULATED = {
    "platform": "QEMU user emulation",
    "target": "linux-arm64-qemu",
    "emulated": True,
    "trust": "emulated",
    "gflops": 0.5,
}


def counted(program: str, shape: str, counts: list[float], *, time_us: float = 100.0):
    library = "arm-compute-library-neon-20.08" if "neon" in program else "plain-cpu-1.0.0"
    return [
        row(**EMULATED, program=program, library=library, shape=shape, repetition=number, launch=number,
            time_us=time_us, instructions=count)
        for number, count in enumerate(counts)
    ]  # fmt: skip


POINTS = typed(
    [
        # the slower of the two has fewer instructions
        *counted("conv-armcl-neon", "3-33-31-3-10-2-1", [12_500.0, 12_500.0], time_us=300.0),
        *counted("conv-plain-cpu", "3-33-31-3-10-2-1", [40_000.0, 40_004.0, 40_002.0]),
        *counted("conv-plain-cpu", "1-1-1-1-1-1-0", [158.0]),
    ]
)


def draw(carry: Carry, points, **given):
    result = carry("instructions", points, **given)
    with chart_style():
        return load_analysis("instructions").chart(result.tables, result.options)


def test_a_case_has_its_median_count_and_how_far_its_samples_lie_apart(carry: Carry) -> None:
    main = carry("instructions", POINTS).tables["instructions"].set_index(["program", "shape"])
    neon = main.loc[("conv-armcl-neon", "3-33-31-3-10-2-1")]
    assert (neon["instructions"], neon["lowest"], neon["highest"], neon["spread_pct"]) == (12_500, 12_500, 12_500, 0)
    assert neon["operations_per_instruction"] == pytest.approx(0.5 * 300 * 1e3 / 12_500)
    plain = main.loc[("conv-plain-cpu", "3-33-31-3-10-2-1")]
    assert (plain["instructions"], plain["lowest"], plain["highest"]) == (40_002, 40_000, 40_004)
    assert plain["spread_pct"] == pytest.approx(0.01, rel=1e-3)
    assert plain["count"] == 3


def test_a_count_is_never_called_a_time(carry: Carry) -> None:
    result = carry("instructions", POINTS)
    figure = draw(carry, POINTS)
    axes = figure.axes[0]
    said = [figure.get_suptitle(), axes.get_xlabel(), *map(str, result.tables["instructions"].columns)]
    assert said[0] == "Instructions of one call, by shape: counts of an emulator, no times"
    assert axes.get_xlabel() == "instructions of one call, logarithmic"
    for text in said:
        assert not re.search(r"\btime|fast|slow|_us\b", text.replace("no times", ""))
    assert result.finding == (
        "3 cases with counts of an emulator, no times: how long an instruction takes depends on the hardware. "
        "Of 2 cases with several samples, 1 counts the same in each; those of the other lie 0.01 % apart at most."
    )


SAME, APART = [100.0, 100.0], [100.0, 102.0]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([[100.0]], ""),
        ([SAME], " The one case with several samples counts the same in each."),
        ([APART], " The one case with several samples counts up to 2 % apart."),
        ([SAME, SAME], " Of 2 cases with several samples, all count the same in each."),
        ([APART, APART], " Of 2 cases with several samples, none counts the same in each; they lie 2 % apart at most."),
        (
            [SAME, SAME, APART, APART, [100.0]],
            " Of 4 cases with several samples, 2 count the same in each; those of the others lie 2 % apart at most.",
        ),
    ],
)
def test_how_far_samples_agree_is_said_in_whole_sentences(counts: list[list[float]], said: str, carry: Carry) -> None:
    rows = [item for size, own in enumerate(counts, start=1) for item in counted("p", f"{size}-1-1-1-1-1-0", own)]
    assert carry("instructions", typed(rows)).finding.partition("the hardware.")[2] == said


def test_operations_of_whole_numbers_are_those_that_the_shape_tells(carry: Carry) -> None:
    # 4 inputs, 2 outputs, 3 x 3 places: 72 products and sums
    rows = counted("p", "4-3-3-1-2-1-0", [36.0, 36.0]) + counted("p", "of-no-species", [36.0])
    points = typed([{**item, "dtype": "uint8", "gflops": None} for item in rows])
    main = carry("instructions", points).tables["instructions"].set_index("shape")["operations_per_instruction"]
    assert main["4-3-3-1-2-1-0"] == 2 * 72 / 36
    assert math.isnan(main["of-no-species"])


def test_rows_follow_the_shapes_and_not_the_counts(carry: Carry) -> None:
    axes = draw(carry, POINTS).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1-1-1-1-1-1-0", "3-33-31-3-10-2-1"]
    large = typed(counted("conv-plain-cpu", "1-1-1-1-1-1-0", [2e6]))
    assert draw(carry, large).axes[0].get_xlabel() == "instructions of one call, in thousands, logarithmic"


def test_emulated_rows_are_used_unasked_and_others_have_no_counts(carry: Carry) -> None:
    result = carry("instructions", session())
    nothing = (
        "These points hold no counts of instructions; `nntest run --instructions --target=linux-arm64-qemu` takes them."
    )
    assert result.finding == nothing
    assert draw(carry, session()).texts[0].get_text() == nothing
    with pytest.raises(UsageError, match=r"^instructions: no row can be ranked \(6 emulated\); "):
        carry("instructions", POINTS, include="")
    with pytest.raises(DataError, match=r"^instructions: the points lack the column instructions; "):
        carry("instructions", POINTS.drop(columns="instructions"))
