"""A request refuses what cannot be meant, in one line that names the option."""

from typing import Any

import pytest

from nntest.errors import UsageError
from nntest.measure.request import RunRequest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"repetitions": 0}, "repetitions: 0 was given; expected a positive integer"),
        ({"threads": (1, -2)}, "threads: -2 was given; expected a positive integer"),
        ({"threads": ()}, "threads: no value was given; expected at least one, or leave the option out"),
        ({"batch_sizes": (0,)}, "batch_sizes: 0 was given; expected a positive integer"),
        ({"timeout_s": 0.0}, "timeout: 0.0 was given; expected a number above 0"),
        ({"timeout_s": float("nan")}, "timeout: nan was given; expected a number above 0"),
        ({"seed": -1}, "seed: -1 was given; expected an integer from 0 to 2^63 - 1"),
        ({"dtype": ("int8",)}, "dtype: 'int8' was given; expected one of float32, uint8"),
        ({"layout": ("NCWH",)}, "layout: 'NCWH' was given; expected one of auto, NCHW, NHWC"),
        ({"cache": ("cold",)}, "cache: 'cold' was given; expected one of warm, cold_weights, cold_all"),
        (
            {"post_ops": ("relu+gelu",)},
            "post_ops: 'relu+gelu' was given; expected relu, sum, or both joined by + in their order, such as sum+relu",
        ),
        ({"post_ops": ()}, "post_ops: no value was given; expected at least one, or leave the option out"),
        ({"data": "ones"}, "data: 'ones' was given; expected one of normal, relu, int, zeros"),
        (
            {"timestamp": "a/b"},
            "timestamp: 'a/b' was given; expected a word of letters, digits, dots, dashes and underscores",
        ),
        ({"env": {"1X": "2"}}, "env: '1X' was given; expected env.KEY=VALUE with KEY like CK_SEED"),
        (
            {"launches": 4, "repetitions": 3},
            "launches: 4 was given with 3 repetitions; expected at most one launch per repetition",
        ),
        (
            {"iterations": 2, "batch_sizes": (1,)},
            "iterations: it was given together with batch_sizes; iterations=N stands for the first N batch sizes of "
            "1, 2, 4, ...; leave one of them out",
        ),
        (
            {"budget_s": 5.0},
            "budget: it was given without until_ci; add until_ci (such as 1%), which it bounds",
        ),
        (
            {"resume": True, "no_record": True, "timestamp": "t"},
            "resume: it was given together with no_record; a session without record has no points",
        ),
        (
            {"resume": True},
            "resume: no timestamp was given; expected the timestamp (or record_uoa) of that session",
        ),
    ],
)
def test_what_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        RunRequest(**options)
    assert str(refusal.value) == message


def test_iterations_are_batch_sizes() -> None:
    assert RunRequest(iterations=4).batches == (1, 2, 4, 8)
    assert RunRequest(batch_sizes=(3, 1, 3)).batches == (3, 1)
    assert RunRequest().batches == (1,)


def test_repetitions_are_spread_over_five_launches_at_most() -> None:
    assert [RunRequest(repetitions=count).launch_count for count in (1, 3, 5, 10)] == [1, 3, 5, 5]
    assert RunRequest(repetitions=10, launches=2).launch_count == 2
