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

Vectors = npt.NDArray[np.float64]

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
    note(f"{file.path}: the unit cell is that of this file, {shown_cell(file.cell)}")
    a, b, c, *angles = file.cell
    alpha, beta, gamma = (angle / DEGREES_PER_RADIAN for angle in angles)
    return replace(request, cell=(a, b, c, alpha, beta, gamma))


def cell_constants(direct: Vectors) -> CellConstants:
    """Edges in Angstrom and angles in degrees of a, b, c: rows of ``direct``, (3, 3), in Angstrom."""
    a, b, c = direct

    def angle(x: Vectors, y: Vectors) -> float:
        return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(x, y)), x @ y)))

    with np.errstate(all="ignore"):  # what is not finite is refused elsewhere (C8.9)
        lengths = [float(np.linalg.norm(edge)) for edge in (a, b, c)]
        return lengths[0], lengths[1], lengths[2], angle(b, c), angle(a, c), angle(a, b)


def constants(direct: tuple[Vec3, Vec3, Vec3]) -> CellConstants:
    """Edges in Angstrom and angles in degrees of the vectors of a run, in Angstrom."""
    return cell_constants(np.array([[plain(x) for x in vector] for vector in direct]))


def given_constants(request: Request) -> CellConstants | None:
    """What ``-cell`` says, defaults filled in (P3.1); None without it."""
    if request.cell is None:
        return None
    a, b, c, *angles = map(plain, request.cell)
    alpha, beta, gamma = (angle * DEGREES_PER_RADIAN if angle > 0 else 90.0 for angle in angles)
    return a, b if b > 0 else a, c if c > 0 else a, alpha, beta, gamma


def compare(request: Request, file: FactorFile | None, in_force: CellConstants) -> None:
    """Warn where the cell that the user gives is not that of the structure factors. Source: F2.8.

    ``request`` is the user's; ``in_force`` decides where there is a matrix.
    """
    given = given_constants(request) if request.matrix_file is None else in_force
    if file is None or file.cell is None or given is None:
        return
    own = np.array(file.cell)
    change = np.abs(np.array(given) - own)
    if (change[:3] > LARGEST_EDGE_CHANGE * own[:3]).any() or (change[3:] > LARGEST_ANGLE_CHANGE_DEG).any():
        names = [name for name, value in (("-cell", request.cell), ("-mat", request.matrix_file)) if value]
        warn(
            f"{file.path}: has the unit cell {shown_cell(file.cell)}, but that of {' and '.join(names)} is"
            f" {shown_cell(given)}: its structure factors do not belong to this lattice"
        )
