"""Orientation matrix: nine numbers, MOSFLM style, and what a MOSFLM file says beside them (F4)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import islice, takewhile
from typing import NamedTuple

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.input_file import BYTE_ORDER_MARK, NUMBER, number_at, read_input
from nanobrag_torch.formats.recognise import Wanted, refuse_other_kinds
from nanobrag_torch.formats.unit_cell import CellConstants

NUMBERS = 9
MISSETS, CELL, LAST_MISSETS = slice(0, 3), slice(12, 18), slice(18, 21)
"""Places of what is looked at among the numbers that follow the nine in a MOSFLM file (F4.3)."""
TOKEN = re.compile(rb"\S+")
SAID = re.compile(rb"(?:^|(?<=[\r\n]))[^\S\r\n]*+(?![#!])\S", re.MULTILINE)
"""The first character of a line, or of the rest of one, that is no comment."""

Matrix = tuple[float, float, float, float, float, float, float, float, float]
Angles = tuple[float, float, float]


class MosflmRecords(NamedTuple):
    """What a MOSFLM file says after its matrix; degrees and Angstrom, each with its line (F4.3).

    ``missets_deg`` are the angles of the fourth line or, if these are 0, of the last.
    """

    missets_deg: Angles
    missets_line: int
    cell: CellConstants
    cell_line: int


class MatrixFile(NamedTuple):
    """The nine numbers, and what follows them.

    ``numbers`` are x of a*, b*, c*, then y, then z; dimensionless, times 1/wavelength. ``ignored_line``
    is the first line of a text that follows and is not that of MOSFLM.
    """

    numbers: Matrix
    determinant: float
    mosflm: MosflmRecords | None
    ignored_line: int | None


def read(path: str) -> MatrixFile:
    """A matrix file; line ends have no meaning.

    Raises: InputFileError if there are fewer than nine numbers, if their determinant is 0 or not
    finite, and for orientations of other programs. Source: F4.
    """
    data = read_input(path).removeprefix(BYTE_ORDER_MARK)
    refuse_other_kinds(path, data, Wanted.MATRIX)
    numbers: list[float] = []
    line, end = 1, 0
    for token in islice(TOKEN.finditer(data), NUMBERS):
        line, end = _line(data, token.start()), token.end()
        numbers.append(number_at(path, line, token.group()))
    if len(numbers) < NUMBERS:
        raise InputFileError(f"{path}:{line}: expected {NUMBERS} numbers, got {len(numbers)}")
    a, b, c, d, e, f, g, h, i = numbers
    determinant = _determinant(numbers)
    if determinant == 0 or not math.isfinite(determinant):
        raise InputFileError(
            f"{path}: expected a matrix that can be inverted, got determinant {determinant:g}"
        )
    records = _mosflm_records(data, end)
    said = SAID.search(data[end:]) if records is None else None
    ignored = None if said is None else _line(data, end + said.end() - 1)
    return MatrixFile((a, b, c, d, e, f, g, h, i), determinant, records, ignored)


def _line(data: bytes, place: int) -> int:
    return 1 + data.count(b"\n", 0, place)


def _determinant(m: list[float]) -> float:
    x = m[0] * (m[4] * m[8] - m[5] * m[7])
    y = m[1] * (m[3] * m[8] - m[5] * m[6])
    z = m[2] * (m[3] * m[7] - m[4] * m[6])
    return x - y + z


def _mosflm_records(data: bytes, end: int) -> MosflmRecords | None:
    """The records after the matrix, which ends at ``end``; None if they are not those of MOSFLM (F4.3)."""
    following = islice(TOKEN.finditer(data, end), LAST_MISSETS.stop)
    tokens = list(takewhile(lambda token: NUMBER.fullmatch(token.group()), following))
    numbers = [float(token.group()) for token in tokens]
    cell = numbers[CELL]
    if len(cell) < 6 or not all(0 < edge < math.inf for edge in cell[:3]):
        return None
    if not all(0 < angle < 180 for angle in cell[3:]):
        return None
    places = LAST_MISSETS if not any(numbers[MISSETS]) and any(numbers[LAST_MISSETS]) else MISSETS
    if len(numbers[places]) < 3:
        places = MISSETS
    return MosflmRecords(
        missets_deg=_three(numbers[places]),
        missets_line=_line(data, tokens[places.start].start()),
        cell=(*_three(cell[:3]), *_three(cell[3:])),
        cell_line=_line(data, tokens[CELL.start].start()),
    )


def _three(numbers: Sequence[float]) -> Angles:
    x, y, z = numbers
    return x, y, z
