"""The errors that a user can cause and a user can mend.

Every error carries the exit code of the process that reports it (C5). Library
code raises, only ``nanobrag_torch.__main__`` prints and exits. A message is one
line that names the file and line, or the flag, the value found and what was
expected.
"""


class NanoBragError(Exception):
    """Base of every error that the command line reports in one line."""

    exit_code = 9


class UsageError(NanoBragError):
    """A command line that cannot be understood, or whose values clash (C8.4)."""


class InputFileError(NanoBragError):
    """A file given by the user that cannot be read or holds nonsense (F2 to F12)."""


class OutputFileError(NanoBragError):
    """A file that cannot be written; nothing half-written is left (C5)."""


class DeviceError(NanoBragError):
    """A compute device that was asked for and is not there (C8.5.3)."""
