"""Amorphous scattering table: read and checked, never used (F6)."""

from __future__ import annotations

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.columns import rows

COLUMNS = 2


def read(path: str) -> list[tuple[float, float]]:
    """Abscissa as written in the file, and structure factor in electrons, of each line.

    Raises: InputFileError if there is no line or a line has one number only. Source: F6.
    """
    table = []
    for line, numbers, _ in rows(path, COLUMNS):
        if len(numbers) < COLUMNS:
            raise InputFileError(f"{path}:{line}: expected 'abscissa F', got 1 number")
        table.append((numbers[0], numbers[1]))
    if not table:
        raise InputFileError(f"{path}:1: expected 'abscissa F', got no line of numbers")
    return table
