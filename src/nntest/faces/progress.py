"""What a person sees of a running session: a bar with the time left on a terminal, plain lines anywhere else."""

import time
from collections.abc import Callable
from statistics import median
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from nntest.faces.columns import count_of
from nntest.measure.reporter import SilentReporter
from nntest.units import format_duration, printable

if TYPE_CHECKING:
    from nntest.measure.groups import Group
    from nntest.measure.plan import SessionPlan
    from nntest.measure.trial import Trial
    from nntest.model.point import Point

# Drawing takes the processor from what is measured: seldom, and only between samples.
_REDRAW_S = 0.5


class ProgressReporter(SilentReporter):
    """Draws the session on ``err`` and writes one line per case to ``out``.

    Without a terminal nothing is drawn and no control codes are written.
    """

    def __init__(self, out: TextIO, err: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._err = err
        self._clock = clock
        self._began = self._drawn = clock()
        self._left = ""
        self._cases = self._done = self._groups = 0
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def __enter__(self) -> "ProgressReporter":
        """Draw from now on."""
        if self._err.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:3.0f} %  {task.fields[left]}"),
                console=self._err,
                auto_refresh=False,
                transient=True,
                # lines for a file must not take the way of the bar
                redirect_stdout=self._out.isatty(),
            )
            self._task = self._bar.add_task("preparing", total=None, left="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def session_started(self, plan: "SessionPlan") -> None:
        """Say how much there is to do, and what was left out; of a resumed session that is not known yet."""
        self._cases, self._groups = len(plan.trials), len(plan.groups)
        for text in plan.notes:
            self.note(text)
        if not plan.request.resume:
            self._say(
                f"{count_of(self._cases, 'case')} in {count_of(self._groups, 'group')}, "
                f"{count_of(plan.plan.repetitions, 'repetition')} each; "
                f"about {format_duration(plan.estimated_s)} of measuring"
            )

    def session_resumed(self, plan: "SessionPlan", cases: int, groups: int, estimated_s: float) -> None:
        """Say how much is left to do."""
        self._cases, self._groups = cases, groups
        self._say(
            f"resumed: {cases} of {count_of(len(plan.trials), 'case')} left, in {count_of(groups, 'group')}, "
            f"{count_of(plan.plan.repetitions, 'repetition')} each; about {format_duration(estimated_s)} of measuring"
            if cases
            else "resumed: nothing is left to do"
        )

    def building(self, name: str) -> None:
        """Say what is being compiled."""
        self._draw(f"building {name}")

    def advanced(self, done_s: float, total_s: float) -> None:
        """Move the bar; called after every sample."""
        now = self._clock()
        if self._bar is None or now - self._drawn < _REDRAW_S:
            return
        if done_s > 0:
            self._left = f"about {format_duration((now - self._began) * max(total_s - done_s, 0.0) / done_s)} left"
        self._bar.update(self._task, completed=done_s, total=total_s, left=self._left)
        self._draw(f"measuring {self._done} of {self._cases}")

    def case_done(self, trial: "Trial", point: "Point | None") -> None:
        """Write the result of one case."""
        self._done += 1
        self._out.write(printable(f"{_result(point):>12}  {trial.name}{_remark(point)}\n"))
        self._out.flush()

    def group_done(self, group: "Group") -> None:
        """Without a bar, tell how far the session has come."""
        if self._bar is None and self._groups > 1:
            self._say(f"group {group.number + 1} of {self._groups} is done, {self._done} of {self._cases} cases")

    def note(self, text: str) -> None:
        """Pass on what the user should know."""
        self._say(text)

    def _say(self, text: str) -> None:
        # rich would colour numbers and wrap lines that a script may want to read
        self._err.print(printable(text), markup=False, highlight=False, soft_wrap=True)

    def _draw(self, description: str) -> None:
        if self._bar is not None:
            self._drawn = self._clock()
            self._bar.update(self._task, description=description, refresh=True)


def _result(point: "Point | None") -> str:
    if point is None:
        return "unsupported"
    if point.failure is not None:
        return point.failure.kind
    return format_duration(median(sample.value_s for sample in point.samples)) if point.samples else "no sample"


def _remark(point: "Point | None") -> str:
    if point is None:
        return ""
    if point.failure is not None:
        return f": {' '.join(point.failure.reason.split())}"
    seen = f" ({', '.join(point.flags)})" if point.flags else ""
    return "" if point.trust == "stable" and not seen else f"  {point.trust}{seen}"
