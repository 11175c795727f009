"""Crystal: cell, orientation matrix, misset and cell counts (P1.5, P3, C4.12)."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from nanobrag_torch.command_line.parse import parse
from nanobrag_torch.command_line.request import Request
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.physics.vectors import Vec3
from nanobrag_torch.setup.crystal import (
    clamped_cosine,
    crystal,
    direct_and_reciprocal,
    reciprocal_from_cell,
)
from nanobrag_torch.setup.experiment import Crystal, scalar

Triple = tuple[float, float, float]
Basis = tuple[Triple, Triple, Triple]
Six = tuple[float, float, float, float, float, float]
Array = npt.NDArray[np.float64]

DEGREES = float.fromhex("0x1.ca5dc1a63c1f8p+5")  # RTD of P1.1
TRICLINIC: Six = (70.0, 80.0, 90.0, 75 / DEGREES, 85 / DEGREES, 95 / DEGREES)
LEFT_HANDED = "0.011 0.002 0.001\n0.001 0.012 -0.002\n-0.003 0.001 -0.013\n"
MATRIX = "0.011 0.002 0.001\n0.001 0.012 -0.002\n-0.003 0.001 0.013\n"
ROUNDING = 1e-14
"""Relative: a chain of some twenty operations and a matrix inversion of good condition."""


def cells(count: int, seed: int) -> list[Six]:
    """Seeded triclinic cells, Angstrom and rad; angles from 70 to 110 degrees are always possible."""
    source = random.Random(seed)
    return [
        (
            source.uniform(5, 300),
            source.uniform(5, 300),
            source.uniform(5, 300),
            source.uniform(70, 110) / DEGREES,
            source.uniform(70, 110) / DEGREES,
            source.uniform(70, 110) / DEGREES,
        )
        for _ in range(count)
    ]


def right_angled_cells(count: int, seed: int) -> list[Six]:
    """Seeded cells with at least two right angles: orthogonal, monoclinic and hexagonal ones."""
    source = random.Random(seed)
    right = math.pi / 2
    found: list[Six] = []
    for i in range(count):
        angles = [right, right, right]
        angles[i % 3] = source.choice((right, 2 * math.pi / 3, source.uniform(1.2, 2.2)))
        edges = [source.uniform(5, 300) for _ in range(3)]
        found.append((edges[0], edges[1], edges[2], angles[0], angles[1], angles[2]))
    return found


def built(line: str) -> Crystal:
    """Crystal of a command line; -default_F spares a list."""
    request = parse(f"-default_F 1 {line}".split())[0]
    return crystal(request, scalar(request.wavelength_m))


def of_cell(cell: Six) -> Crystal:
    """Crystal of a cell alone, in the default orientation."""
    return crystal(Request(cell=cell, default_F=1.0), scalar(1e-10))


def floats(v: Vec3) -> Triple:
    """Components as plain numbers."""
    return float(v[0]), float(v[1]), float(v[2])


def rows(*vectors: Vec3) -> Array:
    """Vectors as the rows of a matrix."""
    return np.array([floats(v) for v in vectors])


def direct(xtal: Crystal) -> Array:
    """Direct vectors in Angstrom as rows."""
    return rows(xtal.a_A, xtal.b_A, xtal.c_A)


def reciprocal(xtal: Crystal) -> Array:
    """Reciprocal vectors in 1/Angstrom as rows."""
    return rows(xtal.a_star_inv_A, xtal.b_star_inv_A, xtal.c_star_inv_A)


def cell_constants(vectors: Array) -> list[float]:
    """Three lengths and three angles in rad of the row vectors."""
    lengths = [math.sqrt(v @ v) for v in vectors]
    pairs = ((1, 2), (0, 2), (0, 1))
    return lengths + [math.acos(vectors[i] @ vectors[j] / lengths[i] / lengths[j]) for i, j in pairs]


def gram_volume(cell: Six) -> float:
    """Volume of a cell as the root of the determinant of its metric tensor."""
    a, b, c, al, be, ga = cell
    metric = [
        [a * a, a * b * math.cos(ga), a * c * math.cos(be)],
        [a * b * math.cos(ga), b * b, b * c * math.cos(al)],
        [a * c * math.cos(be), b * c * math.cos(al), c * c],
    ]
    return float(np.sqrt(np.linalg.det(np.array(metric))))


def turned(vectors: Array, degrees: Triple) -> Array:
    """Row vectors rotated about x, then y, then z."""
    matrix = np.eye(3)
    for axis, angle in enumerate(degrees):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = math.cos(math.radians(angle))
        turn[j, i] = math.sin(math.radians(angle))
        turn[i, j] = -turn[j, i]
        matrix = turn @ matrix
    return vectors @ matrix.T


def plain_cross(u: Triple, v: Triple) -> Triple:
    """Vector product of P0.3 in plain floats."""
    return u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]


def plain_scale(s: float, v: Triple) -> Triple:
    """Product of P0.3 in plain floats."""
    return s * v[0], s * v[1], s * v[2]


def plain_norm(v: Triple) -> float:
    """Length of P0.3 in plain floats."""
    return math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])


def plain_cell(cell: Six) -> tuple[Basis, float]:
    """P3.1 in plain floats: A*, B*, C* in the default orientation, and the volume."""
    a, b, c, al, be, ga = cell
    e = (al + be + ga) / 2
    w = abs(math.sin(e) * math.sin(e - al) * math.sin(e - be) * math.sin(e - ga))
    volume = 2.0 * a * b * c * math.sqrt(w)
    inverse = 1.0 / volume
    la, lb, lc = (
        b * c * math.sin(al) * inverse,
        c * a * math.sin(be) * inverse,
        a * b * math.sin(ga) * inverse,
    )
    sg = c * inverse / la / lb
    ca = (math.cos(be) * math.cos(ga) - math.cos(al)) / (math.sin(be) * math.sin(ga))
    cb = (math.cos(ga) * math.cos(al) - math.cos(be)) / (math.sin(ga) * math.sin(al))
    cg = (math.cos(al) * math.cos(be) - math.cos(ga)) / (math.sin(al) * math.sin(be))
    c_star = (lc * cb, lc * (ca - cb * cg) / sg, lc * volume / (a * b * c * sg))
    return ((la, 0.0, 0.0), (lb * cg, lb * sg, 0.0), c_star), volume


def plain_direct(stars: Basis, cell: Six | None, volume: float) -> tuple[Basis, Basis, float]:
    """P3.4 and P3.5 in plain floats: direct vectors, reciprocal vectors, volume."""
    a_star, b_star, c_star = stars
    x = [plain_cross(b_star, c_star), plain_cross(c_star, a_star), plain_cross(a_star, b_star)]
    inverse = a_star[0] * x[0][0] + a_star[1] * x[0][1] + a_star[2] * x[0][2]
    if cell is not None:
        x = [plain_scale(edge / volume / plain_norm(v), v) for edge, v in zip(cell[:3], x, strict=True)]
        inverse = 1.0 / volume
    full = 1.0 / inverse
    a, b, c = (plain_scale(full, v) for v in x)
    back = (
        plain_scale(inverse, plain_cross(b, c)),
        plain_scale(inverse, plain_cross(c, a)),
        plain_scale(inverse, plain_cross(a, b)),
    )
    return (a, b, c), back, full


def assert_bits(xtal: Crystal, expected: tuple[Basis, Basis, float]) -> None:
    """Direct vectors in Angstrom and metres, reciprocal vectors and volume, bit for bit."""
    vectors, stars, volume = expected
    assert direct(xtal).tolist() == [list(v) for v in vectors]
    assert reciprocal(xtal).tolist() == [list(v) for v in stars]
    assert float(xtal.volume_A3) == volume
    metres = rows(xtal.a_m, xtal.b_m, xtal.c_m).tolist()
    assert metres == [list(plain_scale(1e-10, v)) for v in vectors]


# cell


@pytest.mark.parametrize("cell", [TRICLINIC, *cells(30, 1)])
def test_bits_of_a_cell(cell: Six) -> None:
    """P3.1, P3.4 to P3.6 in plain floats with the C library's functions give the same bits (P0.4)."""
    stars, volume = plain_cell(cell)
    assert_bits(of_cell(cell), plain_direct(stars, cell, volume))


@pytest.mark.parametrize("cell", right_angled_cells(12, 2))
def test_the_cell_has_the_edges_angles_and_volume_that_were_given(cell: Six) -> None:
    """Lengths and angles come back, and the volume is that of the metric tensor (P3.1, P3.5)."""
    xtal = of_cell(cell)
    assert cell_constants(direct(xtal)) == pytest.approx(list(cell), rel=ROUNDING)
    assert float(xtal.volume_A3) == pytest.approx(gram_volume(cell), rel=ROUNDING)
    assert np.linalg.det(direct(xtal)) == pytest.approx(gram_volume(cell), rel=ROUNDING)


@pytest.mark.parametrize("cell", right_angled_cells(12, 3))
def test_direct_and_reciprocal_vectors_are_inverse(cell: Six) -> None:
    """The product a . a* is 1, a . b* is 0, and so on for all nine pairs (P3.5)."""
    xtal = of_cell(cell)
    np.testing.assert_allclose(direct(xtal) @ reciprocal(xtal).T, np.eye(3), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("cell", [TRICLINIC, *cells(10, 4)])
def test_oblique_cells_have_edges_and_volume_that_were_given(cell: Six) -> None:
    """Direct and reciprocal vectors are inverse but for one factor, C*_z of P3.1 not being 1/c (P3.5)."""
    xtal = of_cell(cell)
    assert cell_constants(direct(xtal))[:3] == pytest.approx(list(cell[:3]), rel=ROUNDING)
    assert float(xtal.volume_A3) == pytest.approx(gram_volume(cell), rel=ROUNDING)
    products = direct(xtal) @ reciprocal(xtal).T
    factor = np.linalg.det(direct(xtal)) / gram_volume(cell)
    np.testing.assert_allclose(products, factor * np.eye(3), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("cell", [TRICLINIC, *cells(5, 4)])
def test_default_orientation(cell: Six) -> None:
    """A* lies along x and B* in the xy plane, both on the positive side (P3.1 step 6)."""
    a_star, b_star, c_star = reciprocal(of_cell(cell))
    # the vectors have been through the direct ones, which rounds the zeros
    assert a_star[1:] == pytest.approx([0.0, 0.0], abs=ROUNDING * a_star[0])
    assert b_star[2] == pytest.approx(0.0, abs=ROUNDING * b_star[1])
    assert min(a_star[0], b_star[1], c_star[2]) > 0


@pytest.mark.parametrize(
    ("line", "full"),
    [
        ("-cell 70", (70.0, 70.0, 70.0, 90.0, 90.0, 90.0)),
        ("-cell 70 80", (70.0, 80.0, 70.0, 90.0, 90.0, 90.0)),
        ("-cell 70 80 90", (70.0, 80.0, 90.0, 90.0, 90.0, 90.0)),
        ("-cell 70 80 90 75", (70.0, 80.0, 90.0, 75.0, 90.0, 90.0)),
        ("-cell 70 80 90 90 75", (70.0, 80.0, 90.0, 90.0, 75.0, 90.0)),
    ],
)
def test_missing_cell_values_have_defaults(line: str, full: Six) -> None:
    """Missing edges equal a, missing angles are right ones (P3.1 step 1, C4.12)."""
    expected = [*full[:3], *(math.radians(x) for x in full[3:])]
    assert cell_constants(direct(built(line))) == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize("unset", [0.0, -1.0])
def test_values_not_above_zero_count_as_missing(unset: float) -> None:
    """A later angle may be given where an earlier value is not (P3.1 step 1)."""
    xtal = of_cell((70.0, unset, 90.0, unset, 85 / DEGREES, unset))
    right = math.pi / 2
    expected = [70.0, 70.0, 90.0, right, math.radians(85), right]
    assert cell_constants(direct(xtal)) == pytest.approx(expected, rel=ROUNDING)


def test_cosines_out_of_range_become_plus_one() -> None:
    """Also those below -1 (P3.1 step 5, HD-XTL-3)."""
    values = torch.tensor([-1.0000000000000002, -1.0, 0.3, 1.0, 7.0], dtype=torch.float64)
    assert clamped_cosine(values).tolist() == [1.0, -1.0, 0.3, 1.0, 1.0]


def test_a_sine_above_one_is_clamped() -> None:
    """In this orthogonal cell the sine rounds to just above 1, and b* keeps its length (P3.1 step 5)."""
    values = (10.0, 45.0, 34.0, math.pi / 2, math.pi / 2, math.pi / 2)
    (a_star, b_star, _), cell = reciprocal_from_cell(tuple(scalar(x) for x in values))
    length_b = 34.0 * 10.0 * math.sin(math.pi / 2) * (1.0 / float(cell.volume))
    assert 34.0 * (1.0 / float(cell.volume)) / float(a_star[0]) / length_b > 1.0
    assert float(b_star[1]) == length_b


def test_a_cell_below_a_cubic_angstrom_keeps_its_volume() -> None:
    """Only a volume of 0 or less is replaced (P3.1 step 2)."""
    _, cell = reciprocal_from_cell(tuple(scalar(x) for x in (0.5, 0.5, 0.5, 0.0, 0.0, 0.0)))
    assert float(cell.volume) == pytest.approx(0.125, rel=ROUNDING)


def test_a_cell_without_volume_gets_the_smallest_normal_number() -> None:
    """An angle equal to the sum of the other two makes the cell flat (P3.1 step 2)."""
    flat = (70.0, 80.0, 90.0, math.pi / 2, math.pi / 4, math.pi / 4)
    _, cell = reciprocal_from_cell(tuple(scalar(x) for x in flat))
    assert float(cell.volume) == 2.2250738585072014e-308


def test_reciprocal_lengths_are_never_negative() -> None:
    """An angle above 180 degrees would make one so, the absolute value is taken (P3.1 step 3)."""
    values = (70.0, 80.0, 90.0, math.radians(285), math.radians(85), math.radians(95))
    (a_star, b_star, _), cell = reciprocal_from_cell(tuple(scalar(x) for x in values))
    # sin 285 = -sin 75, and |a*| is the area of the bc face over the volume
    expected = 80.0 * 90.0 * math.sin(math.radians(75)) / float(cell.volume)
    assert float(a_star[0]) == pytest.approx(expected, rel=ROUNDING)
    area = 90.0 * 70.0 * math.sin(math.radians(85)) / float(cell.volume)
    assert math.hypot(*floats(b_star)) <= area * (1 + ROUNDING)
    assert float(a_star[0]) > 0


def test_vectors_of_the_check_values() -> None:
    """A*, B*, C* and a0, b0, c0 of P10.2, bit for bit."""
    xtal = built("-cell 70 80 90 75 85 95 -misset 10 20 30 -lambda 1.1")
    hexadecimal = [[x.hex() for x in row] for row in reciprocal(xtal).tolist()]
    assert hexadecimal == [
        ["0x1.80fc600f53e85p-7", "0x1.bc8b197baafb5p-8", "-0x1.4399e1b0aaab8p-8"],
        ["-0x1.26c852117e9d8p-8", "0x1.8d1fdcfd139b6p-7", "0x1.a468103e770aep-10"],
        ["0x1.2347919977cd9p-8", "-0x1.8e5e0a4bb82d1p-9", "0x1.4fe1b0fab6744p-7"],
    ]
    metres = rows(xtal.a_m, xtal.b_m, xtal.c_m).tolist()
    assert [[x.hex() for x in row] for row in metres] == [
        ["0x1.ab5cbc0e559b6p-28", "0x1.60711411f4055p-29", "-0x1.0a1c3fd419760p-29"],
        ["-0x1.68f8d592670b0p-29", "0x1.d74e6ab61aa37p-28", "0x1.b40311c35c482p-29"],
        ["0x1.d436a085c4a07p-29", "0x1.64cd552e3a956p-33", "0x1.1e2c73e8cc4afp-27"],
    ]


# orientation matrix


@pytest.mark.parametrize("wavelength_A", [0.7, 0.9768, 1.0, 1.1, 1.54178, 2.3, 3.0, 5.9])
def test_bits_of_a_matrix(wavelength_A: float, empty_folder: Path) -> None:  # noqa: N803 - Angstrom
    """The file times (1e-10/lambda), then P3.4 to P3.6 in plain floats, give the same bits (P3.2, C4.4)."""
    (empty_folder / "a.mat").write_text(MATRIX)
    n = [float(word) for word in MATRIX.split()]
    factor = 1e-10 / (wavelength_A / 1.0e10)
    stars = (
        plain_scale(factor, (n[0], n[3], n[6])),
        plain_scale(factor, (n[1], n[4], n[7])),
        plain_scale(factor, (n[2], n[5], n[8])),
    )
    expected = plain_direct(stars, None, 0.0)
    assert_bits(built(f"-mat a.mat -lambda {wavelength_A}"), expected)
    assert_bits(built(f"-lambda {wavelength_A} -mat a.mat"), expected)


def test_a_matrix_alone_is_its_own_cell(empty_folder: Path) -> None:
    """Rows are laboratory components, and the direct vectors are the inverse (P3.2, P3.5)."""
    (empty_folder / "a.mat").write_text(MATRIX)
    xtal = built("-mat a.mat -lambda 1.25")
    components = np.array([float(word) for word in MATRIX.split()]).reshape(3, 3) / 1.25
    np.testing.assert_allclose(reciprocal(xtal), components.T, rtol=ROUNDING)
    np.testing.assert_allclose(direct(xtal), np.linalg.inv(components), rtol=ROUNDING)
    assert float(xtal.volume_A3) == pytest.approx(1 / np.linalg.det(components), rel=ROUNDING)


def test_a_left_handed_matrix_has_a_negative_volume(empty_folder: Path) -> None:
    """Nothing is rejected, and the vectors are still inverse (P3.4)."""
    (empty_folder / "a.mat").write_text(LEFT_HANDED)
    xtal = built("-mat a.mat")
    assert float(xtal.volume_A3) < 0
    np.testing.assert_allclose(direct(xtal) @ reciprocal(xtal).T, np.eye(3), rtol=0, atol=ROUNDING)


def test_a_cell_beside_a_matrix_sets_lengths_and_volume(empty_folder: Path) -> None:
    """Directions are those of the matrix, edges and volume those of the cell (P3.2, P3.5, C4.12)."""
    (empty_folder / "a.mat").write_text(MATRIX)
    alone, both = built("-mat a.mat"), built("-mat a.mat -cell 70 80 90 75 85 95")
    lengths = np.linalg.norm(direct(both), axis=1)
    np.testing.assert_allclose(lengths, [70.0, 80.0, 90.0], rtol=ROUNDING)
    directions = direct(alone) / np.linalg.norm(direct(alone), axis=1)[:, None]
    np.testing.assert_allclose(direct(both) / lengths[:, None], directions, rtol=0, atol=ROUNDING)
    assert float(both.volume_A3) == pytest.approx(gram_volume(TRICLINIC), rel=ROUNDING)
    a, b, c = direct(both)
    # the reciprocal vectors follow from the direct ones and the volume of the cell, not from the matrix
    np.testing.assert_allclose(
        reciprocal(both),
        np.array([np.cross(b, c), np.cross(c, a), np.cross(a, b)]) / gram_volume(TRICLINIC),
        rtol=1e-13,
    )


def test_bits_of_a_cell_beside_a_matrix(empty_folder: Path) -> None:
    """P3.2 and P3.5 with the user's cell in plain floats give the same bits (P0.4)."""
    (empty_folder / "a.mat").write_text(MATRIX)
    n = [float(word) for word in MATRIX.split()]
    factor = 1e-10 / (1.1 / 1.0e10)
    stars = (
        plain_scale(factor, (n[0], n[3], n[6])),
        plain_scale(factor, (n[1], n[4], n[7])),
        plain_scale(factor, (n[2], n[5], n[8])),
    )
    expected = plain_direct(stars, TRICLINIC, plain_cell(TRICLINIC)[1])
    assert_bits(built("-mat a.mat -cell 70 80 90 75 85 95 -lambda 1.1"), expected)


@pytest.mark.parametrize("content", [None, "1 0 0 0 1 0 0 0\n", "1 2 3 2 4 6 0 0 1\n"])
def test_an_unusable_matrix_is_an_error(content: str | None, empty_folder: Path) -> None:
    """Missing, too short or singular: never a cell of NaN (HD-XTL-1, F4.2)."""
    if content is not None:
        (empty_folder / "a.mat").write_text(content)
    with pytest.raises(InputFileError, match="a.mat"):
        built("-mat a.mat")


# misset


@pytest.mark.parametrize("source", ["-cell 70 80 90 75 85 95", "-mat a.mat", "-mat a.mat -cell 70 80 90"])
def test_explicit_misset_rotates_about_x_then_y_then_z(source: str, empty_folder: Path) -> None:
    """Applied in every case, to direct and reciprocal vectors alike (P3.3, C3.15, C4.12)."""
    (empty_folder / "a.mat").write_text(MATRIX)
    still, moved = built(source), built(f"{source} -misset 10 -20 30")
    np.testing.assert_allclose(
        reciprocal(moved), turned(reciprocal(still), (10.0, -20.0, 30.0)), rtol=0, atol=1e-16
    )
    np.testing.assert_allclose(
        direct(moved), turned(direct(still), (10.0, -20.0, 30.0)), rtol=0, atol=ROUNDING * 100
    )
    assert moved.misset_deg is None


def test_misset_of_zero_changes_no_bit() -> None:
    """Rotations by exactly 0 are skipped (P5.1)."""
    cell = "-cell 70 80 90 75 85 95"
    assert direct(built(f"{cell} -misset 0 0 0")).tolist() == direct(built(cell)).tolist()


def test_random_misset() -> None:
    """Seed 12345 yields the angles of C9 item 2, and the crystal is turned by them (P3.3, HD-MIS-1)."""
    xtal = built("-cell 70 80 90 75 85 95 -misset random -misset_seed 12345 -N 5 -lambda 1")
    expected = (105.720755, -34.951318, -97.823571)
    assert xtal.misset_deg is not None
    # six decimals are given
    assert xtal.misset_deg == pytest.approx(expected, abs=5e-7)
    still = reciprocal(built("-cell 70 80 90 75 85 95"))
    # half a millionth of a degree is 1e-8 rad, on vectors of 0.015 per Angstrom
    np.testing.assert_allclose(reciprocal(xtal), turned(still, expected), rtol=0, atol=1e-9)


def test_the_default_misset_seed_is_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minus the Unix time in whole seconds, not linked to the noise seed (P1.3, HD-MIS-2)."""
    monkeypatch.setattr(time, "time", lambda: 12345.9)
    xtal = built("-cell 70 -misset random -seed 7")
    assert xtal.misset_deg == pytest.approx((105.720755, -34.951318, -97.823571), abs=5e-7)


# size


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", (1, 1, 1)),
        ("-N 5", (5, 5, 5)),
        ("-N 0", (1, 1, 1)),
        ("-N 5 -Nb 7", (5, 7, 5)),
        ("-Na 2 -Nb 3 -Nc 4", (2, 3, 4)),
        ("-N 5 -sample_x 0.0000255", (3, 5, 5)),
        ("-N 5 -sample_y 0.0000255", (5, 4, 5)),
        ("-N 5 -sample_z 0.0000255", (5, 5, 2)),
        ("-N 5 -sample_z 0.0000001", (5, 5, 1)),
        ("-samplesize 0.0000255", (3, 4, 2)),
    ],
)
def test_cell_counts(line: str, expected: tuple[int, int, int]) -> None:
    """A size of 255 Angstrom over edges of 100, 80, 130 is rounded up; counts are at least 1 (P3.7)."""
    xtal = built(f"-cell 100 80 130 75 85 95 {line}")
    assert (float(xtal.Na), float(xtal.Nb), float(xtal.Nc)) == expected


def test_samples_are_clipped_by_the_default_beam(advice: Callable[[], str]) -> None:
    """200 um along a, but 100 um along b and c, of cells of 101 Angstrom (P1.5, HD-XTL-2)."""
    xtal = built("-cell 101 -samplesize 0.2")
    assert (float(xtal.Na), float(xtal.Nb), float(xtal.Nc)) == (19802, 9901, 9901)
    messages = advice().splitlines()
    assert [message.split(" is cut")[0] for message in messages] == [
        "-samplesize: the crystal along b",
        "-samplesize: the crystal along c",
    ]
    assert all("from 0.2 to the beam size of 0.1 mm" in message for message in messages)


def test_counts_are_not_clipped(advice: Callable[[], str]) -> None:
    """Only sizes in mm are reduced to the beam, and equal sizes are not reduced (C4.11)."""
    xtal = built("-cell 101 -N 20000 -beamsize 0.05 -sample_y 0.05")
    assert (float(xtal.Na), float(xtal.Nb), float(xtal.Nc)) == (20000, 4951, 20000)
    assert advice() == ""


def test_a_beam_without_size_leaves_the_counts() -> None:
    """A size clipped to 0 counts as unset (P1.5, P3.7)."""
    xtal = built("-cell 101 -N 7 -samplesize 0.00005 -beamsize 0")
    assert (float(xtal.Na), float(xtal.Nb), float(xtal.Nc)) == (5, 7, 7)


# gradients


def test_gradients_of_the_volume() -> None:
    """The volume is linear in every edge, and its slope with an angle is known (P3.1)."""
    values = [scalar(x).requires_grad_() for x in TRICLINIC]
    stars, cell = reciprocal_from_cell(tuple(values))
    _, _, volume = direct_and_reciprocal(stars, cell)
    got = [float(slope) for slope in torch.autograd.grad(volume, values)]
    a, b, c, al, be, ga = TRICLINIC
    full = gram_volume(TRICLINIC)
    ca, cb, cg = math.cos(al), math.cos(be), math.cos(ga)
    expected = [
        *(full / edge for edge in (a, b, c)),
        (a * b * c) ** 2 * math.sin(al) * (ca - cb * cg) / full,
        (a * b * c) ** 2 * math.sin(be) * (cb - ca * cg) / full,
        (a * b * c) ** 2 * math.sin(ga) * (cg - ca * cb) / full,
    ]
    assert got == pytest.approx(expected, rel=1e-13)


def test_gradients_of_the_vectors_agree_with_finite_differences() -> None:
    """Every component of the direct and reciprocal vectors is differentiable in the cell (P3.1, P3.5)."""

    def components(*values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        stars, cell = reciprocal_from_cell(values)
        vectors, back, _ = direct_and_reciprocal(stars, cell)
        return tuple(x for v in (*vectors, *back) for x in v)

    values = [scalar(x).requires_grad_() for x in (7.0, 8.0, 9.0, *TRICLINIC[3:])]
    assert torch.autograd.gradcheck(components, values)
