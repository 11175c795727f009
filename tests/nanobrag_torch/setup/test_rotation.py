"""Rotations of the set-up: direction, order, bits, and exact zeros (P5.1, P5.2)."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch
from torch import Tensor

from nanobrag_torch.physics.vectors import Vec3
from nanobrag_torch.setup.experiment import scalar, vector
from nanobrag_torch.setup.rotation import rotaxis, rotxyz, unless_zero

Triple = tuple[float, float, float]
ROUNDING = 4e-15
"""A few rotations of vectors of length up to 10 round this much, in binary64."""


def floats(v: Vec3) -> Triple:
    """Components as plain numbers."""
    return float(v[0]), float(v[1]), float(v[2])


def triples(count: int, size: float, seed: int) -> list[Triple]:
    """Seeded vectors with components up to ``size`` in magnitude."""
    source = random.Random(seed)
    return [
        (source.uniform(-size, size), source.uniform(-size, size), source.uniform(-size, size))
        for _ in range(count)
    ]


def unit_axis(v: Triple) -> Triple:
    """``v`` brought to length 1."""
    length = math.hypot(*v)
    return v[0] / length, v[1] / length, v[2] / length


@pytest.mark.parametrize(
    ("axis", "v", "expected"),
    [
        (0, (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        (0, (0.0, 0.0, 1.0), (0.0, -1.0, 0.0)),
        (1, (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
        (1, (1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
        (2, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
        (2, (0.0, 1.0, 0.0), (-1.0, 0.0, 0.0)),
    ],
)
def test_quarter_turns_are_right_handed(axis: int, v: Triple, expected: Triple) -> None:
    """The x axis goes to y, y to z, z to x, in both kinds of rotation (P5.1, P5.2)."""
    quarter = [math.pi / 2 if i == axis else 0.0 for i in range(3)]
    about = [1.0 if i == axis else 0.0 for i in range(3)]
    # the cosine of the binary64 nearest to pi/2 is 6e-17, not 0
    assert floats(rotxyz(vector(v), vector((quarter[0], quarter[1], quarter[2])))) == pytest.approx(
        expected, abs=1e-16
    )
    turned = rotaxis(vector(v), vector((about[0], about[1], about[2])), scalar(math.pi / 2))
    assert floats(turned) == pytest.approx(expected, abs=1e-16)


def matrix_about(axis: int, angle: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Right-handed rotation matrix about a laboratory axis."""
    matrix = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[i, i] = matrix[j, j] = math.cos(angle)
    matrix[i, j], matrix[j, i] = -math.sin(angle), math.sin(angle)
    return matrix


@pytest.mark.parametrize(("v", "angles"), list(zip(triples(8, 5.0, 1), triples(8, 3.0, 2), strict=True)))
def test_x_comes_first_and_z_last(v: Triple, angles: Triple) -> None:
    """Three angles are the matrix product Rz Ry Rx (P5.1)."""
    product = matrix_about(2, angles[2]) @ matrix_about(1, angles[1]) @ matrix_about(0, angles[0])
    assert floats(rotxyz(vector(v), vector(angles))) == pytest.approx(
        tuple((product @ np.array(v)).tolist()), abs=ROUNDING
    )


@pytest.mark.parametrize(("v", "angles"), list(zip(triples(50, 5.0, 3), triples(50, 3.0, 4), strict=True)))
def test_bits_of_the_written_order(v: Triple, angles: Triple) -> None:
    """The table of P5.1 in plain floats with the C library's sine gives the same bits (P0.2, P0.4)."""
    x, y, z = v
    c, s = math.cos(angles[0]), math.sin(angles[0])
    y, z = y * c + z * (-s), y * s + z * c
    c, s = math.cos(angles[1]), math.sin(angles[1])
    x, z = x * c + y * 0 + z * s, x * (-s) + y * 0 + z * c
    c, s = math.cos(angles[2]), math.sin(angles[2])
    x, y = x * c + y * (-s), x * s + y * c
    assert floats(rotxyz(vector(v), vector(angles))) == (x, y, z)


@pytest.mark.parametrize(
    ("v", "axis", "w"),
    [(v, unit_axis(e), e[0]) for v, e in zip(triples(50, 5, 5), triples(50, 3, 6), strict=True)],
)
def test_bits_of_the_written_order_about_an_axis(v: Triple, axis: Triple, w: float) -> None:
    """The formula of P5.2 in plain floats gives the same bits (P0.2, P0.4)."""
    (v1, v2, v3), (e1, e2, e3) = v, axis
    sine, cosine = math.sin(w), math.cos(w)
    g = (e1 * v1 + e2 * v2 + e3 * v3) * (1.0 - cosine)
    assert floats(rotaxis(vector(v), vector(axis), scalar(w))) == (
        e1 * g + v1 * cosine + (-e3 * v2 + e2 * v3) * sine,
        e2 * g + v2 * cosine + (e3 * v1 - e1 * v3) * sine,
        e3 * g + v3 * cosine + (-e2 * v1 + e1 * v2) * sine,
    )


@pytest.mark.parametrize(("v", "e"), list(zip(triples(8, 5.0, 7), triples(8, 3.0, 8), strict=True)))
def test_rotation_about_an_axis_is_the_exponential_of_its_generator(v: Triple, e: Triple) -> None:
    """Rodrigues' formula equals the matrix exponential of the cross product with the axis (P5.2)."""
    (x, y, z), w = unit_axis(e), e[1]
    generator = torch.tensor([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]], dtype=torch.float64)
    expected = torch.linalg.matrix_exp(w * generator) @ torch.tensor(v, dtype=torch.float64)
    got = rotaxis(vector(v), vector((x, y, z)), scalar(w))
    # the exponential is a series with rounding of its own
    assert floats(got) == pytest.approx(tuple(expected.tolist()), abs=1e-13)


@pytest.mark.parametrize(("e", "angles"), list(zip(triples(6, 3.0, 9), triples(6, 3.0, 10), strict=True)))
def test_lengths_angles_and_handedness_are_kept(e: Triple, angles: Triple) -> None:
    """A rotated right-handed frame is a right-handed frame (P5.1, P5.2)."""
    frame = [vector((1.0, 0.0, 0.0)), vector((0.0, 1.0, 0.0)), vector((0.0, 0.0, 1.0))]
    for turned in (
        [rotxyz(v, vector(angles)) for v in frame],
        [rotaxis(v, vector(unit_axis(e)), scalar(angles[0])) for v in frame],
    ):
        matrix = np.array([floats(v) for v in turned])
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), rtol=0, atol=ROUNDING)
        assert np.linalg.det(matrix) == pytest.approx(1.0, abs=ROUNDING)


def test_the_axis_stays() -> None:
    """A rotation leaves its own axis alone (P5.2)."""
    axis = unit_axis((1.0, -2.0, 3.0))
    assert floats(rotaxis(vector(axis), vector(axis), scalar(2.1))) == pytest.approx(axis, abs=ROUNDING)


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_angles_of_zero_leave_every_bit_alone(zero: float) -> None:
    """A rotation by exactly 0 is skipped: no arithmetic, so signed zeros survive (P5.1)."""
    v = (-0.0, 5e-324, -1.0 / 3.0)
    assert [x.hex() for x in floats(rotxyz(vector(v), vector((zero, zero, zero))))] == [x.hex() for x in v]


@pytest.mark.parametrize(
    ("axis", "slope"), [(0, (0.0, -7.0, 5.0)), (1, (7.0, 0.0, -3.0)), (2, (-5.0, 3.0, 0.0))]
)
def test_the_gradient_at_zero_is_the_cross_product_with_the_axis(axis: int, slope: Triple) -> None:
    """The skipped rotation of (3, 5, 7) still moves like e x v with its angle (P5.1)."""
    angles = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    turned = rotxyz(vector((3.0, 5.0, 7.0)), (angles[0], angles[1], angles[2]))
    got = [torch.autograd.grad(component, angles, retain_graph=True)[0][axis].item() for component in turned]
    assert tuple(got) == slope


def test_the_gradient_at_zero_with_respect_to_the_vector_is_the_identity() -> None:
    """The skipped rotation passes gradients of the vector on unchanged (P5.1)."""
    v = torch.tensor([3.0, 5.0, 7.0], dtype=torch.float64, requires_grad=True)
    turned = rotxyz((v[0], v[1], v[2]), vector((0.0, 0.0, 0.0)))
    rows = [torch.autograd.grad(component, v, retain_graph=True)[0].tolist() for component in turned]
    assert rows == np.eye(3).tolist()


def test_gradients_agree_with_finite_differences() -> None:
    """Vector, axis and angles are all differentiable (P5.1, P5.2)."""
    inputs = [torch.tensor(t, dtype=torch.float64, requires_grad=True) for t in triples(2, 2.0, 11)]

    def about_xyz(v: Tensor, angles: Tensor) -> Vec3:
        return rotxyz((v[0], v[1], v[2]), (angles[0], angles[1], angles[2]))

    def about_axis(v: Tensor, axis: Tensor) -> Vec3:
        return rotaxis((v[0], v[1], v[2]), (axis[0], axis[1], axis[2]), axis[0])

    assert torch.autograd.gradcheck(about_xyz, inputs)
    assert torch.autograd.gradcheck(about_axis, inputs)


def test_only_the_zeros_among_many_angles_are_skipped() -> None:
    """Each angle of a batch decides for itself (P5.1, P6.8)."""
    angle = torch.tensor([0.0, 1.0, -0.0], dtype=torch.float64)
    kept = torch.full((), -0.0, dtype=torch.float64)
    moved = torch.full((3,), 9.0, dtype=torch.float64)
    x, _, _ = unless_zero(angle, (kept, kept, kept), (moved, moved, moved))
    assert [value.hex() for value in x.tolist()] == ["-0x0.0p+0", "0x1.2000000000000p+3", "-0x0.0p+0"]
