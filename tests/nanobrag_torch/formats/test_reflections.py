"""Anomalous pairs, intensities, and the reflections of SHELX: which numbers, and where they stand (F2.8)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import gemmi
import numpy as np
import pytest

from nanobrag_torch.advice import NanoBragNote
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.crystallographic import CrystallographicFile
from nanobrag_torch.formats.input_file import read_input
from nanobrag_torch.formats.recognise import kind_of

NAN = float("nan")
BOX = (30.0, 40.0, 50.0, 90.0, 90.0, 90.0)
Listed = dict[tuple[int, int, int], float]
PAIR = (("F(+)", "G"), ("SIGF(+)", "L"), ("F(-)", "G"), ("SIGF(-)", "L"))


def mtz(
    path: Path, columns: Iterable[tuple[str, str]], rows: Iterable[Iterable[float]], group: str = "P 21 21 21"
) -> str:
    """Write an MTZ file; rows are h k l and one number for each column."""
    made = gemmi.Mtz(with_base=True)
    made.spacegroup = gemmi.SpaceGroup(group)
    made.set_cell_for_all(gemmi.UnitCell(*BOX))
    made.add_dataset("native")
    for label, kind in columns:
        made.add_column(label, kind)
    made.set_data(np.array(list(map(list, rows)), dtype=np.float32))
    made.write_to_file(str(path))
    return str(path)


def contents(path: str, column: str | None = None) -> Listed:
    """The P1 list of a file, which must not hold any index twice."""
    content = read_input(path)
    kind = kind_of(path, content)
    assert kind is not None
    indices, amplitudes = CrystallographicFile(path, content, kind, column).listed(0.0, BOX)
    found = {(h, k, l): F for (h, k, l), F in zip(indices.tolist(), amplitudes.tolist(), strict=True)}
    assert len(found) == len(amplitudes)
    return found


def signs(h: int, k: int, l: int, even: bool) -> list[tuple[int, int, int]]:
    """Equivalents of an index in P 21 21 21, or those of its Friedel mate: an even or odd number of signs."""
    return [
        (s * h, t * k, u * l) for s in (1, -1) for t in (1, -1) for u in (1, -1) if (s * t * u == 1) == even
    ]


def pair_of(plus: float, minus: float, *index: int) -> Listed:
    """What a pair of amplitudes is in P1."""
    return dict.fromkeys(signs(*index, True), plus) | dict.fromkeys(signs(*index, False), minus)


# anomalous pairs


@pytest.mark.parametrize(
    ("plus", "minus"),
    [("F(+)", "F(-)"), ("FP+", "FP-"), ("FPLUS", "FMINUS"), ("Fplus", "Fminus"), ("F-obs(+)", "F-obs(-)")],
)
@pytest.mark.parametrize("named", [False, True])
def test_a_pair_stands_at_both_signs(
    plus: str, minus: str, named: bool, tmp_path: Path, advice: Callable[[], str]
) -> None:
    """F(+) at h k l and its equivalents, F(-) at -h -k -l and its own."""
    columns = ((plus, "G"), ("SIGF(+)", "L"), (minus, "G"), ("SIGF(-)", "L"))
    path = mtz(tmp_path / "x.mtz", columns, [(1, 2, 3, 10, 1, 11, 1), (2, 3, 4, 5, 1, 4, 1)])
    expected = pair_of(10, 11, 1, 2, 3) | pair_of(5, 4, 2, 3, 4)
    assert contents(path, plus if named else None) == expected == contents(path, f"{plus},{minus}")
    assert not advice()


def test_a_missing_mate_takes_the_value_of_the_other(tmp_path: Path, advice: Callable[[], str]) -> None:
    """Friedel's law is the best guess; a centric reflection has one value only, and that is no loss."""
    rows = [(1, 2, 3, 10, 1, NAN, NAN), (2, 3, 4, NAN, NAN, 4, 1), (0, 2, 3, 7, 1, NAN, NAN)]
    rows += [(3, 2, 1, NAN, NAN, NAN, NAN), (0, 4, 1, 8, 1, 8, 1)]
    path = mtz(tmp_path / "x.mtz", PAIR, rows)
    expected = (
        pair_of(10, 10, 1, 2, 3) | pair_of(4, 4, 2, 3, 4) | pair_of(7, 7, 0, 2, 3) | pair_of(8, 8, 0, 4, 1)
    )
    assert contents(path) == expected
    assert advice().splitlines() == [
        f"{path}: 2 acentric reflections have no Friedel mate, they take the value of the other"
    ]


def test_a_difference_is_half_of_it_on_either_side(tmp_path: Path) -> None:
    """F and D = F(+) - F(-), as TRUNCATE writes them; without a difference both are F."""
    columns = (("FP", "F"), ("SIGFP", "Q"), ("DANO", "D"), ("SIGDANO", "Q"))
    path = mtz(tmp_path / "x.mtz", columns, [(1, 2, 3, 10, 1, 3, 1), (2, 3, 4, 5, 1, NAN, NAN)])
    expected = pair_of(11.5, 8.5, 1, 2, 3) | pair_of(5, 5, 2, 3, 4)
    assert contents(path, "FP,DANO") == expected == contents(path, "DANO")


def test_anomalous_differences_that_are_left_out_are_a_warning(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """The mean stays the only plain amplitude; to name it silences the warning."""
    path = mtz(tmp_path / "x.mtz", (("FP", "F"), *PAIR), [(1, 2, 3, 10, 9, 1, 11, 1)])
    assert contents(path) == pair_of(10, 10, 1, 2, 3)
    (said,) = recwarn
    assert not issubclass(said.category, NanoBragNote)
    assert str(said.message) == (
        f"{path}: the amplitudes are 'FP', without anomalous differences:"
        " -hkl_column takes them, or 'F(+),F(-)'"
    )
    assert contents(path, "FP") == pair_of(10, 10, 1, 2, 3) and contents(path, "F(+)") == pair_of(
        9, 11, 1, 2, 3
    )
    assert len(recwarn) == 1


def test_pairs_among_several_are_one_choice_each(tmp_path: Path) -> None:
    """The message lists them with both labels."""
    columns = (("FP", "F"), ("FC", "F"), ("F(+)", "G"), ("F(-)", "G"), ("I(+)", "K"), ("I(-)", "K"))
    path = mtz(tmp_path / "x.mtz", columns, [(1, 2, 3, 10, 9, 1, 11, 1, 1)])
    with pytest.raises(InputFileError, match=r"one of the amplitudes 'FP', 'FC', 'F\(\+\),F\(-\)'$"):
        contents(path)
    with pytest.raises(InputFileError, match=r"'FC', 'F\(\+\),F\(-\)', 'I\(\+\),I\(-\)', got 'F\(-\)'$"):
        contents(path, "F(-)")


def test_a_column_without_its_partner_is_no_choice(tmp_path: Path) -> None:
    """One half of a pair, or two that labels do not tell apart, are refused with their names."""
    for columns in ((("F(+)", "G"),), (("FA", "G"), ("FB", "G"))):
        path = mtz(tmp_path / "x.mtz", columns, [(1, 2, 3, *range(len(columns)))])
        with pytest.raises(InputFileError, match=f"of type F or G, got only .*'{columns[0][0][0]}"):
            contents(path)


CIF = (
    "data_x\n_cell.length_a 30\n_cell.length_b 40\n_cell.length_c 50\n_cell.angle_alpha 90\n"
    "_cell.angle_beta 90\n_cell.angle_gamma 90\n_symmetry.space_group_name_H-M 'P 21 21 21'\n"
    "loop_\n_refln.index_h\n_refln.index_k\n_refln.index_l\n"
)


def test_pairs_of_mmcif(tmp_path: Path) -> None:
    """F_plus and F_minus, a mean with its difference, or both signs listed as records of their own."""
    path = tmp_path / "x.cif"
    path.write_text(f"{CIF}_refln.pdbx_F_plus\n_refln.pdbx_F_minus\n1 2 3 10 11\n2 3 4 ? 4\n")
    expected = pair_of(10, 11, 1, 2, 3) | pair_of(4, 4, 2, 3, 4)
    assert contents(str(path)) == expected == contents(str(path), "pdbx_F_plus")
    path.write_text(f"{CIF}_refln.F_meas_au\n_refln.pdbx_anom_difference\n1 2 3 10 3\n")
    assert contents(str(path), "pdbx_anom_difference") == pair_of(11.5, 8.5, 1, 2, 3)
    path.write_text(f"{CIF}_refln.F_meas_au\n1 2 3 10\n-1 -2 -3 11\n")
    assert contents(str(path)) == pair_of(10, 11, 1, 2, 3)


@pytest.mark.parametrize(
    ("counts", "what"), [(b"500 1 0", "500 columns"), (b"4 1 5000000", "5000000 batches")]
)
def test_counts_that_the_file_has_no_room_for_are_refused(counts: bytes, what: str, tmp_path: Path) -> None:
    """Before gemmi makes five million batches, which takes gigabytes."""
    path = Path(mtz(tmp_path / "x.mtz", (("FP", "F"),), [(1, 2, 3, 10)]))
    content, changed = re.subn(rb"(NCOL +)4 +1 +0", lambda found: found[1] + counts, path.read_bytes())
    assert changed == 1
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=f"expected records of {what}, the file is shorter$"):
        contents(str(path))


def test_the_cell_is_that_of_the_data_set_of_the_column(tmp_path: Path) -> None:
    """Not that of the whole file, nor that of another data set."""
    made = gemmi.Mtz(with_base=True)
    made.spacegroup = gemmi.SpaceGroup("P 1")
    made.set_cell_for_all(gemmi.UnitCell(*BOX))
    for name, edge in (("native", 30), ("peak", 31)):
        made.add_dataset(name).cell = gemmi.UnitCell(edge, 40, 50, 90, 90, 90)
        made.add_column(f"F_{name}", "F")
    made.set_data(np.array([[1, 2, 3, 5, 6]], dtype=np.float32))
    path = tmp_path / "x.mtz"
    made.write_to_file(str(path))
    content = path.read_bytes()
    kind = kind_of("x", content)
    assert kind is not None
    for name, edge in (("native", 30), ("peak", 31)):
        assert CrystallographicFile("x", content, kind, f"F_{name}").cell == (edge, 40, 50, 90, 90, 90)


# intensities


@pytest.mark.parametrize("kind", ["mtz", "cif"])
def test_intensities_are_taken_only_by_name(kind: str, tmp_path: Path, advice: Callable[[], str]) -> None:
    """Their square roots, 0 where negative, and said; without a name the error says how."""
    path = tmp_path / "x"
    name = {"mtz": "IMEAN", "cif": "intensity_meas"}[kind]
    if kind == "mtz":
        mtz(path, ((name, "J"), ("SIGI", "Q")), [(1, 2, 3, 9, 1), (2, 3, 4, -1, 1)])
    else:
        path.write_text(f"{CIF}_refln.{name}\n1 2 3 9\n2 3 4 -1.0(5)\n")
    with pytest.raises(InputFileError, match=f"for the square root of an intensity say .* of '{name}'$"):
        contents(str(path))
    assert contents(str(path), name) == pair_of(3, 3, 1, 2, 3) | pair_of(0, 0, 2, 3, 4)
    assert advice() == (
        f"{path}: the amplitudes are the square roots of '{name}', 0 where that is negative (1 times)"
    )


def test_pairs_of_intensities_by_name(tmp_path: Path) -> None:
    """Type K, of both signs."""
    path = mtz(tmp_path / "x.mtz", (("I(+)", "K"), ("I(-)", "K")), [(1, 2, 3, 16, 9)])
    assert contents(path, "I(+)") == pair_of(4, 3, 1, 2, 3)


def test_a_message_has_room_for_some_names_only(tmp_path: Path) -> None:
    """Items and blocks of any number and length: the first are named, and how many more there are."""
    path = tmp_path / "x.cif"
    names = [f"odd_{number:03d}" for number in range(500)]
    path.write_text(CIF + "".join(f"_refln.{name}\n" for name in names) + "1 2 3" + " 4" * 500 + "\n")
    with pytest.raises(
        InputFileError, match=r"got only 'index_h', .*'odd_000', .* and 4[0-9]{2} more$"
    ) as short:
        contents(str(path))
    block = CIF.partition("_cell")[2]
    blocks = (f"data_{number}{'x' * 5000}\n_cell{block}_refln.F_meas\n1 2 3 4\n" for number in range(20))
    path.write_text("".join(blocks))
    with pytest.raises(
        InputFileError, match=r"amplitudes '0x+[.]{3}', '1x+[.]{3}'.* and 1[0-9] more$"
    ) as long:
        contents(str(path))
    assert max(len(str(short.value)), len(str(long.value))) < len(str(path)) + 700


# SHELX (.fcf)

FCF = """#
# h,k,l, Fo-squared, sigma(Fo-squared), Fc and phi(calc)
#
data_list
_shelx_refln_list_code          {code}
loop_
 _space_group_symop_operation_xyz
 'x, y, z'
 'x+1/2, y+1/2, z'
 '-x, y, -z'
 '-x+1/2, y+1/2, -z'
_cell_length_a    30.0(2)
_cell_length_b    40.0(3)
_cell_length_c    50.0
_cell_angle_alpha 90
_cell_angle_beta  100.5(1)
_cell_angle_gamma 90
loop_
 _refln_index_h
 _refln_index_k
 _refln_index_l
"""
LIST_4 = " _refln_F_squared_calc\n _refln_F_squared_meas\n _refln_F_squared_sigma\n _refln_observed_status\n"
LIST_6 = " _refln_F_squared_meas\n _refln_F_squared_sigma\n _refln_F_calc\n _refln_phase_calc\n"
LIST_3 = " _refln_F_meas\n _refln_F_sigma\n _refln_A_calc\n _refln_B_calc\n"


@pytest.mark.parametrize(
    ("loop", "rows", "column", "expected"),
    [
        (LIST_4, "1 1 3 16.00 9.00 0.5 o\n2 0 1 4.00 -0.25 0.5 <\n", "F_squared_meas", (3, 0)),
        (LIST_4, "1 1 3 16.00 9.00 0.5 o\n2 0 1 4.00 -0.25 0.5 <\n", "F_squared_calc", (4, 2)),
        (LIST_6, "1 1 3 9.00 0.5 4.5 180\n2 0 1 1.00 0.5 2.5 0\n", None, (4.5, 2.5)),
        (LIST_6, "1 1 3 9.00 0.5 4.5 180\n2 0 1 1.00 0.5 2.5 0\n", "F_squared_meas", (3, 1)),
        (LIST_3, "1 1 3 3.00 0.5 4.5 1\n2 0 1 1.00 0.5 2.5 0\n", None, (3, 1)),
    ],
)
def test_lists_of_shelx(
    loop: str, rows: str, column: str | None, expected: tuple[float, float], tmp_path: Path
) -> None:
    """With the symmetry of its operations: (2, 1, 1) is absent in C 1 2 1."""
    path = tmp_path / "x.fcf"
    path.write_text(FCF.format(code=4) + loop + rows + rows.splitlines()[0].replace("1 1 3", "2 1 1") + "\n")
    first, second = expected
    assert contents(str(path), column) == dict.fromkeys(
        [(1, 1, 3), (-1, 1, -3), (-1, -1, -3), (1, -1, 3)], first
    ) | dict.fromkeys([(2, 0, 1), (-2, 0, -1)], second)


def test_a_setting_without_a_name_is_expanded_by_its_operations(tmp_path: Path) -> None:
    """Operations suffice: here a twofold axis through 0 0 1/8, which no table holds."""
    text = (
        FCF.format(code=6).replace("'-x, y, -z'", "'-x, y, -z+1/4'").replace("y+1/2, -z'", "y+1/2, -z+1/4'")
    )
    path = tmp_path / "x.fcf"
    path.write_text(f"{text}{LIST_6}1 1 3 9.00 0.5 4.5 180\n")
    assert contents(str(path)) == dict.fromkeys([(1, 1, 3), (-1, 1, -3), (-1, -1, -3), (1, -1, 3)], 4.5)


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ("'x, y, -z'", "expected the identity x,y,z among the symmetry operations, got none"),
        ("'x,y,z'\n'x,x,x'", "expected a symmetry operation of a lattice, got 'x,x,x'"),
        ("'x,y,z'\n'0,0,0'", "expected a symmetry operation of a lattice, got '0,0,0'"),
        ("'x,y,z'\n'y/2,x+x,z'", "expected a symmetry operation of a lattice, got 'y/2,x+x,z'"),
        ("'x,y,z'\n'x+y,y,z'", "expected all symmetry operations of a group, got 2 of more than 1000"),
        ("'x,y,z'\n'y,x,-z+1/8'\n'x,-y,-z'", "expected all symmetry operations of a group, got 3 of "),
    ],
)
def test_operations_that_are_no_group_are_refused(operations: str, message: str, tmp_path: Path) -> None:
    """Without the identity, for one, gemmi crashes; without the products reflections are missed (F2.8)."""
    head, _, rest = FCF.format(code=6).partition(" 'x, y, z'\n")
    path = tmp_path / "x.fcf"
    path.write_text(f"{head}{operations}\n{rest[rest.index('_cell') :]}{LIST_6}1 1 3 9.00 0.5 4.5 180\n")
    with pytest.raises(InputFileError, match=f"^{re.escape(f'{path}: {message}')}"):
        contents(str(path))


def test_the_cell_of_a_list_of_shelx(tmp_path: Path) -> None:
    """Without the uncertainties in brackets."""
    content = (FCF.format(code=6) + LIST_6 + "1 1 3 9.00 0.5 4.5 180\n").encode()
    kind = kind_of("x", content)
    assert kind is not None
    assert CrystallographicFile("x", content, kind, None).cell == (30, 40, 50, 90, 100.5, 90)


def test_the_amplitudes_of_a_list_of_shelx_are_taken(tmp_path: Path, advice: Callable[[], str]) -> None:
    """LIST 6 holds calculated amplitudes, and squares, which nobody asked for; LIST 4 no amplitudes."""
    path = tmp_path / "x.fcf"
    path.write_text(f"{FCF.format(code=6)}{LIST_6}1 1 3 9.00 0.5 4.5 180\n")
    contents(str(path))
    assert not advice()
    path.write_text(f"{FCF.format(code=4)}{LIST_4}1 1 3 9.00 0.5 4.5 o\n")
    with pytest.raises(InputFileError, match="with one of 'F_squared_meas', 'F_squared_calc'$"):
        contents(str(path))


@pytest.mark.parametrize("text", ["1.5", "99999999999", "x", "?"])
def test_an_index_is_an_integer_of_32_bits(text: str, tmp_path: Path) -> None:
    """And not what is left of a larger one."""
    path = tmp_path / "x.cif"
    path.write_text(f"{CIF}_refln.F_calc\n1 2 {text} 4\n")
    with pytest.raises(
        InputFileError, match=f"an index for index_l of record 1, got '{text.replace('?', '.')}'$"
    ):
        contents(str(path))


def test_columns_of_different_lengths_are_refused(tmp_path: Path) -> None:
    """Indices in one loop and amplitudes in another do not belong together."""
    path = tmp_path / "x.cif"
    path.write_text(f"{CIF}1 2 3\n1 2 4\nloop_\n_refln.F_calc\n1\n2\n3\n")
    with pytest.raises(InputFileError, match="expected "):
        contents(str(path))


def test_a_pair_conserves_what_a_text_list_of_it_says(tmp_path: Path) -> None:
    """Against the tables of gemmi: the asymmetric unit of Mtz.expand_to_p1 has both signs."""
    generator = np.random.default_rng(7)
    cell, group = gemmi.UnitCell(*BOX), gemmi.SpaceGroup("P 21 21 21")
    unique = gemmi.make_miller_array(cell, group, 8.0)
    numbers = generator.uniform(1, 100, (len(unique), 4)).astype(np.float32)
    numbers[group.operations().centric_flag_array(unique), 2] = NAN
    path = mtz(tmp_path / "x.mtz", PAIR, np.column_stack([unique, numbers]).tolist())
    made = gemmi.read_mtz_file(path)
    made.expand_to_p1()
    expanded = {
        tuple(sign * int(x) for x in row[:3]): float(row[column])
        for row in np.array(made.array)
        for sign, column in ((-1, 5), (1, 3))
        if not math.isnan(row[column])
    }
    found = contents(path)
    assert found == {index: expanded.get(index, expanded.get(tuple(-x for x in index))) for index in found}
    assert len(found) > 400


def test_reflections_without_all_indices_or_amplitudes(tmp_path: Path) -> None:
    """What there is instead is named."""
    path = tmp_path / "x.cif"
    path.write_text(f"{CIF.replace('_refln.index_l', '_refln.phase')}_refln.F_calc\n1 2 3 4\n")
    with pytest.raises(
        InputFileError, match="expected index_h, index_k and index_l, got 'index_h', 'index_k', "
    ):
        contents(str(path))
    path.write_text(f"{CIF}_refln.phase_calc\n1 2 3 4\n")
    with pytest.raises(InputFileError, match="expected an amplitude column .*, got only .*'phase_calc'$"):
        contents(str(path), "phase_calc")
