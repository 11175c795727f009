"""MTZ, mmCIF and PDB files as structure factors: columns, symmetry, calculation, errors (F2.8)."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import gemmi
import numpy as np
import numpy.typing as npt
import pytest

from nanobrag_torch.__main__ import main
from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.crystallographic import CrystallographicFile
from nanobrag_torch.formats.input_file import read_input
from nanobrag_torch.formats.recognise import Kind, kind_of
from nanobrag_torch.setup.structure_factors import factor_file

ROOT = Path(__file__).resolve().parents[3]
CRO = ROOT / "golden_suite_generator" / "experiments" / "cro" / "1orc.pdb"
Index = tuple[int, int, int]
Listed = dict[Index, float]
Operations = Callable[[int, int, int], list[Index]]

HKL = "loop_\n_refln.index_h\n_refln.index_k\n_refln.index_l\n"
CELL_ITEMS = "".join(
    f"_cell.{item} {value}\n"
    for item, value in (
        ("length_a", 30),
        ("length_b", 40),
        ("length_c", 50),
        ("angle_alpha", 90),
        ("angle_beta", 90),
        ("angle_gamma", 90),
    )
)
GROUP_ITEM = "_symmetry.space_group_name_H-M 'P 21 21 21'\n"
ATOM_ITEMS = (
    "loop_\n_atom_site.group_PDB\n_atom_site.id\n_atom_site.type_symbol\n_atom_site.label_atom_id\n"
    "_atom_site.label_alt_id\n"
    "_atom_site.label_comp_id\n_atom_site.label_asym_id\n_atom_site.label_seq_id\n_atom_site.auth_asym_id\n"
    "_atom_site.auth_seq_id\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n"
    "_atom_site.occupancy\n_atom_site.B_iso_or_equiv\n"
)


def mtz(
    path: Path,
    rows: Iterable[Iterable[float]],
    group: str = "P 21 21 21",
    columns: Iterable[tuple[str, str]] = (("FP", "F"),),
    first: Iterable[tuple[str, str]] = (),
) -> str:
    """Write an MTZ file; rows are h k l and one number for each column."""
    made = gemmi.Mtz(with_base=not first)
    made.spacegroup = gemmi.SpaceGroup(group)
    made.set_cell_for_all(gemmi.UnitCell(30, 40, 50, 90, 90, 90))
    made.add_dataset("native")
    for label, kind in (*first, *columns):
        made.add_column(label, kind)
    made.set_data(np.array(list(map(list, rows)), dtype=np.float32))
    made.write_to_file(str(path))
    return str(path)


def text(path: Path, content: str | bytes) -> str:
    """Write a file as it is."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def crystal(cell: str, group: str) -> str:
    """The CRYST1 record of six numbers and a symbol."""
    a, b, c, alpha, beta, gamma = map(float, cell.split())
    return f"CRYST1{a:9.3f}{b:9.3f}{c:9.3f}{alpha:7.2f}{beta:7.2f}{gamma:7.2f} {group:11}\n"


def atom(element: str, x: float, y: float, z: float, occupancy: float = 1.0, b: float = 10.0) -> str:
    """One HETATM record."""
    place = f"{x:8.3f}{y:8.3f}{z:8.3f}{occupancy:6.2f}{b:6.2f}"
    return f"HETATM    1 {element:>2}   LIG A   1    {place}          {element:>2}\n"


BOX = (30.0, 40.0, 50.0, 90.0, 90.0, 90.0)


def opened(path: str, column: str | None = None) -> CrystallographicFile:
    """A file, by its content."""
    content = read_input(path)
    kind = kind_of(path, content)
    assert kind is not None
    return CrystallographicFile(path, content, kind, column)


def contents(path: str, column: str | None = None, dmin_A: float = 0.0, once: bool = True) -> Listed:
    """The P1 list of a file, which must not hold any index twice."""
    indices, amplitudes = opened(path, column).listed(dmin_A * 1e-10, BOX)
    assert indices.dtype == np.int32 and amplitudes.dtype == np.float64
    assert indices.shape == (len(amplitudes), 3)
    found = {(h, k, l): F for (h, k, l), F in zip(indices.tolist(), amplitudes.tolist(), strict=True)}
    assert len(found) == len(amplitudes) or not once
    return found


# which kind of file


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"MTZ \0\0", Kind.MTZ),
        (b"data_r1orcsf\n#\n_refln.index_h 1\n", Kind.MMCIF_REFLECTIONS),
        (b"\xef\xbb\xbf# licence\n\nDATA_X loop_ _refln.index_h 1\n", Kind.MMCIF_REFLECTIONS),
        (b"data_1ORC\nloop_\n_atom_site.id\n1\n", Kind.MMCIF_ATOMS),
        (b"data_both\n_atom_site.id 1\n_refln.index_h 1\n", Kind.MMCIF_REFLECTIONS),
        (b"data_small\n_atom_site_fract_x 0.1\n_reflns.number_all 3\n", Kind.CIF_ATOMS),
        (b"data_list6\r\n_refln_index_h 1\r\n", Kind.CIF_REFLECTIONS),
        (b"data_x\n_iucr_refine_fcf_details\n;\n_refln_index_h\n;\n_atom_site_fract_x 1\n", Kind.CIF_ATOMS),
        (b"HEADER    GENE REGULATION\n", Kind.PDB),
        (b"CRYST1   34.770\r\n", Kind.PDB),
        (b"ATOM      1  N   GLN A   3\n", Kind.PDB),
        (b"\nHETATM    1\n", Kind.PDB),
        (b"made by hand\n" + atom("C", 1, 2, 3).encode(), Kind.PDB),
        (b"CRYST1   34.770\rATOM\r", Kind.PDB),
        (b"ATOMIC 1\n", None),
        (b" ATOM 1\n", None),
        (b"1 2 3 4\n", None),
        (b"# MTZ data_ CRYST1\n1 2 3 4\n", None),
        (b"", None),
        (b"\n" * 100_000, None),
    ],
)
@pytest.mark.parametrize("name", ["x.mtz", "x.hkl"])
def test_content_decides_what_a_file_is(name: str, content: bytes, kind: Kind | None, tmp_path: Path) -> None:
    """The name says nothing."""
    assert kind_of(name, read_input(text(tmp_path / name, content))) is kind


def test_a_text_list_needs_no_gemmi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its name: the list is read as if these files did not exist."""
    monkeypatch.setitem(sys.modules, "gemmi", None)
    path = text(tmp_path / "list.mtz", "# data_\n1 2 3 4.5\n")
    found = factor_file(parse(["-hkl", path])[0])
    assert found is not None
    indices, amplitudes = found.listed(0.0, BOX)
    assert indices.tolist() == [[1, 2, 3]] and amplitudes.tolist() == [4.5]


@pytest.mark.parametrize(
    "content", [b"MTZ ", b"data_x\n_refln.a 1\n", b"data_x\n_atom_site.a 1\n", b"ATOM\n"]
)
def test_without_gemmi_the_error_says_what_to_install(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, status 9."""
    monkeypatch.setitem(sys.modules, "gemmi", None)
    path = text(tmp_path / "x", content)
    expected = r": is an? .*, which takes gemmi to read: pip install gemmi$"
    with pytest.raises(InputFileError, match=f"^{re.escape(path)}{expected}") as caught:
        contents(path, dmin_A=4)
    assert caught.value.exit_code == 9


# symmetry: h' = h R for each general position x' = R x + t of International Tables A


def p212121(h: int, k: int, l: int) -> list[Index]:
    """Three twofold screw axes."""
    return [(h, k, l), (-h, -k, l), (-h, k, -l), (h, -k, -l)]


def c2(h: int, k: int, l: int) -> list[Index]:
    """A twofold axis along b."""
    return [(h, k, l), (-h, k, -l)]


def p63(h: int, k: int, l: int) -> list[Index]:
    """A sixfold screw axis along c."""
    return [(h, k, l), (k, -h - k, l), (-h - k, h, l), (-h, -k, l), (-k, h + k, l), (h + k, -h, l)]


@pytest.mark.parametrize(
    ("group", "operations", "absent"),
    [
        ("P 21 21 21", p212121, [(3, 0, 0), (0, 1, 0), (0, 0, 5)]),
        ("C 1 2 1", c2, [(1, 0, 3), (2, 3, 1), (0, 1, 0)]),
        ("P 63", p63, [(0, 0, 1), (0, 0, 3)]),
    ],
)
def test_symmetry_is_expanded_by_the_operators(
    group: str, operations: Operations, absent: list[Index], tmp_path: Path
) -> None:
    """Equivalents and their Friedel mates, all with one amplitude; systematic absences are not listed."""
    unique = {(2, 4, 1): 5.0, (3, 1, 2): 0.25, (2, 0, 3): 7.5, (0, 0, 2): 11.0, (4, 0, 0): 3.0}
    unique[1, 1, 0] = 2.0
    expected = {
        mate: F
        for index, F in unique.items()
        for h, k, l in operations(*index)
        for mate in ((h, k, l), (-h, -k, -l))
    }
    rows = [(*index, F) for index, F in unique.items()] + [(*index, 99.0) for index in absent]
    assert contents(mtz(tmp_path / "x.mtz", rows, group)) == expected


def test_repeated_equivalents_are_repeated_in_the_order_of_the_file(tmp_path: Path) -> None:
    """The last one counts and the set-up says so, as for a text list (F2.7)."""
    rows = [(1, 0, 0, 5), (0, 2, 0, 3), (1, 0, 0, 6)]
    indices, amplitudes = opened(mtz(tmp_path / "x.mtz", rows, "P 1")).listed(0.0, BOX)
    assert list(zip(map(tuple, indices.tolist()), amplitudes.tolist(), strict=True)) == [
        ((-1, 0, 0), 5),
        ((1, 0, 0), 5),
        ((0, -2, 0), 3),
        ((0, 2, 0), 3),
        ((-1, 0, 0), 6),
        ((1, 0, 0), 6),
    ]


def test_a_mate_never_overwrites_what_the_file_gives(tmp_path: Path) -> None:
    """An index takes its own value, else that of a rotation of it, else that of its Friedel mate (F2.8).

    The two records are mates in P 2 (twofold along b); (2, 3, 4) has both kinds of mates, whatever the order.
    """
    rows = [(1, 2, 3, 10), (-1, -2, -3, 11), (2, 3, 4, 5)]
    expected = {(1, 2, 3): 10, (-1, 2, -3): 10, (-1, -2, -3): 11, (1, -2, 3): 11}
    expected |= {(2, 3, 4): 5, (-2, 3, -4): 5, (-2, -3, -4): 5, (2, -3, 4): 5}
    for order in (rows, rows[::-1]):
        assert contents(mtz(tmp_path / "x.mtz", order, "P 1 2 1")) == expected
    # an equivalent that the file lists itself keeps its value, in front of or behind the other
    for order in ([(1, 2, 3, 10), (-1, 2, -3, 7)], [(-1, 2, -3, 7), (1, 2, 3, 10)]):
        found = contents(mtz(tmp_path / "x.mtz", order, "P 1 2 1"), once=False)
        assert found[1, 2, 3] == 10 and found[-1, 2, -3] == 7


def test_missing_amplitudes_are_skipped(tmp_path: Path) -> None:
    """Not listed is not 0: -default_F can fill them."""
    path = mtz(tmp_path / "x.mtz", [(1, 2, 3, np.nan), (1, 1, 1, 0), (2, 2, 2, 4)])
    assert set(map(abs, contents(path).values())) == {0.0, 4.0}
    assert (1, 2, 3) not in contents(path)


def test_an_mtz_file_may_have_a_flag_for_missing(tmp_path: Path) -> None:
    """Any number that the header names, not only "not a number"."""
    path = mtz(tmp_path / "x.mtz", [(1, 2, 3, -999), (1, 1, 1, 4)], "P 1")
    made = gemmi.read_mtz_file(path)
    made.valm = -999
    made.write_to_file(path)
    assert contents(path) == {(1, 1, 1): 4.0, (-1, -1, -1): 4.0}


# columns


THREE = (("FP", "F"), ("FC", "F"), ("IMEAN", "J"))


@pytest.mark.parametrize(("column", "F"), [("FP", 5.0), ("FC", 6.0)])
def test_the_amplitude_column_is_named(column: str, F: float, tmp_path: Path) -> None:  # noqa: N803
    """-hkl_column picks among several."""
    path = mtz(tmp_path / "x.mtz", [(1, 2, 3, 5, 6, 7)], columns=THREE)
    assert set(contents(path, column).values()) == {F}


def test_the_only_amplitude_column_needs_no_name(tmp_path: Path) -> None:
    """Sigmas, phases and intensities do not count."""
    columns = (("SIGF", "Q"), ("F-obs", "F"), ("I", "J"), ("PHI", "P"), ("F(+)", "G"))
    path = mtz(tmp_path / "x.mtz", [(1, 2, 3, 1, 5, 2, 3, 4)], columns=columns)
    assert set(contents(path).values()) == {5.0}


def test_labels_that_two_data_sets_share_are_told_apart(tmp_path: Path) -> None:
    """``set/label`` where the label alone is ambiguous."""
    path = str(tmp_path / "x.mtz")
    made = gemmi.Mtz(with_base=True)
    made.spacegroup = gemmi.SpaceGroup("P 1")
    for name in ("native", "peak"):
        made.add_dataset(name)
        made.add_column("F", "F")
    made.set_data(np.array([[1, 2, 3, 5, 6]], dtype=np.float32))
    made.write_to_file(path)
    assert set(contents(path, "peak/F").values()) == {6.0}
    with pytest.raises(InputFileError, match="expected -hkl_column 'native/F', 'peak/F', got 'F'$"):
        contents(path, "F")


@pytest.mark.parametrize(
    "item", ["F_meas_au", "F_meas", "F_calc", "F_calc_au", "pdbx_F_calc_with_solvent", "pdbx_FWT"]
)
def test_amplitude_items_of_mmcif(item: str, tmp_path: Path) -> None:
    """Each alone is taken; ?, . and nan are missing, and an uncertainty in brackets is not part of it."""
    rows = "1 2 3 o 5.5\n1 1 1 o ?\n2 1 1 o .\n3 1 1 o nan\n2 2 2 f 7.25(3)\n"
    path = text(
        tmp_path / "x.cif", f"data_x\n{CELL_ITEMS}{GROUP_ITEM}{HKL}_refln.status\n_refln.{item}\n{rows}"
    )
    expected = {
        (s * h, t * k, u * l): F
        for (h, k, l), F in {(1, 2, 3): 5.5, (2, 2, 2): 7.25}.items()
        for s in (1, -1)
        for t in (1, -1)
        for u in (1, -1)
    }
    assert contents(path) == expected == contents(path, item)


def test_blocks_of_mmcif_are_told_apart(tmp_path: Path) -> None:
    """Later blocks inherit cell and space group, as files of the PDB mean it."""
    block = f"{HKL}_refln.F_meas_au\n1 2 3 "
    path = text(
        tmp_path / "x.cif",
        f"data_xsf\n{CELL_ITEMS}{GROUP_ITEM}{block}5\ndata_xAsf\n{CELL_ITEMS}{block}6\n"
        "data_without\n_cell.length_a 5\ndata_raw\nloop_\n_diffrn_refln.index_h\n"
        "_diffrn_refln.index_k\n_diffrn_refln.index_l\n_diffrn_refln.intensity_net\n1 2 3 4\n",
    )
    assert set(contents(path, "xAsf/F_meas_au").values()) == {6.0}
    with pytest.raises(InputFileError, match="one of the amplitudes 'xsf/F_meas_au', 'xAsf/F_meas_au'$"):
        contents(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [("1 2 3 4\n", "a text list"), (crystal("9 9 9 90 90 90", "P 1") + atom("C", 1, 2, 3), "a PDB file")],
)
def test_a_column_without_columns_draws_a_warning(
    content: str, said: str, tmp_path: Path, advice: Callable[[], str]
) -> None:
    """C8.3, where the content is known."""
    path = text(tmp_path / "x", content)
    factor_file(parse(["-hkl", path, "-hkl_column", "FP", "-dmin", "2"])[0])
    assert advice().splitlines() == [f"-hkl_column has no effect: {path} is {said}"]


# coordinates

CARBON = ((2.3100, 20.8439), (1.0200, 10.2075), (1.5886, 0.5687), (0.8650, 51.6512))
CARBON_C = 0.2156


def carbon(stol2: float) -> float:
    """The form factor of carbon at (sin theta / lambda)^2, International Tables C, table 6.1.1.4."""
    return sum(a * math.exp(-b * stol2) for a, b in CARBON) + CARBON_C


def test_one_carbon_atom_has_the_amplitude_of_its_form_factor(tmp_path: Path) -> None:
    """|F| = occupancy f(s) exp(-B s^2), the same wherever the atom is."""
    path = text(tmp_path / "c.pdb", crystal("9 10 11 90 90 90", "P 1") + atom("C", 1, 2, 3, 0.5, 12.0))
    found = contents(path, dmin_A=1.5)
    stol2 = {(h, k, l): ((h / 9) ** 2 + (k / 10) ** 2 + (l / 11) ** 2) / 4 for h, k, l in found}
    expected = {index: 0.5 * carbon(s2) * np.exp(-12 * s2) for index, s2 in stol2.items()}
    # the density is sampled, and ends where it is 1e-7 e/A^3
    assert found == pytest.approx(expected, abs=1e-3)
    inside = {
        (h, k, l)
        for h in range(-6, 7)
        for k in range(-6, 7)
        for l in range(-7, 8)
        if 0 < (h / 9) ** 2 + (k / 10) ** 2 + (l / 11) ** 2 <= 1.5**-2
    }
    assert set(found) == inside


def direct_sum(path: Path, indices: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """|F| of the atoms of a P 21 21 21 file and their mates, read and summed without gemmi."""
    lines = path.read_text().splitlines()
    cell = np.array([34.770, 39.170, 48.310])
    atoms = [line for line in lines if line.startswith(("ATOM", "HETATM"))]
    place = np.array([[float(line[30:38]), float(line[38:46]), float(line[46:54])] for line in atoms]) / cell
    x, y, z = place.T
    mates = [
        (x, y, z),
        (0.5 - x, -y, 0.5 + z),
        (-x, 0.5 + y, 0.5 - z),
        (0.5 + x, 0.5 - y, -z),
    ]
    occupancy = np.array([float(line[54:60]) for line in atoms])
    b_iso = np.array([float(line[60:66]) for line in atoms])
    elements = np.array([line[76:78].strip().capitalize() for line in atoms])
    stol2 = ((indices / cell) ** 2).sum(axis=1) / 4
    total = np.zeros(len(indices), dtype=np.complex128)
    for element in sorted(set(elements.tolist())):
        one = elements == element
        scale = occupancy[one] * np.exp(-stol2[:, None] * b_iso[one])
        phases = sum(
            np.exp(2j * np.pi * (indices @ np.stack([position[one] for position in mate]))) for mate in mates
        )
        table = gemmi.Element(element).it92
        a, b = np.array(table.a), np.array(table.b)
        form_factor = (a * np.exp(-stol2[:, None] * b)).sum(axis=1) + table.c
        total += form_factor * (scale * phases).sum(axis=1)
    return np.abs(total)


def test_a_protein_agrees_with_the_sum_over_its_atoms() -> None:
    """Absolute, in electrons per unit cell.

    The form factors are the same table, so the R factor is that of sampling and of
    binary32, some 1e-5. One symmetry mate, B factor or occupancy lost would be percents.
    """
    found = contents(str(CRO), dmin_A=4.0)
    indices = np.array(list(found), dtype=np.int32)
    expected = direct_sum(CRO, indices)
    amplitudes = np.array(list(found.values()))
    assert np.abs(amplitudes - expected).sum() / expected.sum() < 1e-4

    cell = np.array([34.770, 39.170, 48.310])
    box = np.indices((21, 21, 27)).reshape(3, -1).T - (10, 10, 13)
    near = box[(((box / cell) ** 2).sum(axis=1) <= 4.0**-2) & box.any(axis=1)]
    axial_odd = ((near != 0).sum(axis=1) == 1) & (near.sum(axis=1) % 2 == 1)
    assert set(found) == set(map(tuple, near[~axial_odd].tolist()))


def test_a_small_cell_is_sampled_finely_enough(tmp_path: Path) -> None:
    """A cell hardly larger than the resolution: the blurred atom would not fit into it."""
    path = text(tmp_path / "c.pdb", crystal("5 5 5 90 90 90", "P 1") + atom("C", 1, 2, 3))
    expected = carbon(1 / 100) * math.exp(-10 / 100)
    assert contents(path, dmin_A=4.9)[1, 0, 0] == pytest.approx(expected, abs=1e-3)


def test_mmcif_coordinates_are_those_of_the_pdb(tmp_path: Path) -> None:
    """The same two atoms in the other format."""
    pdb = crystal("30 40 50 90 90 90", "P 21 21 21") + atom("C", 1, 2, 3) + atom("FE", 4, 5, 6, 0.5, 20)
    rows = "HETATM 1 C C . LIG A 1 A 1 1 2 3 1 10\nHETATM 2 FE FE . LIG A 1 A 1 4 5 6 0.5 20\n"
    cif = f"data_x\n{CELL_ITEMS}{GROUP_ITEM}{ATOM_ITEMS}{rows}"
    first, second = text(tmp_path / "x.pdb", pdb), text(tmp_path / "x.cif", cif)
    assert contents(first, dmin_A=5) == contents(second, dmin_A=5)


def test_copies_of_strict_noncrystallographic_symmetry_are_made(tmp_path: Path) -> None:
    """MTRIX records that say so stand for atoms that the file leaves out."""
    cell, first, second = crystal("20 20 20 90 90 90", "P 1"), atom("C", 1, 2, 3), atom("C", 11, 7, 3)
    matrix = "".join(
        f"MTRIX{row}   1{x:10.6f}{y:10.6f}{z:10.6f}     {shift:10.5f}    \n"
        for row, x, y, z, shift in ((1, 1, 0, 0, 10), (2, 0, 1, 0, 5), (3, 0, 0, 1, 0))
    )
    copied = contents(text(tmp_path / "a.pdb", cell + matrix + first), dmin_A=4)
    explicit = contents(text(tmp_path / "b.pdb", cell + first + second), dmin_A=4)
    assert copied == pytest.approx(explicit, abs=1e-3) and copied.keys() == explicit.keys()


@pytest.mark.parametrize("order", range(1, 13))
def test_a_spacing_of_exactly_dmin_is_computed(order: int, tmp_path: Path) -> None:
    """Also where the way through metres rounds the limit up, or 1/d^2 is rounded down."""
    dmin_m = parse(["-dmin", "0.59"])[0].dmin_m
    assert dmin_m * 1e10 > 0.59
    edge = f"{0.59 * order:.2f}"
    path = text(tmp_path / "c.pdb", crystal(f"{edge} {edge} {edge} 90 90 90", "P 1") + atom("C", 1, 2, 3))
    assert [order, 0, 0] in opened(path).listed(dmin_m, BOX)[0].tolist()


# errors

ATOM = atom("C", 1, 2, 3)
ATOM_ROW = "HETATM 1 C C . LIG A 1 A 1 1 2 3 1 10\n"
P1 = crystal("30 40 50 90 90 90", "P 1")
BAD_TEXTS: dict[str, tuple[str | bytes, str]] = {
    "corrupt MTZ": (
        b"MTZ " + bytes(range(256)) * 9,
        "is an MTZ file: expected headers with columns, got none",
    ),
    "short MTZ": (b"MTZ ", "cannot be read as an MTZ file: "),
    "CIF syntax": ("data_x\n_refln.a 'b\n", "cannot be read as an mmCIF file of reflections: data:2"),
    "CIF row too short": (
        f"data_x\n{GROUP_ITEM}{HKL}_refln.F_calc\n1 2 3\n",
        "cannot be read as an mmCIF file of reflections: .*Wrong number of values",
    ),
    "CIF index": (
        f"data_x\n{GROUP_ITEM}{HKL}_refln.F_calc\n1 2 x 4\n",
        "expected an index for index_l of record 1, got 'x'",
    ),
    "CIF amplitude": (
        f"data_x\n{GROUP_ITEM}{HKL}_refln.F_calc\n1 2 3 abc\n",
        "expected a number for F_calc of record 1, got 'abc'",
    ),
    "CIF infinite": (
        f"data_x\n{GROUP_ITEM}{HKL}_refln.F_calc\n1 2 3 inf\n",
        "expected a number for F_calc of record 1, got 'inf'",
    ),
    "CIF intensities only": (
        f"data_x\n{GROUP_ITEM}{HKL}_refln.intensity_meas\n1 2 3 4\n",
        "expected an amplitude column 'F_meas_au', .* got only .*; for the square root .*'intensity_meas'$",
    ),
    "CIF no space group": (
        f"data_x\n{HKL}_refln.F_calc\n1 2 3 4\n",
        "expected a known space group, got none",
    ),
    "CIF unknown space group": (
        f"data_x\n_symmetry.space_group_name_H-M 'Q 9'\n{HKL}_refln.F_calc\n1 2 3 4\n",
        "expected a known space group, got 'Q 9'$",
    ),
    "PDB without numbers": ("ATOM   garbage\n", "expected a number for x in columns 31 to 38, got ''$"),
    "PDB number": (
        P1 + ATOM.replace("2.000", "2.0x0"),
        "expected a number for y in columns 39 to 46, got '2.0x0'$",
    ),
    "PDB without B": (P1 + ATOM[:60] + "\n", "expected a number for B in columns 61 to 66, got ''$"),
    "PDB without occupancy": (
        P1 + ATOM.replace("  1.00", "      "),
        "expected a number for the occupancy in columns 55 to 60, got",
    ),
    "flat cell": (crystal("30 40 0 90 90 90", "P 1") + ATOM, "expected a unit cell, got 30 40 0 90 90 90"),
    "no atoms": (P1, "expected atoms, got none"),
    "no space group": (crystal("30 40 50 90 90 90", "") + ATOM, "expected a known space group, got none"),
    "unknown space group": (
        crystal("30 40 50 90 90 90", "P 21 21 99") + ATOM,
        "expected a known space group, got 'P 21 21 99'",
    ),
    "cell and space group": (
        crystal("30 40 50 90 90 90", "P 4") + ATOM,
        "expected a unit cell that fits P 4, got 30 40 50 90 90 90",
    ),
    "two models": (
        f"{P1}MODEL        1\n{ATOM}ENDMDL\nMODEL        2\n{ATOM}ENDMDL\n",
        "expected one model, got 2",
    ),
    "unknown element": (
        P1 + atom("X", 1, 2, 3),
        "expected an element with a form factor for atom 1 'X', got 'X'",
    ),
    "no form factor": (P1 + atom("ES", 1, 2, 3), "expected an element .* for atom 1 'ES', got 'Es'"),
    "coordinate": (
        f"data_x\n{CELL_ITEMS}{GROUP_ITEM}{ATOM_ITEMS}HETATM 1 C C . LIG A 1 A 1 1 ? 3 1 10\n",
        "expected finite x y z, occupancy and B of atom 1 'C', got 1 nan 3 1 10",
    ),
    "B factor": (
        f"data_x\n{CELL_ITEMS}{GROUP_ITEM}{ATOM_ITEMS}HETATM 1 C C . LIG A 1 A 1 1 2 3 1 -99999\n",
        r"expected a displacement factor \(B\) of at most 10000 for atom 1 'C', got 99999$",
    ),
    "far away": (
        P1 + atom("C", 1, 2, 3).replace("   3.000", "-3000000"),
        "expected atom 1 'C' within 1e.06 A",
    ),
    "resolution": (
        crystal("3 3 3 90 90 90", "P 1") + ATOM,
        "expected -dmin below the spacing .*, got 4 Angstrom",
    ),
    "far beyond memory": (
        crystal("9999 9999 9999 90 90 90", "P 1") + ATOM,
        "expected -dmin to need at most 536870912 samples of the unit cell, got 4.22e.11 for 4 Angstrom",
    ),
    "needle": (crystal("9999 9999 0.1 90 90 90", "P 1") + ATOM, "expected -dmin to need at most"),
    "edge shorter than any bond": (
        crystal("30 0.05 50 90 90 90", "P 1") + ATOM,
        "expected a unit cell, got 30 0.05 50 90 90 90",
    ),
    "edge that vanishes": (
        crystal("30 40 50 90 90 90", "P 1").replace("40.000", "5e-324") + ATOM,
        "expected a unit cell, got 30 4.94066e-324 50 90 90 90",
    ),
}


@pytest.mark.parametrize(("content", "message"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_bad_files_are_named_with_what_is_wrong(content: str | bytes, message: str, tmp_path: Path) -> None:
    """One line that holds the file, what was expected and what was found."""
    path = text(tmp_path / "bad", content)
    with pytest.raises(InputFileError, match=f"^{re.escape(path)}(:[0-9]+)?: {message}") as caught:
        contents(path, dmin_A=4.0)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 9


@pytest.mark.parametrize("content", [P1 + ATOM, f"data_x\n{CELL_ITEMS}{GROUP_ITEM}{ATOM_ITEMS}{ATOM_ROW}"])
def test_coordinates_need_a_resolution(content: str, tmp_path: Path) -> None:
    """Without -dmin there is no telling where to stop."""
    path = text(tmp_path / "x", content)
    with pytest.raises(InputFileError, match="file.*: expected -dmin, the resolution of .*, got none$"):
        contents(path)


WRONG_MTZ = pytest.mark.parametrize(
    ("rows", "options", "column", "message"),
    [
        ([(1, 2, 3, 5, 6, 7)], {"columns": THREE}, None, "expected -hkl_column with one of .*'FP', 'FC'$"),
        (
            [(1, 2, 3, 5, 6, 7)],
            {"columns": THREE},
            "FX",
            "expected -hkl_column 'FP', 'FC', 'IMEAN', got 'FX'$",
        ),
        ([(1, 2, 3, 5, 6, 7)], {"columns": (*THREE[:2], ("X", "W"))}, "X", "expected .*'FP', 'FC', got 'X'$"),
        (
            [(1, 2, 3, 5, 1)],
            {"columns": (("I", "J"), ("SIGI", "Q"))},
            None,
            "expected an amplitude column of type F or G, got only 'I J', 'SIGI Q'; for .* root .*'I'$",
        ),
        (
            [(5, 1, 2, 3)],
            {"first": (("FP", "F"), ("H", "H"), ("K", "H"), ("L", "H")), "columns": ()},
            None,
            "expected three columns of type H first, got 'FP F', 'H H', 'K H'$",
        ),
        ([(1, 2.5, 3, 5)], {}, None, "expected integers for h k l, got 1 2.5 3$"),
        ([(1, np.nan, 3, 5)], {}, None, "expected integers for h k l, got 1 nan 3$"),
        ([(1, 2, 3e10, 5)], {}, None, "expected integers for h k l, got 1 2 3e"),
        ([(1, 2, 3, np.inf)], {}, None, "expected finite amplitudes, got inf for 1 2 3$"),
        (
            [(1, 2, 3, np.nan), (0, 0, 1, 5)],
            {},
            None,
            "expected .* that P 21 21 21 allows, got none in 2 records$",
        ),
        ([(999, 999, 999, 5)], {}, None, "expected a table of at most .*, got h -999 to 999"),
    ],
)


@WRONG_MTZ
def test_wrong_mtz_files(
    rows: list[tuple[float, ...]],
    options: dict[str, tuple[tuple[str, str], ...]],
    column: str | None,
    message: str,
    tmp_path: Path,
) -> None:
    """Files that gemmi reads and that are no use."""
    path = mtz(tmp_path / "x.mtz", rows, **options)  # type: ignore[arg-type]
    with pytest.raises(InputFileError, match=f"^{re.escape(path)}: {message}"):
        contents(path, column)


def test_an_unknown_space_group_of_an_mtz_file(tmp_path: Path) -> None:
    """The name is shown as it stands."""
    path = Path(mtz(tmp_path / "x.mtz", [(1, 2, 3, 5)]))
    record = b"P    19           'P 21 21 21'"
    assert record in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(record, b"P     0           'Q 99 99 99'"))
    with pytest.raises(InputFileError, match="expected a known space group, got 'Q 99 99 99'$"):
        contents(str(path))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"NCOL        4            1 ", b"NCOL        4   1000000000 ", "1000000000 records of 4 columns"),
        (b"MTZ \x19\0\0\0", b"MTZ \x21\0\0\x40", "headers with columns"),
    ],
)
def test_records_that_the_file_cannot_hold_take_no_memory(
    old: bytes, new: bytes, message: str, tmp_path: Path
) -> None:
    """Neither the count of records nor the place of the headers is believed beyond the size of the file."""
    path = Path(mtz(tmp_path / "x.mtz", [(1, 2, 3, 5)]))
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(InputFileError, match=f"is an MTZ file: expected {message}"):
        contents(str(path))


def test_unmerged_reflections_are_refused(tmp_path: Path) -> None:
    """Several observations of one reflection are no structure factor."""
    path = str(tmp_path / "x.mtz")
    made = gemmi.Mtz(with_base=True)
    made.spacegroup = gemmi.SpaceGroup("P 1")
    made.add_dataset("native")
    made.add_column("F", "F")
    made.set_data(np.array([[1, 2, 3, 5]], dtype=np.float32))
    made.batches.append(gemmi.Mtz.Batch())
    made.write_to_file(path)
    with pytest.raises(InputFileError, match="expected merged reflections, got 1 batches"):
        contents(path)


# the whole run

CRYSTAL = "-cell 30 40 50 90 90 90 -N 5 -lambda 1"
RUN = f"{CRYSTAL} -distance 100 -pixel 1.5 -detpixels 16 -oversample 1 -nopgm -nonoise"


def test_an_mtz_file_gives_the_image_of_its_text_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same list, the same cache and the same bits in the image."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(20261)
    unique = gemmi.make_miller_array(gemmi.UnitCell(30, 40, 50, 90, 90, 90), gemmi.SpaceGroup(19), 3.0)
    amplitudes = generator.uniform(1, 1000, len(unique))
    mtz(tmp_path / "x.mtz", np.column_stack([unique, amplitudes]).tolist())
    listed_there = contents("x.mtz")
    (tmp_path / "x.hkl").write_text("".join(f"{h} {k} {l} {F!r}\n" for (h, k, l), F in listed_there.items()))
    for name in ("mtz", "hkl"):
        options = f"{RUN} -hkl x.{name} -floatfile {name}.bin -intfile {name}.img -dump {name}.dump"
        assert main(options.split()) == 0
    assert "hkl" not in capsys.readouterr().err
    assert any((tmp_path / "mtz.bin").read_bytes())
    for ending in ("bin", "dump"):
        assert (tmp_path / f"mtz.{ending}").read_bytes() == (tmp_path / f"hkl.{ending}").read_bytes()


def test_coordinates_give_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With -dmin from the command line, and an error without."""
    monkeypatch.chdir(tmp_path)
    text(tmp_path / "x.pdb", P1 + ATOM)
    assert main(f"{RUN} -hkl x.pdb -dmin 3".split()) == 0
    assert any((tmp_path / "floatimage.bin").read_bytes())
    assert main(f"{RUN} -hkl x.pdb".split()) == 9
    assert "nanobrag_torch: ERROR: x.pdb: is a PDB file: expected -dmin" in capsys.readouterr().err
    assert main(f"{RUN} -default_F 1 -hkl_column F -dump no.bin".split()) == 0
    assert "nanobrag_torch: WARNING: -hkl_column has no effect without -hkl\n" in capsys.readouterr().err
