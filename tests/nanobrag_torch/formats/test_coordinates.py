"""Small molecules, and models without a cell of their own (F2.8)."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import gemmi
import numpy as np
import pytest

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.crystallographic import CrystallographicFile
from nanobrag_torch.formats.input_file import read_input
from nanobrag_torch.formats.recognise import Kind, kind_of

BOX = (60.0, 70.0, 80.0, 90.0, 90.0, 90.0)
Listed = dict[tuple[int, int, int], float]
CELL = "_cell_length_a 7.511(2)\n_cell_length_b 8.124(3)\n_cell_length_c 9.05\n"
ANGLES = "_cell_angle_alpha 90\n_cell_angle_beta 101.23(3)\n_cell_angle_gamma 90\n"
OPERATIONS = (
    "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n'-x, y+1/2, -z+1/2'\n'-x,-y,-z'\n'x,-y+1/2,z+1/2'\n"
)
SITES = """loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
_atom_site_occupancy
_atom_site_calc_flag
"""
ATOMS = """C1 C 0.1012(2) 0.2034(3) 0.3151(2) 0.031(1) 1 d
O1 O2- 0.3312(2) 0.2534(2) 0.3551(3) 0.042(1) 0.5 d
Na1 Na+ 0 0 0 0.025 1 d
D1 D 0.21 0.71 0.13 0.05 1 calc
"""
ANISOTROPIC = """loop_
_atom_site_aniso_label
_atom_site_aniso_U_11
_atom_site_aniso_U_22
_atom_site_aniso_U_33
_atom_site_aniso_U_23
_atom_site_aniso_U_13
_atom_site_aniso_U_12
C1 0.02(1) 0.03 0.05 0.004 0.006 -0.003
"""
SMALL = f"data_x\n{CELL}{ANGLES}{OPERATIONS}{SITES}{ATOMS}{ANISOTROPIC}"
ATOM = "HETATM    1  C   LIG A   1       1.000   2.000   3.000  1.00 10.00           C\n"
FAR = "HETATM    2  O   LIG A   1      21.000  32.000  43.000  1.00 10.00           O\n"


def opened(path: Path, content: str) -> CrystallographicFile:
    """A file with a content."""
    path.write_text(content)
    data = read_input(str(path))
    kind = kind_of(str(path), data)
    assert kind is not None
    return CrystallographicFile(str(path), data, kind, None)


def contents(path: Path, content: str, dmin_A: float) -> Listed:
    """The P1 list of a file, which must not hold any index twice."""
    indices, amplitudes = opened(path, content).listed(dmin_A * 1e-10, BOX)
    found = {(h, k, l): F for (h, k, l), F in zip(indices.tolist(), amplitudes.tolist(), strict=True)}
    assert len(found) == len(amplitudes)
    return found


def summed(content: str, found: Listed) -> np.ndarray:
    """|F| by gemmi's sum over atoms and operations, which shares no step with the sampled density."""
    small = gemmi.make_small_structure_from_block(gemmi.cif.read_string(content)[0])
    small.change_occupancies_to_crystallographic()
    calculator = gemmi.StructureFactorCalculatorX(small.cell)
    return np.abs([calculator.calculate_sf_from_small_structure(small, index) for index in found])


def test_a_small_molecule_agrees_with_the_sum_over_its_atoms(
    tmp_path: Path, advice: Callable[[], str]
) -> None:
    """Uncertainties, ions, deuterium, a special position, half an atom, anisotropic displacement, P 21/c."""
    found = contents(tmp_path / "x.cif", SMALL, 0.9)
    expected = summed(SMALL, found)
    assert np.abs(np.array(list(found.values())) - expected).sum() / expected.sum() < 1e-3
    assert len(found) > 1000 and (0, 1, 0) not in found and (1, 0, 1) not in found
    assert not advice()


def test_one_atom_of_a_small_molecule_is_absolute(tmp_path: Path) -> None:
    """8 pi^2 U is B: one carbon in P 1 has the amplitude of its form factor (International Tables C)."""
    sites = f"{SITES}C1 C 0.2 0.3 0.4 0.04 1 d\n"
    found = contents(
        tmp_path / "x", f"data_x\n{CELL}{ANGLES}_space_group_symop_operation_xyz x,y,z\n{sites}", 1.5
    )
    # s^2 = (sin theta / lambda)^2 of 0 1 0 is 1 / (4 b^2)
    s2 = 1 / (4 * 8.124**2)
    terms = ((2.3100, 20.8439), (1.0200, 10.2075), (1.5886, 0.5687), (0.8650, 51.6512))
    expected = (sum(a * math.exp(-b * s2) for a, b in terms) + 0.2156) * math.exp(-8 * math.pi**2 * 0.04 * s2)
    assert found[0, 1, 0] == pytest.approx(expected, rel=1e-3)


def test_the_cell_of_a_small_molecule(tmp_path: Path) -> None:
    """Without the uncertainties in brackets, with the line ends of any machine and a mark at the front."""
    for content in (SMALL, SMALL.replace("\n", "\r\n"), SMALL.replace("\n", "\r"), "\ufeff" + SMALL):
        path = tmp_path / "x"
        path.write_bytes(content.encode())
        data = read_input(str(path))
        assert kind_of("x", data) is Kind.CIF_ATOMS
        file = CrystallographicFile("x", data, Kind.CIF_ATOMS, None)
        assert file.cell == (7.511, 8.124, 9.05, 90, 101.23, 90)


def test_dummy_atoms_are_left_out_and_atoms_at_rest_are_said(
    tmp_path: Path, advice: Callable[[], str]
) -> None:
    """The centre of a ring is no atom; U of ? is 0, and the user is told."""
    dummy = "Cnt C 0.5 0.5 0.5 . 1 dum\n"
    plain = contents(tmp_path / "x", SMALL, 2.0)
    assert contents(tmp_path / "x", SMALL.replace("D1 D", f"{dummy}D1 D"), 2.0) == plain
    assert not advice()
    contents(tmp_path / "x", SMALL.replace("0.042(1)", "?"), 2.0)
    assert advice() == f"{tmp_path / 'x'}: 1 atoms have no displacement factor, they are taken at rest"


def test_operations_against_a_name_are_a_warning(tmp_path: Path, advice: Callable[[], str]) -> None:
    """The operations count."""
    named = SMALL.replace("data_x\n", "data_x\n_symmetry_space_group_name_H-M 'P 1 21/n 1'\n")
    assert contents(tmp_path / "x", named, 2.0) == contents(tmp_path / "x", SMALL, 2.0)
    assert f"{tmp_path / 'x'}: the symmetry operations count: " in advice()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (SMALL.replace(OPERATIONS, ""), "expected a known space group, got ''$"),
        (SMALL.replace("D1 D ", "D1 Q "), "expected an element with a form factor for atom 4 'D1', got 'X'$"),
        (SMALL.replace("0.21", "?"), "expected finite x y z, occupancy and B of atom 4 'D1', got nan"),
        (SMALL + SMALL.replace("data_x", "data_y"), "expected one block with _atom_site_fract_x, got 2$"),
        (SMALL.replace("0.042(1)", "0.04x"), "expected a number for _atom_site_U_iso_or_equiv, got '0.04x'$"),
        (SMALL.replace("0.05 0.004", "1e9 0.004"), "expected a displacement factor .* for atom 1 'C1', got"),
        (SMALL.replace("7.511(2)", "-7"), "expected a unit cell, got -7 "),
    ],
)
def test_bad_small_molecules(content: str, message: str, tmp_path: Path) -> None:
    """One line with what was expected."""
    with pytest.raises(InputFileError, match=message):
        opened(tmp_path / "x", content)


# copies of strict non-crystallographic symmetry

COPY = """CRYST1   30.000   30.000   30.000  90.00  90.00  90.00 P 1           1
MTRIX1   2 -1.000000  0.000000  0.000000       30.00000
MTRIX2   2  0.000000 -1.000000  0.000000       30.00000
MTRIX3   2  0.000000  0.000000  1.000000       12.00000
"""


def test_a_copy_is_placed_by_its_operator(tmp_path: Path) -> None:
    """A twofold axis through 15 15 z with a shift of 12 along z: as if the file held both atoms."""
    both = COPY.partition("\n")[0] + "\n" + ATOM
    both += "HETATM    2  C   LIG A   2      29.000  28.000  15.000  1.00 10.00           C\n"
    expected, found = contents(tmp_path / "x", both, 6.0), contents(tmp_path / "x", COPY + ATOM, 6.0)
    assert found.keys() == expected.keys()
    assert all(found[index] == pytest.approx(F, rel=1e-4, abs=1e-3) for index, F in expected.items())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("MTRIX2   2  0.000000 -1.000000  0.000000       30.00000\n", ""),
        ("-1.000000  0.000000  0.000000 ", " 1.000000  0.000000  0.000000 "),
        ("      12.00000", "  4294967296.0"),
    ],
)
def test_a_copy_that_no_rotation_makes_is_refused(old: str, new: str, tmp_path: Path) -> None:
    """A missing row, a mirror, and a place that takes gigabytes (F2.8)."""
    assert old in COPY
    with pytest.raises(InputFileError, match="for operator '2' of non-crystallographic symmetry, got "):
        opened(tmp_path / "x", COPY.replace(old, new, 1) + ATOM)


# models without a cell

DUMMIES = {
    "none": "",
    "unity": "CRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 1           1\n",
    "unity with a group": "CRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 21 21 21    4\n",
    "zero": "CRYST1    0.000    0.000    0.000  90.00  90.00  90.00 P 1           1\n",
    "zero angles": "CRYST1    0.000    0.000    0.000   0.00   0.00   0.00 P 1           1\n",
}


@pytest.mark.parametrize("dummy", DUMMIES)
def test_a_model_without_a_cell_stands_in_that_of_the_run(
    dummy: str, tmp_path: Path, advice: Callable[[], str]
) -> None:
    """In P 1, which is what a file with that cell gives; and the user is told."""
    path = tmp_path / "x"
    assert opened(path, DUMMIES[dummy] + ATOM + FAR).cell is None
    found = contents(path, DUMMIES[dummy] + ATOM + FAR, 8.0)
    said = f"{path}: has no unit cell: the model stands in P 1 in the cell of the run, 60 70 80 90 90 90"
    assert advice().splitlines() == [said]
    cell = "CRYST1   60.000   70.000   80.000  90.00  90.00  90.00 P 1           1\n"
    assert found == contents(path, cell + ATOM + FAR, 8.0)


def test_an_mmcif_model_without_a_cell(tmp_path: Path) -> None:
    """No items of _cell, or question marks in them."""
    names = "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id"
    names += " auth_asym_id auth_seq_id Cartn_x Cartn_y Cartn_z occupancy B_iso_or_equiv"
    items = "loop_\n" + "".join(f"_atom_site.{name}\n" for name in names.split())
    items += "HETATM 1 C C . LIG A 1 A 1 1 2 3 1 10\n"
    marks = "".join(f"_cell.length_{axis} ?\n" for axis in "abc")
    for cell in ("", marks):
        assert opened(tmp_path / "x", f"data_x\n{cell}{items}").cell is None


def test_a_predicted_model_is_a_warning(tmp_path: Path, advice: Callable[[], str]) -> None:
    """Its B column holds a confidence of 0 to 100, the better the higher."""
    path = tmp_path / "x"
    opened(path, f"TITLE     ALPHAFOLD MONOMER V2.0 PREDICTION FOR P12345\n{ATOM}")
    assert advice() == f"{path}: is a predicted model: its confidences are taken for displacement factors (B)"


@pytest.mark.parametrize(
    ("items", "row", "message"),
    [
        ("occupancy B_iso_or_equiv", "1 ?", "expected a number for _atom_site.B_iso_or_equiv, got '[?]'$"),
        ("occupancy B_iso_or_equiv", ". 10", "expected a number for _atom_site.occupancy, got '.'$"),
        ("occupancy", "1", "expected _atom_site.B_iso_or_equiv, got none$"),
        ("B_iso_or_equiv", "1", "expected _atom_site.occupancy, got none$"),
    ],
)
def test_an_mmcif_model_says_its_occupancies_and_displacements(
    items: str, row: str, message: str, tmp_path: Path
) -> None:
    """No default is taken for them in silence."""
    loop = "".join(
        f"_atom_site.{name}\n" for name in f"id type_symbol Cartn_x Cartn_y Cartn_z {items}".split()
    )
    with pytest.raises(InputFileError, match=message):
        opened(tmp_path / "x", f"data_x\nloop_\n{loop}1 C 1 2 3 {row}\n")


def test_a_model_larger_than_its_box_is_a_warning(tmp_path: Path, advice: Callable[[], str]) -> None:
    """It overlaps its copies; with its size, which the error without any cell also gives."""
    file = opened(tmp_path / "x", ATOM + FAR)
    assert "larger than its 20 x 30 x 40 Angstrom" in str(file.lacks_cell())
    file.listed(8e-10, (60, 29, 80, 90, 90, 90))
    assert "the model of 20 x 30 x 40 Angstrom overlaps its copies in a cell of 60 29 80" in advice()


def test_a_cell_that_is_neither_dummy_nor_possible_is_an_error(tmp_path: Path) -> None:
    """It does not give way in silence."""
    for cell in ("30.000   40.000    0.000  90.00", "30.000   40.000   50.000 200.00"):
        content = f"CRYST1   {cell}  90.00  90.00 P 1           1\n{ATOM}"
        with pytest.raises(InputFileError, match="expected a unit cell, got 30 40 "):
            opened(tmp_path / "x", content)
