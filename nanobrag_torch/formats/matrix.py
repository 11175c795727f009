"""Orientation matrix: nine numbers, MOSFLM style (F4)."""

from __future__ import annotations

import math
import re
from itertools import islice

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.input_file import BYTE_ORDER_MARK, number_at, read_input

NUMBERS = 9
TOKEN = re.compile(rb"\S+")

Matrix = tuple[float, float, float, float, float, float, float, float, float]


def read(path: str) -> Matrix:
    """The first nine numbers: x of a*, b*, c*, then y, then z; dimensionless, times 1/wavelength.

    Line ends have no meaning and what follows the nine is ignored. Raises: InputFileError
    if there are fewer, or if the determinant is 0 or not finite. Source: F4.
    """
    numbers: list[float] = []
    line = 1
    data = read_input(path).removeprefix(BYTE_ORDER_MARK)
    for token in islice(TOKEN.finditer(data), NUMBERS):
        line = 1 + data.count(b"\n", 0, token.start())
        numbers.append(number_at(path, line, token.group()))
    if len(numbers) < NUMBERS:
        raise InputFileError(f"{path}:{line}: expected {NUMBERS} numbers, got {len(numbers)}")
    a, b, c, d, e, f, g, h, i = numbers
    determinant = _determinant(numbers)
    if determinant == 0 or not math.isfinite(determinant):
        raise InputFileError(
            f"{path}: expected a matrix that can be inverted, got determinant {determinant:g}"
        )
    return a, b, c, d, e, f, g, h, i


def _determinant(m: list[float]) -> float:
    x = m[0] * (m[4] * m[8] - m[5] * m[7])
    y = m[1] * (m[3] * m[8] - m[5] * m[6])
    z = m[2] * (m[3] * m[7] - m[4] * m[6])
    return x - y + z
