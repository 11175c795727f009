"""Errors a user can mend and the exit codes of every ``nbparity`` command.

Library code raises, only ``nbparity.__main__`` prints errors and exits.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit status of ``nbparity``; documented in docs/development/testing_strategy.md."""

    OK = 0
    TESTS_FAILED = 1
    USAGE = 2
    BLOCKED = 3
    UNEXPLAINED = 4
    SCALE = 5
    NOT_INTACT = 6
    NOT_WRITTEN = 7
    INTERRUPTED = 130


class ParityError(Exception):
    """Base of every error that the command line reports in one line."""

    exit_code = ExitCode.USAGE


class UsageError(ParityError):
    """A command line or a data file of the harness that cannot be understood."""


class BlockedError(ParityError):
    """Something that has to be there before a comparison can start is not."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class NotIntactError(ParityError):
    """A bundle, or a protected file, is not what was recorded."""

    exit_code = ExitCode.NOT_INTACT


class NotWrittenError(ParityError):
    """A result could not be written."""

    exit_code = ExitCode.NOT_WRITTEN
