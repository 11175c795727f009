"""Structure factors computed from coordinates: PDB, mmCIF, and CIF of small molecules (F2.8)."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from nanobrag_torch.advice import note, warn
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.hkl import MAX_TABLE_ENTRIES, Indices
from nanobrag_torch.formats.input_file import NUMBER, shortened, shown, with_line_feeds
from nanobrag_torch.formats.recognise import Kind
from nanobrag_torch.formats.symmetry import Records, Symmetry, known
from nanobrag_torch.formats.unit_cell import CellConstants, given_cell, shown_cell

if TYPE_CHECKING:
    import gemmi

DENSITY_CUTOFF = 1e-7
"""Electron density, e/A^3, at which an atom ends: |F| is then within 0.01 % of the direct sum."""
SAMPLES_PER_SPACING = 3.0
SPACINGS_PER_EDGE = 4.0
"""The density is sampled for at least this many spacings along the shortest edge.

Coarser samples need atoms so blurred that they reach beyond two cells, where gemmi cuts them off.
"""
CELL_TOLERANCE = 0.01
LARGEST_B_A2 = 1e4
"""Such an atom scatters 0.2 % of itself at 20 Angstrom; the more, the longer its density takes to sample."""
LARGEST_PLACE_A = 1e6
"""A coordinate beyond this is a slip, and loses the digits that tell where in its cell an atom is."""
ROTATION_TOLERANCE = 0.01
"""Of the products of rows of a rotation, which a file gives with six decimals, some with three."""
PDB_FIELDS = (("x", 30, 38), ("y", 38, 46), ("z", 46, 54), ("the occupancy", 54, 60), ("B", 60, 66))
"""Columns of the numbers of ATOM and HETATM, which gemmi takes for 0, 1 or 20 where they are none."""
CELL_COLUMNS = slice(6, 54)
CRYST1_FIELDS = (
    ("a", 6, 15),
    ("b", 15, 24),
    ("c", 24, 33),
    ("alpha", 33, 40),
    ("beta", 40, 47),
    ("gamma", 47, 54),
)
POLYMER_ELEMENTS = frozenset("H D C N O S P SE".split())
"""What amino and nucleic acids are made of."""
LARGEST_OCCUPANCY = 1.005
"""1, as rounded sums of alternative conformations have it."""
ATOM_ITEMS = ("occupancy", "B_iso_or_equiv")
SITE_ITEMS = ("occupancy", "U_iso_or_equiv", "B_iso_or_equiv")
PREDICTED = re.compile(rb"^TITLE .*(?:ALPHAFOLD|ESMFOLD)|^_ma_qa_metric\.", re.MULTILINE | re.IGNORECASE)
"""Predicted models have a confidence (pLDDT) in the place of B."""
B_OF_U = 8 * math.pi**2
"""B = 8 pi^2 U."""


class Model(NamedTuple):
    """Atoms, in the cell of the file or, if ``cell`` is None, waiting for a box to be placed in."""

    path: str
    structure: gemmi.Structure
    cell: CellConstants | None


def read_model(path: str, content: bytes, kind: Kind) -> Model:
    """The one model of a file. Raises: InputFileError."""
    import gemmi

    if kind is Kind.PDB:
        content = with_line_feeds(content)
        _check_pdb(path, content)
        structure = gemmi.read_structure_string(content, format=gemmi.CoorFormat.Pdb)
    else:
        block = _only_block(path, content, kind)
        structure = _macromolecule(path, block) if kind is Kind.MMCIF_ATOMS else _small_molecule(path, block)
    _check_atoms(path, structure)
    _check_copies(path, structure)
    _warn_of_odd_atoms(path, structure)
    cell = given_cell(path, structure.cell)
    if cell is None and kind is Kind.CIF_ATOMS:
        raise InputFileError(
            f"{path}: is {kind.value}: expected its unit cell (_cell_length_a and so on), in which its"
            " coordinates are fractions, got none"
        )
    if cell is not None:
        _symmetry(path, structure)
    if PREDICTED.search(content):
        warn(f"{path}: is a predicted model: its confidences are taken for displacement factors (B)")
    return Model(path, structure, cell)


def _check_pdb(path: str, content: bytes) -> None:
    """Every atom has its numbers and an element, the cell stands once, and nothing after the end.

    gemmi would take what is missing for 0, skip a cell that is out of its columns, and stop at END.
    """
    cell = b""
    end = 0
    for number, line in enumerate(content.split(b"\n"), start=1):
        record = line[:6].upper().rstrip()
        if record in (b"ATOM", b"HETATM"):
            if end:
                raise InputFileError(
                    f"{path}:{number}: expected no atom after the END of line {end}: take END out if all"
                    " are one model"
                )
            _check_fields(path, number, line, PDB_FIELDS)
            _check_element(path, number, line)
        elif record == b"CRYST1":
            if cell and line[CELL_COLUMNS] != cell:
                raise InputFileError(f"{path}:{number}: expected one CRYST1 record, got another one")
            cell = line[CELL_COLUMNS]
            if cell.strip():
                _check_fields(path, number, line, CRYST1_FIELDS)
        elif record == b"END":
            end = end or number


def _check_fields(path: str, number: int, line: bytes, fields: tuple[tuple[str, int, int], ...]) -> None:
    for name, begin, end in fields:
        field = line[begin:end].strip()
        if not NUMBER.fullmatch(field):
            raise InputFileError(
                f"{path}:{number}: expected a number for {name} in columns {begin + 1} to {end}, got"
                f" {shown(field)}"
            )


def _check_element(path: str, number: int, line: bytes) -> None:
    """Without columns 77 and 78 a name in the wrong columns makes calcium of C alpha."""
    import gemmi

    name = line[12:16].decode("latin-1")
    if line[76:78].strip() or name[:1] == " " or len(name.strip()) == len(name):
        return
    kind = gemmi.find_tabulated_residue(line[17:20].decode("latin-1").strip())
    metal = name[:2].strip().upper() not in POLYMER_ELEMENTS and not name[0].isdigit()
    if metal and (kind.is_amino_acid() or kind.is_nucleic_acid()):
        raise InputFileError(
            f"{path}:{number}: expected the element in columns 77 and 78, or the name {shown(line[12:16])} in"
            f" its columns: in {shown(line[17:20].strip())} it would be taken for"
            f" {gemmi.Element(name[:2].strip()).name}"
        )


def _only_block(path: str, content: bytes, kind: Kind) -> gemmi.cif.Block:
    """The block with atoms."""
    import gemmi

    item = "_atom_site.Cartn_x" if kind is Kind.MMCIF_ATOMS else "_atom_site_fract_x"
    blocks = [block for block in gemmi.cif.read_string(content) if block.find_values(item)]
    if len(blocks) != 1:
        raise InputFileError(f"{path}: expected one block with {item}, got {len(blocks)}")
    return blocks[0]


def _check_numbers(path: str, block: gemmi.cif.Block, item: str, missing: tuple[str, ...]) -> None:
    """Every value of an item is a number or one of ``missing``."""
    import gemmi

    for text in block.find_values(item):
        if not math.isfinite(gemmi.cif.as_number(text)) and text not in missing:
            raise InputFileError(f"{path}: expected a number for {item}, got {shown(text.encode())}")


def _macromolecule(path: str, block: gemmi.cif.Block) -> gemmi.Structure:
    """A block of mmCIF. gemmi would take 1 and 20 for an occupancy and a B that are not there."""
    import gemmi

    for item in ATOM_ITEMS:
        if not block.find_values(f"_atom_site.{item}"):
            raise InputFileError(f"{path}: expected _atom_site.{item}, got none")
        _check_numbers(path, block, f"_atom_site.{item}", missing=())
    return gemmi.make_structure_from_block(block)


def size_A(model: Model) -> tuple[float, float, float]:  # noqa: N802 - Angstrom
    """How far the atoms reach along x, y and z, in Angstrom."""
    places = np.array([place.atom.pos.tolist() for place in model.structure[0].all()])
    x, y, z = np.ptp(places, axis=0).tolist()
    return x, y, z


def calculated(model: Model, kind: Kind, dmin_m: float, box: CellConstants) -> Records:
    """Structure factors of a model to the spacing ``dmin_m`` inclusive, without F(000).

    A model without a cell of its own is placed in ``box``, in P 1. Raises: InputFileError.
    """
    import gemmi

    path, structure = model.path, model.structure
    if dmin_m <= 0:
        raise InputFileError(
            f"{path}: is {kind.value}: expected -dmin, the resolution of its structure factors, got none"
        )
    # a spacing of exactly -dmin is within, whatever the conversions round
    dmin_A = dmin_m * 1e10 * (1 - 1e-12)
    if model.cell is None:
        _place_in_box(model, box)
    symmetry = _symmetry(path, structure)
    _check_samples(path, structure.cell, dmin_A)
    if not all(operator.given for operator in structure.ncs):
        structure.expand_ncs(gemmi.HowToNameCopiedChain.Dup)
    indices = gemmi.make_miller_array(structure.cell, structure.find_spacegroup(), dmin_A)
    if not len(indices):
        raise InputFileError(
            f"{path}: expected -dmin below the spacing of some reflection, got {dmin_A:g} Angstrom"
        )
    amplitudes = np.abs(_transform(structure, indices, dmin_A))
    group = structure.find_spacegroup()
    if group.number == 1:
        # gemmi lays no copies of a centred P 1 (A 1, I 1, F 1) into the density
        amplitudes *= len(symmetry.operations.cen_ops)
    if not np.isfinite(amplitudes).all():
        raise InputFileError(f"{path}: expected possible displacement factors (B), got structure factors nan")
    return Records(symmetry, indices, amplitudes)


def _check_atoms(path: str, structure: gemmi.Structure) -> None:
    """Refuse what gemmi would compute with in silence."""
    if len(structure) > 1:
        raise InputFileError(f"{path}: expected one model, got {len(structure)}: take one out of the file")
    atoms = [place.atom for model in structure for place in model.all()]
    if not atoms:
        raise InputFileError(f"{path}: expected atoms, got none")
    for atom in atoms:
        named = f"{atom.serial} {shown(atom.name.encode())}"
        numbers = (*atom.pos.tolist(), atom.occ, atom.b_iso)
        if not all(map(math.isfinite, numbers)):
            raise InputFileError(
                f"{path}: expected finite x y z, occupancy and B of atom {named},"
                f" got {' '.join(f'{number:g}' for number in numbers)}"
            )
        displacement = max(abs(atom.b_iso), *(B_OF_U * abs(u) for u in atom.aniso.elements_pdb()))
        if not displacement <= LARGEST_B_A2:
            raise InputFileError(
                f"{path}: expected a displacement factor (B) of at most {LARGEST_B_A2:g} for atom"
                f" {named}, got {displacement:g}"
            )
        if not max(map(abs, numbers[:3])) <= LARGEST_PLACE_A:
            raise InputFileError(
                f"{path}: expected atom {named} within {LARGEST_PLACE_A:g} Angstrom,"
                f" got {' '.join(f'{number:g}' for number in numbers[:3])}"
            )
        # gemmi takes the form factor of oxygen for an unknown element
        if atom.element.atomic_number == 0 or atom.element.it92 is None:
            raise InputFileError(
                f"{path}: expected an element with a form factor for atom {named},"
                f" got {shown(atom.element.name.encode())}"
            )


def _check_copies(path: str, structure: gemmi.Structure) -> None:
    """Refuse operators of strict non-crystallographic symmetry that move no molecule.

    A row that is missing is zeros to gemmi, and places far away take it gigabytes.
    """
    for operator in structure.ncs:
        rotation = np.array(operator.tr.mat.tolist())
        turns = bool((np.abs(rotation @ rotation.T - np.eye(3)) <= ROTATION_TOLERANCE).all())
        shift = max(map(abs, operator.tr.vec.tolist()))
        if not (turns and np.linalg.det(rotation) > 0 and shift <= LARGEST_PLACE_A):
            raise InputFileError(
                f"{path}: expected a rotation and a translation within {LARGEST_PLACE_A:g} Angstrom for"
                f" operator {shown(operator.id.encode())} of non-crystallographic symmetry, got"
                f" {' '.join(f'{number:g}' for number in (*rotation.flat, *operator.tr.vec.tolist()))}"
            )


def _warn_of_odd_atoms(path: str, structure: gemmi.Structure) -> None:
    """Numbers with which one can compute, and which no atom has."""
    atoms = [place.atom for place in structure[0].all()]
    occupancies = [atom for atom in atoms if not 0 <= atom.occ <= LARGEST_OCCUPANCY]
    displacements = [atom for atom in atoms if atom.b_iso < 0]
    for odd, name, expected, values in (
        (occupancies, "an occupancy", "0 to 1", [atom.occ for atom in occupancies]),
        (displacements, "a displacement factor (B)", "0 or more", [atom.b_iso for atom in displacements]),
    ):
        if odd:
            warn(
                f"{path}: atom {odd[0].serial} {odd[0].name!a} has {name} of {values[0]:g}, expected"
                f" {expected} ({len(odd)} atoms)"
            )


def _symmetry(path: str, structure: gemmi.Structure) -> Symmetry:
    """The space group of a model, which its cell fits."""
    group = structure.find_spacegroup()
    symmetry = known(path, group, structure.spacegroup_hm)
    if not structure.cell.is_compatible_with_spacegroup(group, CELL_TOLERANCE):
        cell = shown_cell(structure.cell.parameters)
        if structure.cell.explicit_matrices:
            raise InputFileError(
                f"{path}: expected SCALE1 to SCALE3 that fit the unit cell {cell} and {group.hm}, got others"
            )
        raise InputFileError(f"{path}: expected a unit cell that fits {group.hm}, got {cell}")
    return symmetry


def _place_in_box(model: Model, box: CellConstants) -> None:
    """Give a model without a cell one. It has no symmetry, whatever stands beside a dummy cell."""
    import gemmi

    structure = model.structure
    structure.cell = gemmi.UnitCell(*box)
    structure.spacegroup_hm = "P 1"
    structure.setup_cell_images()
    note(f"{model.path}: has no unit cell: the model stands in P 1 in the cell of the run, {shown_cell(box)}")
    positions = [place.atom.pos for place in structure[0].all()]
    fractions = np.array([structure.cell.fractionalize(position).tolist() for position in positions])
    reach = np.ptp(fractions, axis=0)
    if (reach > 1).any():
        sizes = " x ".join(f"{size:.0f}" for size in size_A(model))
        warn(
            f"{model.path}: the model of {sizes} Angstrom overlaps its copies in a cell of {shown_cell(box)}"
        )


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


# small molecules


def _small_molecule(path: str, block: gemmi.cif.Block) -> gemmi.Structure:
    """A block of the core dictionary as a model; dummy atoms are left out."""
    import gemmi

    for item in SITE_ITEMS:
        _check_numbers(path, block, f"_atom_site_{item}", missing=("?", "."))
    small = gemmi.make_small_structure_from_block(block)
    known(path, small.spacegroup, small.spacegroup_hm)
    disagreement = " ".join(small.check_spacegroup().split())
    if disagreement:
        warn(f"{path}: the symmetry operations count: {shortened(disagreement)}")
    small.change_occupancies_to_crystallographic()
    structure = gemmi.Structure()
    structure.cell = small.cell
    structure.spacegroup_hm = small.spacegroup.xhm()
    structure.setup_cell_images()
    residue = gemmi.Residue()
    dummies = _dummies(block)
    at_rest = 0
    for number, site in enumerate(small.sites, start=1):
        if site.label not in dummies:
            residue.add_atom(_atom(number, site, small.cell))
            at_rest += not (site.u_iso or site.aniso.nonzero())
    if at_rest:
        note(f"{path}: {at_rest} atoms have no displacement factor, they are taken at rest")
    chain = gemmi.Chain("A")
    chain.add_residue(residue)
    model = gemmi.Model(1)
    model.add_chain(chain)
    structure.add_model(model)
    return structure


def _dummies(block: gemmi.cif.Block) -> set[str]:
    """Labels of the sites that are not atoms but centres of something (_atom_site_calc_flag dum)."""
    return {row[0] for row in block.find("_atom_site_", ["label", "calc_flag"]) if row[1].lower() == "dum"}


def _atom(number: int, site: gemmi.SmallStructure.Site, cell: gemmi.UnitCell) -> gemmi.Atom:
    """A site with its displacement along the axes of the PDB, where U is that of the cell: A N U N A^T."""
    import gemmi

    atom = gemmi.Atom()
    atom.serial = number
    atom.name = site.label
    atom.element = site.element
    atom.pos = cell.orthogonalize(site.fract)
    atom.occ = site.occ
    atom.b_iso = B_OF_U * site.u_iso
    if site.aniso.nonzero():
        reciprocal = cell.reciprocal()
        turned = np.array(cell.orth.mat.tolist()) * (reciprocal.a, reciprocal.b, reciprocal.c)
        u = turned @ np.array(site.aniso.as_mat33().tolist()) @ turned.T
        atom.aniso = gemmi.SMat33f(u[0, 0], u[1, 1], u[2, 2], u[0, 1], u[0, 2], u[1, 2])
    return atom
