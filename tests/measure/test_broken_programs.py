"""Programs that go wrong in one way each, in one session with one that works."""

import pytest

from nntest.measure.session import Summary
from tests.measure.real_world import make_repository, measure

pytestmark = pytest.mark.native


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    root = tmp_path_factory.mktemp("broken")
    make_repository(root / "repository")
    kinds = ("works", "broken", "crash", "exit", "hang", "error", "wrong", "unwritten", "drift", "unsupported")
    return measure(root, ",".join(f"conv-{kind}-cpu" for kind in kinds), timeout_s=2.0, files=1)


def test_the_session_goes_on_and_counts(summary: Summary) -> None:
    assert (summary.points, summary.failed, summary.unsupported, summary.exit_code) == (9, 8, 1, 3)


@pytest.mark.parametrize(
    ("program", "kind", "words"),
    [
        ("conv-broken-cpu", "build", "conv-broken-cpu: did not compile: "),
        ("conv-crash-cpu", "crash", "was ended by SIG"),
        ("conv-exit-cpu", "crash", "the driver exited with code "),
        ("conv-hang-cpu", "timeout", "no answer within 2 s, killed"),
        ("conv-error-cpu", "error", "conv-error-cpu: "),
        ("conv-wrong-cpu", "wrong", "expected"),
        ("conv-unwritten-cpu", "wrong", "nan"),
        ("conv-drift-cpu", "wrong", "expected"),
    ],
)
def test_each_failure_is_a_point_with_its_reason(summary: Summary, program: str, kind: str, words: str) -> None:
    [point] = [point for point in summary.results if point.case.program == program]
    assert point.failure is not None
    assert point.failure.kind == kind
    assert words in point.failure.reason.replace("NaN", "nan")
    assert point.trust == ("wrong" if kind == "wrong" else "failed")


def test_what_works_is_not_harmed(summary: Summary) -> None:
    [point] = [point for point in summary.results if point.case.program == "conv-works-cpu"]
    assert point.failure is None
    assert point.verification.verified is True
    assert len(point.samples) == 4


def test_unsupported_says_why(summary: Summary) -> None:
    assert list(summary.refused.values()) == ["this operator supports nothing"]
