"""Vector operations in the order that is normative (P0.1 to P0.3)."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor

from nanobrag_torch.physics.vectors import (
    Vec3,
    add,
    cross,
    direction,
    divide,
    dot,
    negate,
    norm,
    rescale,
    scale,
    select,
    subtract,
    unit,
)

Triple = tuple[float, float, float]


def f64(value: float | list[float]) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def vec(x: float, y: float, z: float) -> Vec3:
    return f64(x), f64(y), f64(z)


def columns(triples: list[Triple]) -> Vec3:
    """One vector per row as a component tuple."""
    x, y, z = zip(*triples, strict=True)
    return f64(list(x)), f64(list(y)), f64(list(z))


def rows(v: Vec3) -> list[Triple]:
    """The inverse of ``columns``."""
    return list(zip(v[0].tolist(), v[1].tolist(), v[2].tolist(), strict=True))


def components(v: Vec3) -> Triple:
    return v[0].item(), v[1].item(), v[2].item()


def random_triples(count: int, seed: int) -> list[Triple]:
    """Vectors of either sign with components of very different sizes."""
    generator = np.random.default_rng(seed)
    table = generator.choice([-1.0, 1.0], (count, 3)) * 10.0 ** generator.uniform(-6, 6, (count, 3))
    return [(float(x), float(y), float(z)) for x, y, z in table]


def whole_triples(count: int, seed: int) -> list[tuple[int, int, int]]:
    """Small whole vectors, for which binary64 arithmetic is exact."""
    table = np.random.default_rng(seed).integers(-1000, 1000, (count, 3)).tolist()
    return [(x, y, z) for x, y, z in table]


def length(v: Triple) -> float:
    return math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])


def quotient(a: float, b: float) -> float:
    """``a / b`` rounded once, through exact fractions."""
    return float(Fraction(a) / Fraction(b))


def test_dot_of_whole_vectors() -> None:
    """The scalar product of whole vectors is the exact sum of products (P0.3)."""
    u, v = whole_triples(200, 1), whole_triples(200, 2)
    got = dot(columns([(float(a), float(b), float(c)) for a, b, c in u]), columns([*map(as_floats, v)]))
    assert got.tolist() == [int(np.array(a) @ np.array(b)) for a, b in zip(u, v, strict=True)]


def as_floats(v: tuple[int, int, int]) -> Triple:
    return float(v[0]), float(v[1]), float(v[2])


def test_dot_adds_from_left_to_right() -> None:
    """Two halves of a last bit vanish one by one, though together they would count (P0.2, P0.3)."""
    half = 2.0**-53
    assert dot(vec(1.0, half, half), vec(1.0, 1.0, 1.0)).item() == 1.0
    assert dot(vec(half, half, 1.0), vec(1.0, 1.0, 1.0)).item() == 1.0 + 2.0**-52


@pytest.mark.parametrize("count", [1, 4, 64])
def test_dot_rounds_every_product(count: int) -> None:
    """No multiplication is fused with an addition, which would keep the lost bits of a product (P0.1)."""
    x = f64([1.0 + 2.0**-30] * count)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    rounded = -(1.0 + 2.0**-29) * one
    assert dot((x, rounded, zero), (x, one, one)).tolist() == [0.0] * count
    assert dot((rounded, x, zero), (one, x, one)).tolist() == [0.0] * count
    assert dot((zero, rounded, x), (one, one, x)).tolist() == [0.0] * count


def test_cross_of_the_axes() -> None:
    """x, y and z form a right-handed frame (P0.3)."""
    x, y, z = vec(1, 0, 0), vec(0, 1, 0), vec(0, 0, 1)
    assert components(cross(x, y)) == (0, 0, 1)
    assert components(cross(y, z)) == (1, 0, 0)
    assert components(cross(z, x)) == (0, 1, 0)


def test_cross_of_whole_vectors() -> None:
    """The vector product of whole vectors equals the integer one and is perpendicular to both (P0.3)."""
    u, v = whole_triples(200, 3), whole_triples(200, 4)
    left, right = columns([*map(as_floats, u)]), columns([*map(as_floats, v)])
    got = cross(left, right)
    assert rows(got) == [tuple(row) for row in np.cross(np.array(u), np.array(v)).tolist()]
    assert not dot(got, left).any()
    assert not dot(got, right).any()
    assert rows(cross(right, left)) == rows(negate(got))


@pytest.mark.parametrize("count", [1, 64])
def test_cross_rounds_every_product(count: int) -> None:
    """A vector times itself is exactly zero, which a fused operation would miss (P0.1)."""
    u = columns(random_triples(count, 5))
    assert rows(cross(u, u)) == [(0.0, 0.0, 0.0)] * count


def test_norm_has_the_bits_of_plain_floats() -> None:
    """The length equals the one formed with Python's floats in the written order (P0.3, P0.4)."""
    triples = random_triples(20_000, 6)
    assert norm(columns(triples)).tolist() == [length(v) for v in triples]


@pytest.mark.parametrize(
    ("v", "expected"), [((3, 4, 0), 5), ((2, -3, 6), 7), ((-1, 4, 8), 9), ((0, 0, 0), 0), ((0, -2, 0), 2)]
)
def test_norm_of_known_vectors(v: Triple, expected: float) -> None:
    """Pythagorean quadruples have whole lengths, the zero vector has none (P0.3)."""
    assert norm(vec(*v)).item() == expected


def test_unit_has_the_bits_of_a_division() -> None:
    """Each component is divided by the length, rounded once (P0.3, P9.2)."""
    triples = random_triples(2_000, 7)
    expected = []
    for v in triples:
        n = length(v)
        expected.append((quotient(v[0], n), quotient(v[1], n), quotient(v[2], n)))
    assert rows(unit(columns(triples))) == expected


def test_unit_vectors_have_length_one() -> None:
    """A unit vector keeps its direction and has length 1 to the last bits (P0.3)."""
    v = columns(random_triples(1_000, 8))
    u = unit(v)
    # three quotients and a root, each good to half a unit in the last place
    assert norm(u).tolist() == pytest.approx([1.0] * 1_000, rel=0, abs=4e-16)
    assert dot(u, v).tolist() == pytest.approx(norm(v).tolist(), rel=1e-15, abs=0)


def test_unit_of_the_zero_vector_is_zero() -> None:
    """The zero vector stays zero and does not disturb its neighbours (P0.3)."""
    assert rows(unit(columns([(0, 0, 0), (0, 0, 5), (-0.0, 0, 0)]))) == [(0, 0, 0), (0, 0, 1), (0, 0, 0)]


def test_direction_divides_by_the_given_length() -> None:
    """A known length is taken as it is, and where it is 0 the result is the zero vector (P0.3)."""
    got = direction(columns([(2, 4, 6), (1, 1, 1), (0, 0, 0)]), f64([2, 3, 0]))
    third = quotient(1.0, 3.0)
    assert rows(got) == [(1, 2, 3), (third, third, third), (0, 0, 0)]


def test_direction_with_the_norm_is_unit() -> None:
    """Both ways to a unit vector have the same bits."""
    v = columns(random_triples(500, 9))
    assert rows(direction(v, norm(v))) == rows(unit(v))


def test_rescale_forms_the_factor_first() -> None:
    """One quotient of lengths multiplies each component, in the written order (P0.3)."""
    triples = random_triples(2_000, 10)
    lengths = [float(x) for x in np.random.default_rng(11).uniform(0.1, 100.0, 2_000)]
    expected = []
    for v, m in zip(triples, lengths, strict=True):
        f = m / length(v)
        expected.append((f * v[0], f * v[1], f * v[2]))
    assert rows(rescale(columns(triples), f64(lengths))) == expected


def test_rescaled_vectors_have_the_length() -> None:
    """The length is the wanted one, the direction is kept (P0.3)."""
    v = columns(random_triples(300, 12))
    got = rescale(v, f64(7.5))
    # a quotient and three products round, then the root
    assert norm(got).tolist() == pytest.approx([7.5] * 300, rel=5e-16, abs=0)
    assert dot(got, v).tolist() == pytest.approx((7.5 * norm(v)).tolist(), rel=1e-15, abs=0)


def test_rescale_of_the_zero_vector_is_zero() -> None:
    """The length 0 is replaced by 1, so that nothing is divided by 0 (P0.3)."""
    assert components(rescale(vec(0, 0, 0), f64(3))) == (0, 0, 0)


def test_divide_rounds_once() -> None:
    """A division is not a product with a rounded reciprocal (P0.1, P9.2)."""
    generator = np.random.default_rng(13)
    values, divisors = generator.uniform(0.1, 10, 1_000).tolist(), generator.uniform(0.1, 10, 1_000).tolist()
    got = divide((f64(values), f64(values), f64(values)), f64(divisors))
    expected = [quotient(a, b) for a, b in zip(values, divisors, strict=True)]
    assert [component.tolist() for component in got] == [expected] * 3
    products = [a * (1.0 / b) for a, b in zip(values, divisors, strict=True)]
    assert products != expected, "the values must tell the two apart"


def test_divide_by_one_scalar_rounds_once() -> None:
    """The same holds for one divisor of many vectors, as the wavelength is (P6.7)."""
    values = np.random.default_rng(14).uniform(0.1, 10, 1_000).tolist()
    got = divide((f64(values), f64(values), f64(values)), f64(1.1e-10))
    assert got[2].tolist() == [quotient(a, 1.1e-10) for a in values]


def test_linear_operations() -> None:
    """Sum, difference, multiple and opposite act on each component (P0.3)."""
    u, v = vec(1, -2, 4), vec(8, 16, -32)
    assert components(add(u, v)) == (9, 14, -28)
    assert components(subtract(u, v)) == (-7, -18, 36)
    assert components(scale(f64(-0.5), v)) == (-4, -8, 16)
    assert components(negate(u)) == (-1, 2, -4)


def test_select_chooses_element_by_element() -> None:
    """Each element of all three components comes from the same vector."""
    u, v = columns([(1, 2, 3), (4, 5, 6)]), columns([(-1, -2, -3), (-4, -5, -6)])
    assert rows(select(torch.tensor([False, True]), u, v)) == [(-1, -2, -3), (4, 5, 6)]


def test_gradients_reach_every_component() -> None:
    """The chain from components to a unit vector of a product is differentiable."""

    def chain(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        v = unit(cross((x, y, z), vec(0.3, -0.7, 1.1)))
        return torch.stack(rescale(v, norm((x, y, z))))

    inputs = tuple(f64(value).requires_grad_() for value in (1.3, -0.4, 2.2))
    assert torch.autograd.gradcheck(chain, inputs)
