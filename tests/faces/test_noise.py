"""``nntest doctor --noise``: what it says."""

from dataclasses import replace

from nntest.faces.noise import noise_lines
from nntest.measure.contest import Bout
from nntest.measure.noise import Noise
from nntest.model.point import Failure
from tests.faces.test_ab import EQUAL, SLOWER
from tests.points import make_case, make_point

POINT = make_point()
BROKEN = replace(POINT, samples=(), failure=Failure(kind="crash", reason="signal 11"))


def test_effects_and_false_alarms() -> None:
    bouts = (
        Bout(case=make_case(), a=POINT, b=POINT, comparison=EQUAL),
        Bout(case=make_case(), a=POINT, b=POINT, comparison=SLOWER),
        Bout(case=make_case(), a=BROKEN, b=POINT),
    )
    lines = list(noise_lines(Noise(bouts=bouts, smallest_pct=1.5, worst_pct=2.5, bias_pct=10.1, alarms=1)))
    assert "1.002          0.999 to 1.005  0.5 %" in lines[1]
    assert "1.200 (!)      1.100 to 1.300  2.5 %" in lines[2]
    assert lines[3].endswith("signal 11")
    assert lines[4] == (
        "today a difference of 1.5 % is found in the middle case, one of 2.5 % in the worst "
        "(9 times of 10, with the settings of `nntest ab`); more --launches find less"
    )
    assert lines[5:] == [
        "1 of 2 twins were taken for different; the middle one seemed to differ by 10.10 %, which is noise",
        "a twin is no slower than itself: differences as small as these are not to be believed today",
    ]
