"""From the records of a file to a list in P1: symmetry, Friedel mates, and which value counts (F2.8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from nanobrag_torch.advice import warn
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.hkl import Amplitudes, Indices, check_box, table_shape
from nanobrag_torch.formats.input_file import shown
from nanobrag_torch.formats.unit_cell import CellConstants, shown_cell

if TYPE_CHECKING:
    import gemmi

EDGES, ANGLES_DEG = 0.01, 1.0
"""Relative and degrees: measured cells that were not refined under their symmetry differ by less."""
LISTED, ROTATED, INVERTED = 0, 1, 2
"""How an index comes out of a record; what comes first counts."""


class Symmetry(NamedTuple):
    """The operations of a space group, and what to call it."""

    name: str
    operations: gemmi.GroupOps


class Records(NamedTuple):
    """Amplitudes before symmetry is applied: indices (n, 3), F (n,), NaN where it is missing."""

    symmetry: Symmetry
    indices: Indices
    amplitudes: Amplitudes


def known(path: str, group: gemmi.SpaceGroup | None, name: str) -> Symmetry:
    """The symmetry of a space group. Raises: InputFileError if it is none, with the name that was found."""
    if group is None:
        got = shown(name.encode()) if name else "none (P 1 has to be said)"
        raise InputFileError(f"{path}: expected a known space group, got {got}")
    return Symmetry(group.hm, group.operations())


def listed_group(path: str, texts: Sequence[str]) -> gemmi.GroupOps:
    """The group of operations that a file lists, as x,y,z each.

    Raises: InputFileError if one of them takes a lattice to another one, or if they are no group: gemmi
    crashes without the identity, and reflections would be missed without the products.
    """
    import gemmi

    operations = [gemmi.Op(text) for text in texts]
    for text, operation in zip(texts, operations, strict=True):
        whole = all(number % gemmi.Op.DEN == 0 for row in operation.rot for number in row)
        if not whole or abs(operation.det_rot()) != gemmi.Op.DEN**3:
            raise InputFileError(
                f"{path}: expected a symmetry operation of a lattice, got {shown(text.encode())}"
            )
    group, complete = gemmi.GroupOps(operations), gemmi.GroupOps(operations)
    if not group.cen_ops:
        raise InputFileError(f"{path}: expected the identity x,y,z among the symmetry operations, got none")
    try:
        complete.add_missing_elements()
        order = str(_order(complete))
    except RuntimeError:  # they never come back to the identity
        order = "more than 1000"
    if order != str(_order(group)):
        raise InputFileError(
            f"{path}: expected all symmetry operations of a group, got {_order(group)} of {order}"
        )
    return group


def _order(group: gemmi.GroupOps) -> int:
    return len(group.sym_ops) * len(group.cen_ops)


def warn_of_other_lattice(path: str, symmetry: Symmetry, cell: CellConstants) -> None:
    """Warn where the lattice of ``cell`` has not the rotations of ``symmetry``. Source: F2.8, item 8.

    The metric G of the cell is that of a rotation x' = R x if R^T G R = G.
    """
    import gemmi

    axes = np.array(gemmi.UnitCell(*cell).orth.mat.tolist())
    metric = axes.T @ axes
    for operation in symmetry.operations.sym_ops:
        turn = np.array(operation.rot, dtype=np.float64) / gemmi.Op.DEN
        turned = turn.T @ metric @ turn
        lengths = np.sqrt(np.diag(turned)), np.sqrt(np.diag(metric))
        cosines = [m / np.outer(length, length) for m, length in zip((turned, metric), lengths, strict=True)]
        angles_deg = [np.degrees(np.arccos(np.clip(cosine, -1, 1))) for cosine in cosines]
        if (np.abs(lengths[0] - lengths[1]) > EDGES * lengths[1]).any() or (
            np.abs(angles_deg[0] - angles_deg[1]) > ANGLES_DEG
        ).any():
            warn(
                f"{path}: the operations of {symmetry.name}, by which the reflections are expanded, do not"
                f" fit the unit cell {shown_cell(cell)}: one of the two is not that of the crystal"
            )
            return


def p1_list(path: str, records: Records) -> tuple[Indices, Amplitudes]:
    """Miller indices, shape (n, 3), and F, shape (n,), of P1 with Friedel mates.

    Without missing amplitudes and systematic absences. Raises: InputFileError for an
    amplitude that is not finite, or if none is left, or if the box is absurdly large.
    """
    return _expanded(path, _present(path, records))


def _present(path: str, records: Records) -> Records:
    symmetry, indices, amplitudes = records
    if np.isinf(amplitudes).any():
        record = int(np.flatnonzero(np.isinf(amplitudes))[0])
        h, k, l = indices[record].tolist()
        raise InputFileError(
            f"{path}: expected finite amplitudes, got {amplitudes[record]:g} for {h} {k} {l}"
        )
    kept = ~np.isnan(amplitudes)
    if len(indices):
        kept &= ~symmetry.operations.systematic_absences(indices)
    if not kept.any():
        raise InputFileError(
            f"{path}: expected amplitudes of reflections that {symmetry.name} allows, got none in"
            f" {len(amplitudes)} records"
        )
    return Records(symmetry, indices[kept], amplitudes[kept])


def _expanded(path: str, records: Records) -> tuple[Indices, Amplitudes]:
    """Every record with its equivalents, each once; record by record, these in order of h, k, l.

    An operation x' = R x + t makes h R of h; t changes the phase only. An index takes the
    value that the file gives for it, else that of a record with h R, else that of its Friedel mate.
    """
    laue, ways = _operations(records.symmetry)
    mates = np.einsum("ni,mij->nmj", records.indices.astype(np.int64), laue)
    lowest, highest = mates.min(axis=(0, 1)), mates.max(axis=(0, 1))
    (h0, k0, l0), (h1, k1, l1) = lowest.tolist(), highest.tolist()
    box = (h0, h1, k0, k1, l0, l1)
    check_box(path, box)
    shape = table_shape(box)
    places = np.ravel_multi_index(tuple(np.moveaxis(mates - lowest, 2, 0)), shape)
    best = np.full(np.prod(shape), INVERTED, dtype=np.uint8)
    for way in (ROTATED, LISTED):
        best[places[:, ways == way]] = way
    counts = ways == best[places]
    # what does not count goes to the end of each row, where it is left out like a repetition
    places = np.sort(np.where(counts, places, np.prod(shape)), axis=1)
    first = places < np.prod(shape)
    first[:, 1:] &= places[:, 1:] != places[:, :-1]
    found = np.nonzero(first)[0]
    indices = np.stack(np.unravel_index(places[first], shape), axis=1) + lowest
    return indices.astype(np.int32), records.amplitudes[found]


def _operations(symmetry: Symmetry) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Rotations of the group and these times -1, each once in its best way; shapes (m, 3, 3), (m,)."""
    import gemmi

    rotations = np.array([operation.rot for operation in symmetry.operations.sym_ops], dtype=np.int64)
    rotations //= gemmi.Op.DEN
    laue = np.concatenate([rotations, -rotations])
    ways = np.repeat(np.array([ROTATED, INVERTED], dtype=np.uint8), len(rotations))
    ways[(laue == np.eye(3, dtype=np.int64)).all(axis=(1, 2))] = LISTED
    order = np.argsort(ways, kind="stable")
    laue, first = np.unique(laue[order], axis=0, return_index=True)
    return laue, ways[order][first]
