"""Our own work that can wait until a driver is busy with what is not timed."""

from collections.abc import Callable


class Backlog:
    """Work to be done in the order in which it came, when the time is right."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []

    def add(self, work: Callable[[], None]) -> None:
        """Leave something to be done later."""
        self._waiting.append(work)

    def clear(self) -> None:
        """Do all that waits; what raises is not done again, what stands behind it still waits."""
        while self._waiting:
            self._waiting.pop(0)()
