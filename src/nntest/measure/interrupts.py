"""Ctrl-C and SIGTERM as a clean end: at once while waiting for others, else between two steps."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

#: What a session exits with that the user ended: 128 and the number of SIGINT.
INTERRUPTED = 130

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class SessionInterrupted(KeyboardInterrupt):
    """The user ended the session; what was finished is on disk."""


class Interrupts:
    """Turn signals into ``SessionInterrupted`` where that is safe; a context manager.

    Between ``waiting`` blocks a signal is only remembered, so that no record and no point is cut in two; ``check``
    raises it. Outside the main thread, where Python allows no handlers, signals stay as they are.
    """

    def __init__(self) -> None:
        self.requested = False
        self._waiting = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._receive) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise what was remembered."""
        if self.requested:
            raise SessionInterrupted

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let a signal end the block at once: it only waits for another process."""
        self.check()
        self._waiting = True
        try:
            yield
        finally:
            self._waiting = False

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True
        if self._waiting:
            self._waiting = False
            raise SessionInterrupted
