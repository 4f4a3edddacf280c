"""What a session tells while it runs; faces draw it, tests log it."""

from typing import TYPE_CHECKING, Protocol

from nntest.model.point import Point

if TYPE_CHECKING:
    from nntest.measure.groups import Group
    from nntest.measure.plan import SessionPlan
    from nntest.measure.session import Summary
    from nntest.measure.trial import Trial


class Reporter(Protocol):
    """Receives the events of one session, in order."""

    def session_started(self, plan: "SessionPlan") -> None:
        """Nothing was built or run yet."""

    def session_resumed(self, plan: "SessionPlan", cases: int, groups: int, estimated_s: float) -> None:
        """So much of a resumed session is left to measure, which takes about so many seconds."""

    def building(self, name: str) -> None:
        """A program is about to be compiled, or found in the cache."""

    def advanced(self, done_s: float, total_s: float) -> None:
        """So much of the estimated measuring time is done; called after every sample."""

    def case_done(self, trial: "Trial", point: Point | None) -> None:
        """A trial has become a point; None for an unsupported case."""

    def group_done(self, group: "Group") -> None:
        """All points of a group are on disk."""

    def note(self, text: str) -> None:
        """Something that the user should know."""

    def session_finished(self, summary: "Summary") -> None:
        """The session has ended, also by an interruption."""


class SilentReporter:
    """Tells nothing; a base for reporters that tell little."""

    def session_started(self, plan: "SessionPlan") -> None:
        """Tell nothing."""

    def session_resumed(self, plan: "SessionPlan", cases: int, groups: int, estimated_s: float) -> None:
        """Tell nothing."""

    def building(self, name: str) -> None:
        """Tell nothing."""

    def advanced(self, done_s: float, total_s: float) -> None:
        """Tell nothing."""

    def case_done(self, trial: "Trial", point: Point | None) -> None:
        """Tell nothing."""

    def group_done(self, group: "Group") -> None:
        """Tell nothing."""

    def note(self, text: str) -> None:
        """Tell nothing."""

    def session_finished(self, summary: "Summary") -> None:
        """Tell nothing."""
