"""Binary cache of the structure-factor table (F3)."""

from __future__ import annotations

import re

import numpy as np

from nanobrag_torch.constants import HIGHEST_INDEX, LOWEST_INDEX
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.atomic_write import write_file
from nanobrag_torch.formats.hkl import Amplitudes, Box, check_box, table_shape
from nanobrag_torch.formats.input_file import open_input, read_errors, shown
from nanobrag_torch.formats.recognise import HEAD_BYTES, Wanted, refuse_other_kinds

INTEGER = rb"([+-]?[0-9]{1,10})"
HEADER = re.compile(b" ".join([INTEGER] * 6) + rb"\n\f")
AXES = ("h", "k", "l")


def write(path: str, box: Box, table: Amplitudes) -> None:
    """Write ``table`` of shape ``table_shape(box)``; l runs fastest, then k, then h (F3.1).

    Raises: OutputFileError; nothing half-written is left.
    """
    header = " ".join(map(str, box)).encode("ascii") + b"\n\f"
    write_file(path, header, np.ascontiguousarray(table, dtype=np.float64).data)


def read(path: str) -> tuple[Box, Amplitudes]:
    """Box and table of a cache, extra planes included.

    Exactly two bytes follow the sixth integer (F3.4). Raises: InputFileError if the
    header is malformed, the length is not that of the header, or a number is not finite.
    """
    file, size = open_input(path)
    with file:
        with read_errors(path):
            head = file.read(HEAD_BYTES)
        box, start = _header(path, head)
        check_box(path, box)
        shape = table_shape(box)
        expected = start + 8 * shape[0] * shape[1] * shape[2]
        if size != expected:
            raise InputFileError(f"{path}: expected {expected} bytes as of its first line, got {size} bytes")
        with read_errors(path):
            file.seek(start)
            table = np.frombuffer(bytearray(file.read(expected - start)), dtype=np.float64).reshape(shape)
    if not np.isfinite(table).all():
        raise InputFileError(f"{path}: expected finite structure factors, got infinite or undefined ones")
    return box, table


def _header(path: str, head: bytes) -> tuple[Box, int]:
    """Box and offset of the numbers."""
    match = HEADER.match(head)
    if match is None:
        refuse_other_kinds(path, head, Wanted.CACHE)
        got = shown(head.split(b"\n", 1)[0])
        raise InputFileError(
            f"{path}:1: expected 'hmin hmax kmin kmax lmin lmax', a line feed and a form feed, got {got}"
        )
    numbers = [int(text) for text in match.groups()]
    for axis, low, high in zip(AXES, numbers[0::2], numbers[1::2], strict=True):
        if low > high:
            raise InputFileError(f"{path}:1: expected {axis}min <= {axis}max, got {low} and {high}")
        if low < LOWEST_INDEX or high > HIGHEST_INDEX:
            raise InputFileError(f"{path}:1: expected {axis} within 32 bits, got {low} and {high}")
    box = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5])
    return box, match.end()
