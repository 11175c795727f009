"""Files of crystallographers that contradict themselves, or hold more than one thing (F2.8)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gemmi
import numpy as np
import pytest

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.crystallographic import CrystallographicFile
from nanobrag_torch.formats.input_file import read_input
from nanobrag_torch.formats.recognise import kind_of

BOX = (50.0, 60.0, 70.0, 90.0, 90.0, 90.0)
Listed = dict[tuple[int, int, int], float]
ROWS = [(1, 2, 3, 10.0, 20.0), (2, 1, 4, 30.0, 40.0)]
NAMED = "_symmetry.space_group_name_H-M"
CELL = "".join(
    f"_cell.{name} {value}\n"
    for name, value in zip(
        ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"), BOX, strict=True
    )
)
CRYST1 = "CRYST1   50.000   60.000   70.000  90.00  90.00  90.00 P 21 21 21    4\n"
ATOM = "ATOM      1  CA  ALA A   1       1.000   2.000   3.000  1.00 10.00           C\n"
OTHER = "ATOM      2  O   ALA A   1       4.000   2.500   9.000  1.00 20.00           O\n"


def listed(path: Path, content: bytes | str, column: str | None = None, dmin_m: float = 0.0) -> Listed:
    """The list in P1 of a file with a content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    data = read_input(str(path))
    kind = kind_of(str(path), data)
    assert kind is not None
    indices, amplitudes = CrystallographicFile(str(path), data, kind, column).listed(dmin_m, BOX)
    return {(h, k, l): F for (h, k, l), F in zip(indices.tolist(), amplitudes.tolist(), strict=True)}


def mtz(path: Path, columns: str, cell: tuple[float, ...] = BOX, group: str = "P 21 21 21") -> bytes:
    """An MTZ file of two reflections; ``columns`` are label:type."""
    made = gemmi.Mtz(with_base=True)
    made.spacegroup = gemmi.SpaceGroup(group)
    made.set_cell_for_all(gemmi.UnitCell(*cell))
    made.add_dataset("native")
    names = [column.split(":") for column in columns.split()]
    for label, kind in names:
        made.add_column(label, kind)
    made.set_data(np.array([row[: 3 + len(names)] for row in ROWS], dtype=np.float32))
    made.write_to_file(str(path))
    return path.read_bytes()


def reflections(head: str, rows: str, items: str = "index_h index_k index_l F_meas_au") -> str:
    """An mmCIF file of reflections."""
    return f"data_x\n{CELL}{head}\nloop_\n" + "".join(f"_refln.{item}\n" for item in items.split()) + rows


@pytest.mark.parametrize(
    ("group", "cell", "fits"),
    [
        ("P 21 21 21", BOX, True),
        ("P 43 21 2", BOX, False),
        ("P 43 21 2", (60.0, 60.5, 70.0, 90.0, 90.4, 90.0), True),
        ("P 43 21 2", (60.0, 60.7, 70.0, 90.0, 90.0, 90.0), False),
        ("P 1 21/n 1", (50.0, 60.0, 70.0, 90.0, 95.0, 90.0), True),
        ("P 1 21/n 1", (50.0, 60.0, 70.0, 92.0, 95.0, 90.0), False),
        ("R 3 :H", (60.0, 60.0, 70.0, 90.0, 90.0, 120.0), True),
        ("P 61", (60.0, 60.0, 70.0, 90.0, 90.0, 90.0), False),
        ("I 2 3", (80.0, 80.0, 80.0, 90.0, 90.0, 90.0), True),
        ("I 2 3", (80.0, 80.0, 82.0, 90.0, 90.0, 90.0), False),
    ],
)
def test_the_symmetry_fits_the_lattice(
    group: str, cell: tuple[float, ...], fits: bool, tmp_path: Path, advice: Callable[[], str]
) -> None:
    """Within 1 % and 1 degree; a wrong group merges what is not equivalent (F2.8, item 8)."""
    path = tmp_path / "x.mtz"
    listed(path, mtz(path, "F:F", cell, group))
    expected = (
        f"{path}: the operations of {gemmi.SpaceGroup(group).hm}, by which the reflections are expanded"
    )
    assert advice().startswith(expected) == (not fits)


def test_unmerged_reflections_are_refused(tmp_path: Path) -> None:
    """A column of batches without the headers of batches, and CIF with nothing else (F2.8)."""
    path = tmp_path / "x.mtz"
    with pytest.raises(InputFileError, match=r"expected merged reflections, got a column of batches"):
        listed(path, mtz(path, "F:F BATCH:B"))
    unmerged = "data_x\nloop_\n_diffrn_refln.index_h\n_diffrn_refln.intensity_net\n1 5\n"
    with pytest.raises(
        InputFileError, match=r"is a CIF file of unmerged reflections .*: expected amplitudes"
    ):
        listed(tmp_path / "x.cif", unmerged)


def test_pairs_of_another_type_are_pairs(tmp_path: Path, advice: Callable[[], str]) -> None:
    """F(+) and F(-) of type F are those of type G (F2.8, item 2)."""
    path = tmp_path / "x.mtz"
    expected = listed(path, mtz(path, "F(+):G F(-):G"))
    assert expected[1, 2, 3] == 10 and expected[-1, -2, -3] == 20
    assert listed(path, mtz(path, "F(+):F F(-):F")) == expected
    assert not advice()


@pytest.mark.parametrize("item", ["_symmetry.space_group_name_H-M", "_space_group.name_H-M_alt"])
def test_both_names_of_the_space_group_are_read(item: str, tmp_path: Path) -> None:
    """The list is that of P 21 21 21 (F2.10)."""
    found = listed(tmp_path / "x.cif", reflections(f"{item} 'P 21 21 21'", "1 2 3 10\n"))
    assert found == {(s, 2 * t, 3 * u): 10.0 for s in (1, -1) for t in (1, -1) for u in (1, -1)}


@pytest.mark.parametrize("item", ["_symmetry.Int_Tables_number", "_space_group.IT_number"])
def test_a_number_is_no_space_group(item: str, tmp_path: Path) -> None:
    """It leaves the setting open (F2.10)."""
    with pytest.raises(
        InputFileError, match=r"expected a known space group, got none \(P 1 has to be said\)$"
    ):
        listed(tmp_path / "x.cif", reflections(f"{item} 19", "1 2 3 10\n"))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("1 1 2 3 10\n2 1 2 3 11\n", True),
        ("1 1 2 3 10\n2 2 2 3 11\n", False),
        ("1 1 2 3 10\n2 1 2 3 ?\n", False),
        ("1 1 2 3 10\n1 1 2 3 11\n", False),
    ],
)
@pytest.mark.parametrize("item", ["crystal_id", "wavelength_id", "scale_group_code"])
def test_several_data_sets_in_one_loop(
    item: str, rows: str, said: bool, tmp_path: Path, advice: Callable[[], str]
) -> None:
    """One of them would overwrite the other (F2.10)."""
    items = f"{item} index_h index_k index_l F_meas_au"
    listed(tmp_path / "x.cif", reflections(f"{NAMED} 'P 1'", rows, items))
    assert (f"the same reflections are listed for {item} 1, 2, and the last" in advice()) == said


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("CRYST1 50.0 60.0 70.0 90 90 90 P 1\n" + ATOM, r":1: expected a number for a in columns 7 to 15"),
        (CRYST1.replace("  90", " x90", 1) + ATOM, r":1: expected a number for alpha .*, got 'x90.00'"),
        (CRYST1 + CRYST1.replace("50.0", "55.0") + ATOM, r":2: expected one CRYST1 record, got another"),
        (CRYST1 + ATOM + "END\n" + OTHER, r":4: expected no atom after the END of line 3"),
        (CRYST1 + ATOM[:12] + "CA " + ATOM[15:66] + "\n", r":2: expected the element in columns 77 and 78"),
        (
            CRYST1 + "SCALE1      0.018000  0.000000  0.000000        0.00000\n"
            "SCALE2      0.000000  0.016667  0.000000        0.00000\n"
            "SCALE3      0.000000  0.000000  0.014286        0.00000\n" + ATOM,
            r": expected SCALE1 to SCALE3 that fit the unit cell 50 60 70 90 90 90 and P 21 21 21, got",
        ),
    ],
)
def test_pdb_files_that_would_be_misread(content: str, error: str, tmp_path: Path) -> None:
    """A cell out of its columns, a second one, atoms after END, calcium for C alpha, SCALE (F2.8)."""
    with pytest.raises(InputFileError, match=error):
        listed(tmp_path / "x.pdb", content, dmin_m=8e-10)


@pytest.mark.parametrize(
    "content",
    [
        (CRYST1 + ATOM + OTHER).replace("\n", "\r"),
        CRYST1 + CRYST1 + ATOM + OTHER + "END\nEND\n",
        CRYST1 + ATOM[:66] + "\n" + OTHER[:66] + "\n",
        CRYST1 + ATOM + OTHER + "END\nTER\n",
    ],
)
def test_pdb_files_that_say_the_same(content: str, tmp_path: Path) -> None:
    """Line ends of Macintosh, a cell twice, elements from names in their columns (F2.8)."""
    assert listed(tmp_path / "x.pdb", content, dmin_m=8e-10) == listed(
        tmp_path / "y.pdb", CRYST1 + ATOM + OTHER, dmin_m=8e-10
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  1.00 10.00", "  1.00 -9.00", "has a displacement factor (B) of -9, expected 0 or more (1 atoms)"),
        ("  1.00 10.00", " 10.00 10.00", "has an occupancy of 10, expected 0 to 1 (1 atoms)"),
        ("  1.00 10.00", " -0.50 10.00", "has an occupancy of -0.5, expected 0 to 1 (1 atoms)"),
        ("  1.00 10.00", "  0.00  0.00", ""),
    ],
)
def test_atoms_that_no_crystal_has(
    old: str, new: str, said: str, tmp_path: Path, advice: Callable[[], str]
) -> None:
    """Said once, with the first atom (F2.8, item 6)."""
    path = tmp_path / "x.pdb"
    listed(path, CRYST1 + ATOM.replace(old, new) + OTHER, dmin_m=8e-10)
    assert advice() == (f"{path}: atom 1 'CA' {said}" if said else "")


@pytest.mark.parametrize("group", ["A 1", "I 1", "F 1"])
def test_centred_groups_without_rotations(group: str, tmp_path: Path) -> None:
    """The sum over the atoms and the copies of the centring, which the density leaves out (F2.8, item 6)."""
    path = tmp_path / "x.pdb"
    found = listed(path, CRYST1.replace("P 21 21 21    4", group) + ATOM + OTHER, dmin_m=8e-10)
    structure = gemmi.read_pdb(str(path))
    calculator = gemmi.StructureFactorCalculatorX(structure.cell)
    direct = [abs(calculator.calculate_sf_from_model(structure[0], list(index))) for index in found]
    assert list(found.values()) == pytest.approx(direct, rel=1e-3)


def test_a_small_molecule_needs_a_cell_of_its_own(tmp_path: Path) -> None:
    """Its coordinates are fractions of one (F2.8, item 8)."""
    items = "".join(f"_atom_site_{item}\n" for item in ("label", "fract_x", "fract_y", "fract_z"))
    sites = f"data_x\n_symmetry_space_group_name_H-M 'P 1'\nloop_\n{items}"
    with pytest.raises(InputFileError, match=r"expected its unit cell \(_cell_length_a and so on\)"):
        listed(tmp_path / "x.cif", sites + "C1 0.1 0.2 0.3\n", dmin_m=8e-10)
