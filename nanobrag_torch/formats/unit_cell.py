"""The unit cell that a file gives, or the lack of one (F2.8), and the angles that a cell can have (C10.3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.general_format import g6

if TYPE_CHECKING:
    import gemmi

CellConstants = tuple[float, float, float, float, float, float]
"""a, b, c in Angstrom and alpha, beta, gamma in degrees."""

DUMMY_EDGE_A = 1.0
"""No edge above this is no cell: the PDB format wants 1 1 1 where there is no crystal, some write 0."""
SHORTEST_EDGE_A = 0.1
"""Shorter than any bond and any cell, and well above what arithmetic could not divide by."""


SMALLEST_PRODUCT = 1e-12
"""A cell of unit edges and a volume of 2e-6: flatter ones are a slip, and near 0 the rounding decides."""

EXPECTED = (
    "a sum below 360",
    "alpha below beta + gamma",
    "beta below alpha + gamma",
    "gamma below alpha + beta",
)


def impossible_angles(alpha_deg: float, beta_deg: float, gamma_deg: float) -> str | None:
    """Why no cell has these angles, as the end of an error message, or None where one has them.

    The message begins with the option or file: ``f"{name}: {reason}"``. Source: C10.3.
    """
    angles = (alpha_deg, beta_deg, gamma_deg)
    half = sum(angles) / 2
    factors = [math.sin(math.radians(x)) for x in (half, *(half - angle for angle in angles))]
    if math.prod(factors) > SMALLEST_PRODUCT:
        return None
    expected = EXPECTED[factors.index(min(factors))]
    shown = " ".join(f"{angle:g}" for angle in angles)
    return f"no cell has the angles {shown} degrees: expected {expected}"


def shown_cell(cell: CellConstants) -> str:
    """Six numbers for a message."""
    return " ".join(map(g6, cell))


def given_cell(path: str, cell: gemmi.UnitCell) -> CellConstants | None:
    """The cell of a file, None where none or a dummy stands. Raises: InputFileError for an impossible one."""
    a, b, c, alpha, beta, gamma = cell.parameters
    constants = (a, b, c, alpha, beta, gamma)
    if max(a, b, c) <= DUMMY_EDGE_A:
        return None
    possible = (
        all(map(math.isfinite, constants))
        and min(a, b, c) >= SHORTEST_EDGE_A
        and all(0 < angle < 180 for angle in (alpha, beta, gamma))
        and cell.is_crystal()
    )
    if not possible:
        raise InputFileError(f"{path}: expected a unit cell, got {shown_cell(constants)}")
    reason = impossible_angles(alpha, beta, gamma)
    if reason is not None:
        raise InputFileError(f"{path}: {reason}")
    return constants
