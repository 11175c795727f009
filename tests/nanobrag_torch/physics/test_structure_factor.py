"""Structure factors by nearest node and by tricubic interpolation (P6.10, P6.15)."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from nanobrag_torch.physics.structure_factor import (
    Lookup,
    at_nodes,
    cubic,
    interpolated,
    lookup,
    out_of_range,
)

Array = npt.NDArray[np.float64]

LOWEST = (-3, -2, 5)
SHAPE = (7, 9, 6)
HIGHEST = (3, 6, 10)
"""hmin, kmin, lmin and hmax, kmax, lmax of the table of most tests, whose axes all differ."""
DEFAULT = -1234.5
LIMITS = [(axis, LOWEST[axis] + 2, HIGHEST[axis] - 2) for axis in range(3)]
"""Axis and ends of the interval in which P6.10 interpolates."""


def f64(values: float | list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def random_table(seed: int = 1) -> Array:
    return np.random.default_rng(seed).uniform(10.0, 1000.0, SHAPE)


def surrounded(table: Array, default: float = DEFAULT) -> Lookup:
    return lookup(torch.tensor(table), LOWEST, f64(default))


def nodes_of(points: Array) -> Tensor:
    """Indices of shape (3, points), from one (h, k, l) a row."""
    return torch.tensor(points.T.copy(), dtype=torch.float64)


def entries(points: Array, table: Lookup) -> list[float]:
    """Entries at whole indices, one (h, k, l) a row."""
    h, k, l = nodes_of(points)
    return at_nodes((h, k, l), table).tolist()


def centre() -> list[float]:
    return [(low + high) / 2 for low, high in zip(LOWEST, HIGHEST, strict=True)]


def test_every_entry_is_found() -> None:
    """At a node of the table the structure factor is its entry (P6.10 step 3)."""
    table = random_table()
    points = np.argwhere(np.ones(SHAPE, dtype=bool)) + np.array(LOWEST)
    assert tuple(points.max(axis=0)) == HIGHEST
    assert entries(points, surrounded(table)) == table.flatten().tolist()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_undefined_index_is_in_no_table(axis: int) -> None:
    """No comparison of P6.10 step 3 holds for it: the default; a polynomial of it is undefined."""
    table = surrounded(random_table())
    point = centre()
    point[axis] = math.nan
    assert entries(np.array([np.ceil(point)]), table) == [DEFAULT]
    assert interpolated(nodes_of(np.array([point])), table).isnan().all()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("beyond", [1, 2, 50, 10**9])
def test_the_default_holds_outside_every_face(axis: int, beyond: int) -> None:
    """One node or many below and above the table the default is taken, on all six faces (P6.10 step 3)."""
    ranges = [range(low, high + 1) for low, high in zip(LOWEST, HIGHEST, strict=True)]
    for edge in (LOWEST[axis] - beyond, HIGHEST[axis] + beyond):
        sides = [*ranges[:axis], range(edge, edge + 1), *ranges[axis + 1 :]]
        points = np.array(list(itertools.product(*sides)))
        assert entries(points, surrounded(random_table())) == [DEFAULT] * len(points)


def test_the_default_holds_outside_edges_and_corners() -> None:
    """Outside along two or three axes the default is taken as well (P6.10 step 3)."""
    sides = [(low - 1, low, high, high + 1) for low, high in zip(LOWEST, HIGHEST, strict=True)]
    points = np.array(list(itertools.product(*sides)))
    inside = ((points >= LOWEST) & (points <= HIGHEST)).all(axis=1)
    values = np.array(entries(points, surrounded(random_table())))
    assert inside.sum() == 8
    assert (values[~inside] == DEFAULT).all()
    assert (values[inside] != DEFAULT).all()


def test_a_table_of_one_node() -> None:
    """A single reflection away from the origin is found and nothing else (P6.10 step 3)."""
    table = lookup(torch.full((1, 1, 1), 7.0, dtype=torch.float64), (4, -9, 100), f64(3.0))
    steps = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    assert entries(steps + np.array([4, -9, 100]), table) == [3.0] * 13 + [7.0] + [3.0] * 13


@pytest.mark.parametrize("default", [0.0, math.nan, math.inf])
def test_no_default_reaches_the_table(default: float) -> None:
    """The layer around the table does not change what is inside it."""
    table = random_table()
    points = np.argwhere(np.ones(SHAPE, dtype=bool)) + np.array(LOWEST)
    assert entries(points, surrounded(table, default)) == table.flatten().tolist()


def test_shape_and_type_of_the_entries() -> None:
    """Entries have the shape of one index and the type of the table."""
    table = lookup(torch.tensor(random_table(), dtype=torch.float32), LOWEST, torch.tensor(1.0))
    got = at_nodes((torch.zeros(2, 4), torch.zeros(2, 4), torch.full((2, 4), 6.0)), table)
    assert got.shape == (2, 4)
    assert got.dtype == torch.float32


@pytest.mark.parametrize(("axis", "low", "high"), LIMITS)
def test_limits_of_interpolation_are_included(axis: int, low: int, high: int) -> None:
    """From hmin + 2 to hmax - 2, both ends included, the neighbourhood is in the table (P6.10 step 1)."""
    table, step = surrounded(random_table()), 2.0**-20
    for h, expected in [
        (low, False),
        (high, False),
        (low + step, False),
        (high - step, False),
        (low - step, True),
        (high + step, True),
        (low - 1, True),
        (high + 1, True),
        (1e6, True),
        (-1e6, True),
    ]:
        hkl = f64(centre())[:, None]
        hkl[axis] = h
        assert out_of_range(hkl, table).tolist() == [expected], h


def test_one_index_out_of_range_is_enough() -> None:
    """The neighbourhood leaves the table if any of the three indices does (P6.10 step 1)."""
    choices = [(low, low - 0.5) for _, low, _ in LIMITS]
    points = np.array(list(itertools.product(*choices)))
    outside = [any(h < low for h, (_, low, _) in zip(point, LIMITS, strict=True)) for point in points]
    assert sum(outside) == 7
    assert out_of_range(nodes_of(points), surrounded(random_table())).tolist() == outside


@pytest.mark.parametrize(("nodes", "expected"), [(4, True), (5, False)])
def test_a_table_below_five_nodes_is_never_in_range(nodes: int, expected: bool) -> None:
    """Of four nodes along an axis no index is two away from both ends, of five the middle one is (P6.10)."""
    table = lookup(torch.ones(9, nodes, 9, dtype=torch.float64), (-4, 0, -4), f64(0.0))
    k = torch.linspace(0, nodes - 1, 4 * nodes - 3, dtype=torch.float64)
    outside = out_of_range(torch.stack([torch.zeros_like(k), k, torch.zeros_like(k)]), table)
    assert outside.all().item() is expected
    if not expected:
        assert k[~outside].tolist() == [2.0]


def test_cubic_through_four_uneven_points_is_exact() -> None:
    """Any cubic is reproduced, compared with exact fractions (P6.15)."""
    generator = np.random.default_rng(2)
    nodes, x = (-1.5, 0.25, 1.0, 3.5), generator.uniform(-2, 4, 50)
    coefficients = [Fraction(int(c), 8) for c in generator.integers(-40, 40, 4)]

    def exact(at: float) -> float:
        return float(sum(c * Fraction(at) ** power for power, c in enumerate(coefficients)))

    got = cubic(
        torch.tensor(x),
        (f64(nodes[0]), f64(nodes[1]), f64(nodes[2]), f64(nodes[3])),
        [f64(exact(node)) for node in nodes],
    )
    # values reach a few hundred, of which a dozen roundings are 1e-13
    assert got.tolist() == pytest.approx([exact(float(at)) for at in x], rel=0, abs=1e-12)


def test_cubic_meets_its_points() -> None:
    """At each node the polynomial has the value of that node alone (P6.15)."""
    nodes = (f64(-1.0), f64(0.0), f64(1.0), f64(2.0))
    y = [f64(0.1), f64(-0.7), f64(1.3), f64(0.9)]
    assert cubic(f64([-1.0, 0.0, 1.0, 2.0]), nodes, y).tolist() == pytest.approx(
        [0.1, -0.7, 1.3, 0.9], rel=3e-16
    )


def in_range(count: int, seed: int) -> Tensor:
    """Random indices inside the limits of interpolation, shape (3, count)."""
    generator = np.random.default_rng(seed)
    return torch.tensor(np.stack([generator.uniform(low, high, count) for _, low, high in LIMITS]))


def test_interpolation_reproduces_cubic_polynomials() -> None:
    """A table that is cubic along each axis is interpolated exactly (P6.10 step 2, P6.15)."""
    coefficients = np.random.default_rng(3).normal(size=(4, 4, 4)) / np.array([1.0, 4.0, 16.0, 64.0])
    axes = [
        np.arange(low, high + 1) - middle for low, high, middle in zip(LOWEST, HIGHEST, centre(), strict=True)
    ]
    table = np.polynomial.polynomial.polygrid3d(axes[0], axes[1], axes[2], coefficients)
    hkl = in_range(400, 4)
    h, k, l = hkl.numpy() - np.array(centre())[:, None]
    expected = np.polynomial.polynomial.polyval3d(h, k, l, coefficients)
    got = interpolated(hkl, surrounded(table))
    # relative to the largest entry, from which the sums are formed
    assert got.tolist() == pytest.approx(expected.tolist(), rel=0, abs=1e-12 * np.abs(table).max())


def test_interpolation_meets_the_table_at_the_nodes() -> None:
    """At whole indices in range the interpolated value is the entry (P6.15)."""
    table = random_table()
    points = np.array(list(itertools.product(*(range(low, high + 1) for _, low, high in LIMITS))))
    got = interpolated(nodes_of(points), surrounded(table))
    inner = table[2:-2, 2:-2, 2:-2]
    # at a node three of four terms vanish and the fourth is 2*y/2, three times over
    assert got.tolist() == inner.flatten().tolist()


def test_interpolation_stays_inside_the_table() -> None:
    """Within the limits the whole neighbourhood is in the table: the default does not appear (P6.10)."""
    table = surrounded(random_table(), math.nan)
    ends = nodes_of(np.array(list(itertools.product(*((low, high) for _, low, high in LIMITS)))))
    hkl = torch.cat([ends, in_range(300, 5)], dim=1)
    assert not out_of_range(hkl, table).any()
    assert torch.isfinite(interpolated(hkl, table)).all()


def test_interpolation_uses_the_four_nearest_nodes_only() -> None:
    """A single entry is felt from one below its floor to two above, and nowhere else (P6.10 step 2)."""
    table = np.zeros((12, 1, 1))
    table[6] = 1.0
    wide = lookup(torch.tensor(np.broadcast_to(table, (12, 7, 7)).copy()), (0, -3, -3), f64(0.0))
    h = torch.arange(2.25, 9.5, 1.0, dtype=torch.float64)
    got = interpolated(torch.stack([h, torch.zeros_like(h), torch.zeros_like(h)]), wide)
    # floors 2 to 9: with floor - 1 to floor + 2, node 6 belongs to those from 4 to 7
    assert (got != 0).tolist() == [floor in (4, 5, 6, 7) for floor in range(2, 10)]


def test_interpolation_keeps_the_shape() -> None:
    """Orientations and pixels stay apart."""
    hkl = in_range(12, 6)
    table = surrounded(random_table())
    assert interpolated(hkl.reshape(3, 3, 4), table).flatten().tolist() == interpolated(hkl, table).tolist()


def test_interpolation_gradients_against_differences() -> None:
    """The interpolated value is differentiable by the index and by the entries of the table."""

    def value(hkl: Tensor, table: Tensor) -> Tensor:
        return interpolated(hkl, lookup(table, (-1, 4, 0), f64(DEFAULT)))

    # one neighbourhood of 4 x 4 x 4 nodes
    hkl = torch.tensor([[0.3, 0.6], [5.5, 5.9], [1.2, 1.7]], dtype=torch.float64, requires_grad=True)
    table = torch.tensor(np.random.default_rng(7).uniform(0.0, 1.0, (4, 4, 4)), requires_grad=True)
    assert torch.autograd.gradcheck(value, (hkl, table))


def test_gradients_reach_entries_and_default() -> None:
    """The nearest entry has a slope of 1 by itself, and outside the default has it."""
    table, default = torch.tensor(random_table()).requires_grad_(), f64(DEFAULT).requires_grad_()
    got = at_nodes((f64([0.0, 99.0, 98.0]), f64([0.0] * 3), f64([6.0] * 3)), lookup(table, LOWEST, default))
    by_table, by_default = torch.autograd.grad(got.sum(), (table, default))
    assert by_default.item() == 2.0
    assert by_table.sum().item() == 1.0
    assert by_table[3, 2, 1].item() == 1.0
