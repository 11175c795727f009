"""Output files appear complete or not at all (C5)."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from nanobrag_torch.errors import OutputFileError
from nanobrag_torch.formats.input_file import reason

Bytes = bytes | memoryview

STANDARD_OUTPUT = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}


def is_standard_output(path: str) -> bool:
    """Whether a name stands for the stream that is open as standard output (C10.5)."""
    return path in STANDARD_OUTPUT


def write_file(path: str, *parts: Bytes) -> None:
    """Write ``parts`` to a new file beside ``path``, then move it there.

    An existing file keeps its permissions and a link its target; devices and pipes are
    written directly, because moving a file there would replace them; standard output is
    written as it is (C10.5). Raises: OutputFileError that names file and reason, nothing
    half-written is left; BrokenPipeError if nobody reads standard output any more.
    """
    with _output_errors(path):
        if is_standard_output(path):
            for part in parts:
                sys.stdout.buffer.write(part)
            sys.stdout.flush()
            return
        target = os.path.realpath(path)
        if _is_special(target):
            _write_parts(os.open(target, os.O_WRONLY), parts)
        else:
            _write_and_move(target, parts)


def check_writable(path: str) -> None:
    """Find out before a long run whether ``path`` can be written; leaves it untouched.

    Raises: OutputFileError as ``write_file`` would.
    """
    with _output_errors(path):
        if is_standard_output(path):
            if getattr(sys.stdout, "name", None) == os.devnull:  # stands in for a closed stream
                raise OSError(None, "standard output is closed")
            return
        target = os.path.realpath(path)
        if os.path.isdir(target):
            raise IsADirectoryError(None, "is a folder")
        if os.path.exists(target) and not os.access(target, os.W_OK):
            raise PermissionError(None, "Permission denied")
        with suppress(FileNotFoundError):
            os.lstat(target)  # names that are too long are refused here
        if not _is_special(target):
            aside, descriptor = _new_file_beside(target)
            os.close(descriptor)
            os.unlink(aside)


@contextmanager
def _output_errors(path: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        if is_standard_output(path):
            raise
        raise OutputFileError(f"{path}: cannot be written: Broken pipe") from None
    except (OSError, ValueError) as error:
        raise OutputFileError(f"{path}: cannot be written: {reason(error)}") from None


def _is_special(target: str) -> bool:
    """Whether a device, pipe or socket is there."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _write_and_move(target: str, parts: tuple[Bytes, ...]) -> None:
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise PermissionError(None, "Permission denied")
    aside, descriptor = _new_file_beside(target)
    try:
        _write_parts(descriptor, parts)
        with suppress(FileNotFoundError):
            os.chmod(aside, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(aside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(aside)
        raise


def _new_file_beside(target: str) -> tuple[str, int]:
    """Name and descriptor of a new empty file in the folder of ``target``.

    The name is short whatever that of ``target``; the permissions follow the umask.
    """
    aside = os.path.join(os.path.dirname(target), f".nanobrag-{secrets.token_hex(8)}.part")
    return aside, os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)


def _write_parts(descriptor: int, parts: tuple[Bytes, ...]) -> None:
    with open(descriptor, "wb") as file:
        for part in parts:
            file.write(part)
