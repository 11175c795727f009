"""List of sources: position, weight and wavelength (F5)."""

from __future__ import annotations

import math
from typing import NamedTuple

from nanobrag_torch.constants import LONGEST_VECTOR, SHORTEST_VECTOR
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.columns import rows

Columns = tuple[float, float, float, float, float]
COLUMNS = 5


class Source(NamedTuple):
    """One line of the list: position x y z (any unit), weight, wavelength in metres.

    ``columns`` counts the numbers of line ``line`` that were read, ``further`` what stands beyond the fifth.
    """

    x: float
    y: float
    z: float
    weight: float
    wavelength_m: float
    line: int
    columns: int
    further: int


def read(path: str, defaults: Columns) -> list[Source]:
    """The sources of a list in the order of its lines.

    ``defaults`` stand in for missing columns. Raises: InputFileError if there is no
    source, a direction has no length or a wavelength is not above 0. Source: F5.
    """
    sources = []
    for line, numbers, further in rows(path, COLUMNS):
        x, y, z, weight, wavelength_m = (*numbers, *defaults[len(numbers) :])
        if not SHORTEST_VECTOR <= math.hypot(x, y, z) <= LONGEST_VECTOR:
            raise InputFileError(f"{path}:{line}: expected a direction, got {x:g} {y:g} {z:g}")
        if wavelength_m <= 0:
            raise InputFileError(f"{path}:{line}: expected a wavelength above 0, got {wavelength_m:g}")
        sources.append(Source(x, y, z, weight, wavelength_m, line, len(numbers), further))
    if not sources:
        raise InputFileError(f"{path}:1: expected 'x y z weight wavelength', got no source at all")
    return sources
