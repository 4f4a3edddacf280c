"""``nntest doctor --noise``: the smallest effect that this machine can show today."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nntest.faces.columns import columns
from nntest.faces.output import say

if TYPE_CHECKING:
    from nntest.measure.contest import Bout
    from nntest.measure.noise import Noise


def noise(*, share: bool = False) -> int:
    """Measure a few programs against their own twins and say what could be found; 0 unless nothing was measured."""
    from nntest.faces.ab import measure
    from nntest.measure.noise import noise_of, plan_noise
    from nntest.measure.world import real_world

    world = real_world()
    plan = plan_noise(world, share=share)
    for line in noise_lines(noise_of(measure(plan, world).results, world)):
        say(line)
    return 0


def noise_lines(noise: "Noise") -> Iterator[str]:
    """Yield a row for each case, and what it comes to."""
    heading = ("program", "case", "time", "twin / itself", "95 % interval", "smallest effect")
    yield from columns(heading, [_row(bout) for bout in noise.bouts])
    yield (
        f"today a difference of {noise.smallest_pct:.1f} % is found in the middle case, "
        f"one of {noise.worst_pct:.1f} % in the worst (9 times of 10, with the settings of `nntest ab`); "
        "more --launches find less"
    )
    alarms = f"{noise.alarms} of {noise.compared} twins were taken for different"
    yield f"{alarms}; the middle one seemed to differ by {noise.bias_pct:.2f} %, which is noise"
    if noise.alarms:
        yield "a twin is no slower than itself: differences as small as these are not to be believed today"


def _row(bout: "Bout") -> tuple[str, ...]:
    from statistics import median

    from nntest.faces.ab import case_label
    from nntest.units import format_duration

    samples = bout.a.samples if bout.a is not None else ()
    time = format_duration(median(sample.value_s for sample in samples)) if samples else ""
    found = bout.comparison
    if found is None or not math.isfinite(found.ratio):
        reason = next((point.failure.reason for point in (bout.a, bout.b) if point and point.failure), "no time")
        return bout.case.program, case_label(bout.case), time, "", "", reason
    return (
        bout.case.program,
        case_label(bout.case),
        time,
        f"{found.ratio:.3f}{' (!)' if found.verdict == 'different' else ''}",
        f"{found.low:.3f} to {found.high:.3f}",
        f"{found.mde_pct:.1f} %",
    )
