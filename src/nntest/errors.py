"""Errors that a user can read: where, what was found, what was expected, what to do next."""


class NNTestError(Exception):
    """Base of all errors that the command line reports in one line; ``exit_code`` is what it exits with."""

    exit_code = 2


class UsageError(NNTestError):
    """A name, an option or a value is wrong; nothing was run."""


class DataError(NNTestError):
    """A file is damaged, foreign or inconsistent; the message begins with its path."""

    exit_code = 1


class MissingPartError(NNTestError):
    """A library, compiler or other part is not installed; the message says how to install it."""


class BusyMachineError(NNTestError):
    """Another session is measuring on this machine."""


class ConnectionLostError(NNTestError):
    """A board cannot be reached any more; what was measured on it meanwhile is left to another session."""

    exit_code = 3


class BuildError(NNTestError):
    """A program did not compile; recorded as a failed point, the session goes on."""

    exit_code = 3


class DriverError(NNTestError):
    """A driver process crashed, hung or answered nonsense; recorded as a failed point."""

    exit_code = 3
