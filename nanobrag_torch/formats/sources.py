"""List of sources: position, weight and wavelength (F5)."""

from __future__ import annotations

import math

from nanobrag_torch.constants import LONGEST_VECTOR, SHORTEST_VECTOR
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.columns import rows

Source = tuple[float, float, float, float, float]
COLUMNS = 5


def read(path: str, defaults: Source) -> list[Source]:
    """Position x y z (any unit), weight and wavelength (m) of each source.

    ``defaults`` stand in for missing columns. Raises: InputFileError if there is no
    source, a direction has no length or a wavelength is not above 0. Source: F5.
    """
    sources = []
    for line, numbers in rows(path, COLUMNS):
        x, y, z, weight, wavelength_m = (*numbers, *defaults[len(numbers) :])
        if not SHORTEST_VECTOR <= math.hypot(x, y, z) <= LONGEST_VECTOR:
            raise InputFileError(f"{path}:{line}: expected a direction, got {x:g} {y:g} {z:g}")
        if wavelength_m <= 0:
            raise InputFileError(f"{path}:{line}: expected a wavelength above 0, got {wavelength_m:g}")
        sources.append((x, y, z, weight, wavelength_m))
    if not sources:
        raise InputFileError(f"{path}:1: expected 'x y z weight wavelength', got no source at all")
    return sources
