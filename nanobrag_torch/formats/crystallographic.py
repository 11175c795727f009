"""Structure factors out of the files of crystallographers: MTZ, mmCIF and PDB (F2.8).

gemmi reads the files and knows the space groups. It is an optional dependency,
imported where such a file is read and nowhere else: text lists need none of it.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from nanobrag_torch.constants import LARGEST_COUNT
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.hkl import (
    MAX_TABLE_ENTRIES,
    Amplitudes,
    Indices,
    check_box,
    table_shape,
)
from nanobrag_torch.formats.input_file import read_input, reason, text_lines

if TYPE_CHECKING:
    import gemmi

HEAD_BYTES = 1 << 16
"""The first line that is not a comment lies within these."""
MTZ_MAGIC = b"MTZ "
MTZ_AMPLITUDE = "F"
MTZ_NUMBER_BYTES = 4
REFLECTION_ITEM = re.compile(rb"(?<!\S)_refln\.", re.IGNORECASE)
ATOM_ITEM = re.compile(rb"(?<!\S)_atom_site\.", re.IGNORECASE)
PDB_RECORDS = frozenset(
    b"HEADER OBSLTE TITLE SPLIT CAVEAT COMPND SOURCE KEYWDS EXPDTA NUMMDL MDLTYP AUTHOR REVDAT SPRSDE JRNL"
    b" REMARK DBREF DBREF1 DBREF2 SEQADV SEQRES MODRES HET HETNAM HETSYN FORMUL HELIX SHEET SSBOND LINK"
    b" CISPEP SITE CRYST1 ORIGX1 SCALE1 MTRIX1 MODEL ATOM ANISOU HETATM USER".split()
)
AMPLITUDE_ITEMS = (
    "F_meas_au",
    "F_meas",
    "F_calc_au",
    "F_calc",
    "pdbx_F_calc_with_solvent",
    "pdbx_F_calc_part_solvent",
    "pdbx_FWT",
    "pdbx_DELFWT",
)
"""Amplitudes of a merged reflection among the items of ``_refln``, those of map coefficients included."""
MISSING = ("?", ".", "nan")

DENSITY_CUTOFF = 1e-7
"""Electron density, e/A^3, at which an atom ends: |F| is then within 0.01 % of the direct sum."""
SAMPLES_PER_SPACING = 3.0
SPACINGS_PER_EDGE = 4.0
"""The density is sampled for at least this many spacings along the shortest edge.

Coarser samples need atoms so blurred that they reach beyond two cells, where gemmi cuts them off.
"""
SHORTEST_EDGE_A = 0.1
"""Shorter than any bond and any cell, and well above what arithmetic could not divide by."""
CELL_TOLERANCE = 0.01


class Kind(Enum):
    """What a file holds; the value is the words of a message."""

    MTZ = "an MTZ file"
    MMCIF_REFLECTIONS = "an mmCIF file of reflections"
    MMCIF_ATOMS = "an mmCIF file of coordinates"
    PDB = "a PDB file"

    @property
    def has_columns(self) -> bool:
        """Whether there are amplitudes to choose from."""
        return self in (Kind.MTZ, Kind.MMCIF_REFLECTIONS)


class Unique(NamedTuple):
    """Amplitudes before symmetry is applied: indices (n, 3), F (n,), NaN where it is missing."""

    group: gemmi.SpaceGroup
    indices: Indices
    amplitudes: Amplitudes


def kind_of(path: str) -> Kind | None:
    """What a file holds, by its content alone; None for a text list and everything else.

    Raises: InputFileError if the file cannot be read. Source: F2.8.
    """
    head = read_input(path, at_most=HEAD_BYTES)
    if head.startswith(MTZ_MAGIC):
        return Kind.MTZ
    first = next((line for _, line in text_lines(head) if line.strip() and not _is_comment(line)), b"")
    if first[:6].rstrip() in PDB_RECORDS:
        return Kind.PDB
    if first.lstrip()[:5].lower() != b"data_":
        return None
    whole = read_input(path)
    if REFLECTION_ITEM.search(whole):
        return Kind.MMCIF_REFLECTIONS
    return Kind.MMCIF_ATOMS if ATOM_ITEM.search(whole) else None


def _is_comment(line: bytes) -> bool:
    return line.lstrip().startswith(b"#")


def read(path: str, kind: Kind, column: str | None, dmin_m: float) -> tuple[Indices, Amplitudes]:
    """Miller indices, shape (records, 3), and F, shape (records,), of P1 with Friedel mates.

    ``column`` names the amplitudes of a file of reflections, which are taken as they
    are; None if there is but one. Coordinates give structure factors in electrons per
    unit cell, to the spacing ``dmin_m`` inclusive. Equivalents that the file itself
    repeats are repeated here, in its order. Raises: InputFileError. Source: F2.8.
    """
    try:
        import gemmi  # noqa: F401 - only to see whether it is there
    except ImportError:
        raise InputFileError(
            f"{path}: is {kind.value}, which takes gemmi to read: pip install nanobrag-torch[crystallography]"
        ) from None
    with _gemmi_at_work(path, kind):
        if kind is Kind.MTZ:
            unique = _mtz(path, column)
        elif kind is Kind.MMCIF_REFLECTIONS:
            unique = _mmcif_reflections(path, column)
        else:
            unique = _calculated(path, kind, dmin_m)
    return _expanded(path, _listed(path, unique))


@contextmanager
def _gemmi_at_work(path: str, kind: Kind) -> Iterator[None]:
    """Turn what gemmi raises about a file into an InputFileError of one line.

    It may raise any of these wherever something is asked of a corrupt file.
    """
    try:
        yield
    except (RuntimeError, ValueError, TypeError, LookupError, OSError, MemoryError) as error:
        said = " ".join(reason(error).removesuffix(f": {path}").split())
        raise InputFileError(f"{path}: cannot be read as {kind.value}: {said}") from None


def _known(path: str, group: gemmi.SpaceGroup | None, name: str) -> gemmi.SpaceGroup:
    if group is None:
        raise InputFileError(f"{path}: expected a known space group, got {name!a}")
    return group


# reflections


def _mtz(path: str, column: str | None) -> Unique:
    import gemmi

    _check_mtz_size(path, gemmi.read_mtz_file(path, with_data=False))
    mtz = gemmi.read_mtz_file(path)
    columns = list(mtz.columns)
    if len(mtz.batches):
        raise InputFileError(
            f"{path}: expected merged reflections, got {len(mtz.batches)} batches of unmerged ones"
        )
    if [found.type for found in columns[:3]] != ["H"] * 3:
        raise InputFileError(f"{path}: expected three columns of type H first, got {_labelled(columns[:3])}")
    amplitudes = [found for found in columns if found.type == MTZ_AMPLITUDE]
    chosen = _choice(
        path,
        [(found.dataset.dataset_name, found.label) for found in amplitudes],
        column,
        f"of type {MTZ_AMPLITUDE}, got only {_labelled(columns[3:])}",
    )
    with np.errstate(invalid="ignore"):  # a signalling NaN is as missing as any other
        values = amplitudes[chosen].array.astype(np.float64)
        indices = mtz.array[:, :3].astype(np.float64)
    values[values == mtz.valm] = np.nan
    return Unique(_known(path, mtz.spacegroup, mtz.spacegroup_name), _whole(path, indices), values)


def _check_mtz_size(path: str, headers: gemmi.Mtz) -> None:
    """Refuse what the file cannot hold, before gemmi asks for the memory."""
    columns, records = len(headers.columns), headers.nreflections
    if columns == 0:
        raise InputFileError(f"{path}: is an MTZ file: expected headers with columns, got none")
    if columns * records * MTZ_NUMBER_BYTES > os.path.getsize(path):
        raise InputFileError(
            f"{path}: is an MTZ file: expected {records} records of {columns} columns, the file is shorter"
        )


def _labelled(columns: Sequence[gemmi.Mtz.Column]) -> str:
    return _names(f"{column.label} {column.type}" for column in columns)


def _whole(path: str, indices: npt.NDArray[np.float64]) -> Indices:
    """Indices of an MTZ file, where they are stored as reals."""
    good = (np.abs(indices) <= LARGEST_COUNT) & (indices == np.rint(indices))
    if not good.all():
        record = int(np.flatnonzero(~good.all(axis=1))[0])
        h, k, l = indices[record]
        raise InputFileError(f"{path}: expected integers for h k l, got {h:g} {k:g} {l:g}")
    return indices.astype(np.int32)


def _mmcif_reflections(path: str, column: str | None) -> Unique:
    import gemmi

    document = gemmi.cif.read_string(read_input(path))
    blocks = [block for block in gemmi.as_refln_blocks(document) if block.is_merged()]
    items = [(block, item) for block in blocks for item in AMPLITUDE_ITEMS if item in block.column_labels()]
    chosen = _choice(
        path,
        [(block.block.name, item) for block, item in items],
        column,
        f"{_names(AMPLITUDE_ITEMS[:4])} or the like,"
        f" got only {_names(label for block in blocks for label in block.column_labels())}",
    )
    block, item = items[chosen]
    indices = block.make_miller_array()
    values = block.make_float_array(item)
    texts = list(block.block.find_values(f"_refln.{item}"))
    for record in np.flatnonzero(np.isnan(values)):
        if texts[record].lower() not in MISSING:
            raise InputFileError(f"{path}: expected a number for {item}, got {texts[record]!a}")
    name = block.block.find_value("_symmetry.space_group_name_H-M")
    return Unique(_known(path, block.spacegroup, gemmi.cif.as_string(name or "")), indices, values)


def _names(names: Iterator[str] | Sequence[str]) -> str:
    return ", ".join(ascii(name) for name in names) or "none"


def _choice(path: str, columns: Sequence[tuple[str, str]], wanted: str | None, missing: str) -> int:
    """Position of the amplitudes to take among ``columns``, pairs of data set or block and label.

    A label that several sets have must be given as ``set/label``. Raises: InputFileError,
    with ``missing`` if there is no column, else with the columns to choose from.
    """
    if not columns:
        raise InputFileError(f"{path}: expected an amplitude column {missing}")
    labels = [label for _, label in columns]
    names = [label if labels.count(label) == 1 else f"{owner}/{label}" for owner, label in columns]
    if wanted is None and len(names) == 1:
        return 0
    if wanted is None:
        raise InputFileError(f"{path}: expected -hkl_column with one of the amplitudes {_names(names)}")
    if names.count(wanted) != 1:
        raise InputFileError(f"{path}: expected -hkl_column {_names(names)}, got {wanted!a}")
    return names.index(wanted)


# coordinates


def _calculated(path: str, kind: Kind, dmin_m: float) -> Unique:
    """Structure factors of a model, without F(000)."""
    import gemmi

    if dmin_m <= 0:
        raise InputFileError(
            f"{path}: is {kind.value}: expected -dmin, the resolution of its structure factors, got none"
        )
    # a spacing of exactly -dmin is within, whatever the conversions round
    dmin_A = dmin_m * 1e10 * (1 - 1e-12)
    style = gemmi.CoorFormat.Pdb if kind is Kind.PDB else gemmi.CoorFormat.Mmcif
    structure = gemmi.read_structure_string(read_input(path), format=style)
    _check_atoms(path, structure)
    group = _check_cell(path, structure)
    _check_samples(path, structure.cell, dmin_A)
    if not all(operator.given for operator in structure.ncs):
        structure.expand_ncs(gemmi.HowToNameCopiedChain.Dup)
    indices = gemmi.make_miller_array(structure.cell, group, dmin_A)
    if not len(indices):
        raise InputFileError(
            f"{path}: expected -dmin below the spacing of some reflection, got {dmin_A:g} Angstrom"
        )
    amplitudes = np.abs(_transform(structure, indices, dmin_A))
    if not np.isfinite(amplitudes).all():
        raise InputFileError(f"{path}: expected possible displacement factors (B), got structure factors nan")
    return Unique(group, indices, amplitudes)


def _check_atoms(path: str, structure: gemmi.Structure) -> None:
    """Refuse what gemmi would compute with in silence."""
    if len(structure) > 1:
        raise InputFileError(f"{path}: expected one model, got {len(structure)}")
    atoms = [place.atom for model in structure for place in model.all()]
    if not atoms:
        raise InputFileError(f"{path}: expected atoms, got none")
    for atom in atoms:
        numbers = (*atom.pos.tolist(), atom.occ, atom.b_iso)
        if not all(map(math.isfinite, numbers)):
            raise InputFileError(
                f"{path}: expected finite x y z, occupancy and B of atom {atom.serial} {atom.name!a},"
                f" got {' '.join(f'{number:g}' for number in numbers)}"
            )
        # gemmi takes the form factor of oxygen for an unknown element
        if atom.element.atomic_number == 0 or atom.element.it92 is None:
            raise InputFileError(
                f"{path}: expected an element with a form factor for atom {atom.serial} {atom.name!a},"
                f" got {atom.element.name!a}"
            )


def _check_cell(path: str, structure: gemmi.Structure) -> gemmi.SpaceGroup:
    """The space group of a model that has a cell to go with it."""
    cell = structure.cell
    shown = " ".join(f"{number:g}" for number in cell.parameters)
    # a cell of 1 1 1 stands for none, in the PDB and in gemmi
    real = cell.is_crystal() and cell.volume > 0 and min(cell.a, cell.b, cell.c) >= SHORTEST_EDGE_A
    if not real:
        raise InputFileError(f"{path}: expected a unit cell, got {shown}")
    group = _known(path, structure.find_spacegroup(), structure.spacegroup_hm)
    if not cell.is_compatible_with_spacegroup(group, CELL_TOLERANCE):
        raise InputFileError(f"{path}: expected a unit cell that fits {group.hm}, got {shown}")
    return group


def _sampled_A(cell: gemmi.UnitCell, dmin_A: float) -> float:
    """The spacing for which the density is sampled."""
    return min(dmin_A, min(cell.a, cell.b, cell.c) / SPACINGS_PER_EDGE)


def _check_samples(path: str, cell: gemmi.UnitCell, dmin_A: float) -> None:
    """Refuse a resolution that memory does not hold; there are fewer reflections than samples."""
    per_edge = SAMPLES_PER_SPACING / _sampled_A(cell, dmin_A)
    samples = math.prod(edge * per_edge for edge in (cell.a, cell.b, cell.c))
    if not samples <= MAX_TABLE_ENTRIES:
        raise InputFileError(
            f"{path}: expected -dmin to need at most {MAX_TABLE_ENTRIES} samples of the unit cell,"
            f" got {samples:.3g} for {dmin_A:g} Angstrom"
        )


def _transform(structure: gemmi.Structure, indices: Indices, dmin_A: float) -> npt.NDArray[np.complex128]:
    """F of the first model at ``indices``, electrons per unit cell, by way of its electron density.

    The atoms are blurred so that the samples resolve them, and the blur is divided out.
    """
    import gemmi

    density = gemmi.DensityCalculatorX()
    density.d_min = _sampled_A(structure.cell, dmin_A)
    density.rate = SAMPLES_PER_SPACING / 2
    density.cutoff = DENSITY_CUTOFF
    density.set_refmac_compatible_blur(structure[0])
    density.set_grid_cell_and_spacegroup(structure)
    density.put_model_density_on_grid(structure[0])
    transform = gemmi.transform_map_to_f_phi(density.grid, half_l=True)
    return transform.get_value_by_hkl(indices, unblur=density.blur).astype(np.complex128)


# symmetry


def _listed(path: str, unique: Unique) -> Unique:
    """Without missing amplitudes and systematic absences."""
    group, indices, amplitudes = unique
    infinite = np.flatnonzero(np.isinf(amplitudes))
    if len(infinite):
        h, k, l = indices[infinite[0]]
        raise InputFileError(
            f"{path}: expected finite amplitudes, got {amplitudes[infinite[0]]} for {h} {k} {l}"
        )
    kept = ~(np.isnan(amplitudes) | group.operations().systematic_absences(indices))
    if not kept.any():
        raise InputFileError(
            f"{path}: expected amplitudes of reflections that {group.hm} allows, got none in"
            f" {len(amplitudes)} records"
        )
    return Unique(group, indices[kept], amplitudes[kept])


def _expanded(path: str, unique: Unique) -> tuple[Indices, Amplitudes]:
    """Every record with all its equivalents, each once; record by record, these in order of h, k, l.

    An operation x' = R x + t makes h R of h; t changes the phase only.
    """
    import gemmi

    operations = unique.group.operations().sym_ops
    rotations = np.array([operation.rot for operation in operations], dtype=np.int64) // gemmi.Op.DEN
    laue = np.unique(np.concatenate([rotations, -rotations]), axis=0)
    mates = np.einsum("ni,mij->nmj", unique.indices.astype(np.int64), laue)
    lowest, highest = mates.min(axis=(0, 1)), mates.max(axis=(0, 1))
    (h0, k0, l0), (h1, k1, l1) = lowest.tolist(), highest.tolist()
    box = (h0, h1, k0, k1, l0, l1)
    check_box(path, box)
    shape = table_shape(box)
    places = np.ravel_multi_index(tuple(np.moveaxis(mates - lowest, 2, 0)), shape)
    places.sort(axis=1)
    first = np.ones(places.shape, dtype=np.bool_)
    first[:, 1:] = places[:, 1:] != places[:, :-1]
    records = np.nonzero(first)[0]
    indices = np.stack(np.unravel_index(places[first], shape), axis=1) + lowest
    return indices.astype(np.int32), unique.amplitudes[records]
