"""The unit cell in force: of the user, or of the file of structure factors (C4.17, F2.8)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nanobrag_torch.advice import note, warn
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.constants import DEGREES_PER_RADIAN
from nanobrag_torch.formats.unit_cell import CellConstants, shown_cell
from nanobrag_torch.physics.vectors import Vec3
from nanobrag_torch.setup.experiment import plain
from nanobrag_torch.setup.structure_factors import FactorFile

Components = npt.NDArray[np.float64]

LARGEST_EDGE_CHANGE = 0.01
"""Edges of one crystal form differ by about this between crystals: by cooling, drying, a ligand.

At 3 Angstrom and an edge of 100 Angstrom it moves a reflection by a third of an index, and what is
more takes the amplitude of one place of the transform for that of another.
"""
LARGEST_ANGLE_CHANGE_DEG = 1.0
"""The turn that does to a reflection what a change of an edge by 1.7 % does."""


def with_cell(request: Request, file: FactorFile | None) -> Request:
    """``request`` with the cell of its file of structure factors, if the user gives neither cell nor matrix.

    Raises: InputFileError or MissingInputError where nobody gives one. Source: C4.17.
    """
    if file is None or request.cell is not None or request.matrix_file is not None:
        return request
    if file.cell is None:
        raise file.lacks_cell()
    note(f"the unit cell is that of {file.path}: {shown_cell(file.cell)}")
    a, b, c, *angles = file.cell
    alpha, beta, gamma = (angle / DEGREES_PER_RADIAN for angle in angles)
    return replace(request, cell=(a, b, c, alpha, beta, gamma))


def constants(direct: tuple[Vec3, Vec3, Vec3]) -> CellConstants:
    """Edges in Angstrom and angles in degrees of three vectors in Angstrom."""
    a, b, c = (np.array([plain(x) for x in vector]) for vector in direct)

    def angle(x: Components, y: Components) -> float:
        return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(x, y)), x @ y)))

    with np.errstate(all="ignore"):  # what is not finite is refused elsewhere (C8.9)
        lengths = [float(np.linalg.norm(edge)) for edge in (a, b, c)]
        return lengths[0], lengths[1], lengths[2], angle(b, c), angle(a, c), angle(a, b)


def compare(request: Request, file: FactorFile | None, cell: CellConstants) -> None:
    """Warn where the cell of the run is not that of the structure factors. Source: F2.8."""
    if file is None or file.cell is None:
        return
    own = np.array(file.cell)
    change = np.abs(np.array(cell) - own)
    if (change[:3] > LARGEST_EDGE_CHANGE * own[:3]).any() or (change[3:] > LARGEST_ANGLE_CHANGE_DEG).any():
        given = [name for name, value in (("-cell", request.cell), ("-mat", request.matrix_file)) if value]
        warn(
            f"{file.path} has the unit cell {shown_cell(file.cell)}, but that of {' and '.join(given)} is"
            f" {shown_cell(cell)}: its structure factors do not belong to this lattice"
        )
