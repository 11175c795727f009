"""Opening files given by the user, with one kind of error for everything that can go wrong."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats import gzip_input

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MAX_TEXT_BYTES = 1 << 31
NUMBER = re.compile(rb"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
SHOWN_CHARACTERS = 40
LONGEST_TEXT = 300
"""Characters of what another library says about a file."""


@contextmanager
def read_errors(path: str) -> Iterator[None]:
    """Turn what prevents reading ``path``, or holding it in memory, into an InputFileError that says so."""
    try:
        yield
    except (OSError, MemoryError, ValueError) as error:
        raise InputFileError(f"{path}: cannot be read: {reason(error)}") from None


def open_input(path: str) -> tuple[BinaryIO, int]:
    """Open file and its size in bytes; only regular files can be read twice and measured.

    A file packed with gzip is unpacked, and the size is that of what it holds (F1.7). Raises:
    InputFileError if it is missing, a folder, a pipe, a device, not permitted, or cannot be unpacked.
    """
    with read_errors(path):
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - the caller closes it
    try:
        return _ready(path, file)
    except BaseException:
        file.close()
        raise


def _ready(path: str, file: BinaryIO) -> tuple[BinaryIO, int]:
    """The file at its beginning, unpacked if it is packed, and its size."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise InputFileError(f"{path}: cannot be read: not a regular file")
    with read_errors(path):
        packed = file.read(len(gzip_input.MAGIC)) == gzip_input.MAGIC
        file.seek(0)
    if not packed:
        return file, status.st_size
    with file, read_errors(path):
        content = gzip_input.unpacked(path, _bounded(path, file, status.st_size))
    return io.BytesIO(content), len(content)


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe opens at once as well, whether or not somebody writes to it."""
    return os.open(path, flags | os.O_NONBLOCK)


def read_input(path: str) -> bytes:
    """Content of a file, unpacked if it is packed with gzip.

    Raises: InputFileError as ``open_input``, or if the file is absurdly large.
    """
    file, size = open_input(path)
    with file:
        return _bounded(path, file, size)


def _bounded(path: str, file: BinaryIO, size: int) -> bytes:
    if size > MAX_TEXT_BYTES:
        raise InputFileError(f"{path}: is too large: {size} bytes, expected at most {MAX_TEXT_BYTES}")
    with read_errors(path):
        return file.read(size)


def with_line_feeds(data: bytes) -> bytes:
    """A text whose only line ends are carriage returns, with line feeds in their place (F1.6).

    As white space they would join its lines, and a fifth column be taken for the next index.
    """
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def text_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbered lines of a text file, from 1; carriage returns beside line feeds stay, as white space."""
    lines = with_line_feeds(data.removeprefix(BYTE_ORDER_MARK))
    return enumerate(lines.removesuffix(b"\n").split(b"\n"), start=1)


def reason(error: BaseException) -> str:
    """Words of the operating system, without its number and without the path."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def number_at(path: str, line: int, token: bytes, expected: str = "a number") -> float:
    """Value of one token, in plain decimal notation.

    Raises: InputFileError if it is not a number or not finite.
    """
    if not NUMBER.fullmatch(token):
        raise InputFileError(f"{path}:{line}: expected {expected}, got {shown(token)}")
    number = float(token)
    if number - number != 0:
        raise InputFileError(f"{path}:{line}: expected {expected} that is finite, got {shown(token)}")
    return number


def shortened(text: str, longest: int = LONGEST_TEXT) -> str:
    """The beginning of a text that may have any length."""
    return text if len(text) <= longest else f"{text[:longest]}..."


def shown(token: bytes) -> str:
    """Text of a message: quoted, printable, of bounded length."""
    text = ascii(token[:SHOWN_CHARACTERS].decode("utf-8", "backslashreplace"))
    if len(token) <= SHOWN_CHARACTERS and len(text) <= SHOWN_CHARACTERS + 2:
        return text
    return text[1 : SHOWN_CHARACTERS + 1].join("''") + "..."
