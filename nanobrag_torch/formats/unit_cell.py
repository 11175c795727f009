"""The unit cell that a file gives, or the lack of one (F2.8)."""

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
        and cell.volume > 0
    )
    if not possible:
        raise InputFileError(f"{path}: expected a unit cell, got {shown_cell(constants)}")
    return constants
