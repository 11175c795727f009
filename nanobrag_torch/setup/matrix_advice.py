"""Where a matrix file contradicts the run, or itself (F4.2 to F4.4)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nanobrag_torch.advice import note, warn
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.formats.general_format import g6
from nanobrag_torch.formats.matrix import Matrix, MatrixFile, MosflmRecords
from nanobrag_torch.formats.unit_cell import CellConstants, shown_cell
from nanobrag_torch.setup.unit_cell import cell_constants, given_constants

OWN_EDGES, OWN_ANGLES_DEG = 1e-3, 0.1
"""Relative and degrees: a file agrees with itself to its last digit."""
CELL_EDGES, CELL_ANGLES_DEG = 0.01, 1.0
"""Relative and degrees: a cell that was typed in is rounded."""
MISSET_DEG = 1e-3
"""Degrees: the last digit of a file of MOSFLM."""


def advise_on_matrix(path: str, file: MatrixFile, request: Request, wavelength_m: float) -> None:
    """Say what of ``file`` is not used, or contradicts options or the file itself (F4.2 to F4.4)."""
    if file.determinant < 0:
        warn(
            f"{path}: the matrix is left-handed (determinant {file.determinant:g}), expected a"
            " right-handed one: two rows or columns are exchanged, or a sign is lost"
        )
    cell = cell_of(file.numbers, wavelength_m * 1e10)
    comparable = all(0 < edge < math.inf for edge in cell[:3])  # others are refused elsewhere (C8.9)
    if file.mosflm is not None and comparable:
        _advise_on_own_cell(path, file.mosflm, cell, wavelength_m * 1e10)
    if file.mosflm is not None:
        _advise_on_missets(path, file.mosflm, request)
    given = given_constants(request)
    if given is not None and comparable:
        _advise_on_given_cell(path, given, cell)
    if file.ignored_line is not None:
        note(f"{path}:{file.ignored_line}: everything after the nine numbers is ignored")


def cell_of(numbers: Matrix, wavelength_A: float) -> CellConstants:  # noqa: N803 - Angstrom
    """The direct cell of the nine numbers at a wavelength (F4.1)."""
    star = np.array(numbers).reshape(3, 3).T / wavelength_A
    with np.errstate(all="ignore"):  # what is not finite is refused elsewhere (C8.9)
        direct = np.cross(star[[1, 2, 0]], star[[2, 0, 1]])
        return cell_constants(direct / (star[0] @ direct[0]))


def _differ(one: Sequence[float], other: Sequence[float], edges: float, angles_deg: float) -> bool:
    """Whether an edge differs by more than ``edges`` of the second, or an angle by ``angles_deg``."""
    apart = [abs(x - y) for x, y in zip(one, other, strict=True)]
    return (
        any(d > edges * y for d, y in zip(apart[:3], other[:3], strict=True)) or max(apart[3:]) > angles_deg
    )


def _advise_on_own_cell(
    path: str,
    records: MosflmRecords,
    cell: CellConstants,
    wavelength_A: float,  # noqa: N803 - Angstrom
) -> None:
    if not _differ(records.cell, cell, OWN_EDGES, OWN_ANGLES_DEG):
        return
    ratios = [stated / edge for stated, edge in zip(records.cell[:3], cell[:3], strict=True)]
    one_ratio = max(ratios) - min(ratios) <= OWN_EDGES * min(ratios)
    made_for = (
        f": the matrix was made for {g6(wavelength_A * ratios[0])} Angstrom (-lambda)?" if one_ratio else ""
    )
    warn(
        f"{path}:{records.cell_line}: the file states the cell {shown_cell(records.cell)}, but its matrix"
        f" gives {shown_cell(cell)} at the wavelength of {g6(wavelength_A)} Angstrom{made_for}"
    )


def _advise_on_missets(path: str, records: MosflmRecords, request: Request) -> None:
    if request.misset_rad is not None or request.misset_random:
        return
    if max(map(abs, records.missets_deg)) > MISSET_DEG:
        angles = " ".join(map(g6, records.missets_deg))
        warn(
            f"{path}:{records.missets_line}: the file has missetting angles {angles} degrees, which MOSFLM"
            f" applies and this program does not; give -misset {angles}"
        )


def _advise_on_given_cell(path: str, given: CellConstants, cell: CellConstants) -> None:
    if _differ(given, cell, CELL_EDGES, CELL_ANGLES_DEG):
        turned = _differ([*cell[:3], *given[3:]], cell, CELL_EDGES, CELL_ANGLES_DEG)
        unused = ": the angles of -cell are not used" if turned else ""
        warn(
            f"-cell {shown_cell(given)} beside {path}, whose cell is {shown_cell(cell)}: lengths and"
            f" volume are those of -cell, directions those of the matrix{unused}"
        )
