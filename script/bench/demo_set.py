"""The set of the main job, measured without a record."""

import sys
from typing import Any

from nntest.measure.reporter import SilentReporter
from nntest.measure.request import RunRequest
from nntest.measure.session import Summary, plan_session, run_session

NETWORK = "mobilenets-v1-1.0-224"
PROGRAMS = "conv-onednn-cpu,directconv-onednn-cpu,conv-openblas-cpu,conv-plain-cpu"
DEPTHWISE = "depthwiseconv-onednn-cpu,depthwiseconv-plain-cpu"
DATASETS = f"tensor-conv-{NETWORK},tensor-depthwiseconv-{NETWORK}"


class _Notes(SilentReporter):
    def note(self, text: str) -> None:
        """Tell the user what the session leaves out."""
        print(text, file=sys.stderr)


def measure(**options: Any) -> Summary:
    """Measure the convolutions of the main job; ``options`` are those of a request."""
    request = RunRequest(
        **{"programs": f"{PROGRAMS},{DEPTHWISE}", "dataset_uoa": DATASETS, "no_record": True, **options}
    )
    return run_session(plan_session(request), _Notes())
