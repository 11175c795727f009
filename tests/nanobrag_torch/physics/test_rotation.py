"""Rotations of component vectors (P5.1 to P5.3)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from nanobrag_torch.physics.rotation import Matrix3, about_axis, about_x, about_y, about_z, by_matrix
from nanobrag_torch.physics.vectors import Vec3, cross, dot, norm, subtract

Rotation = Callable[[Vec3, Tensor, Tensor], Vec3]
Triple = tuple[float, float, float]

AXES: list[tuple[Rotation, Triple]] = [(about_x, (1, 0, 0)), (about_y, (0, 1, 0)), (about_z, (0, 0, 1))]
SECOND_DOMAIN_OF_V8 = (
    ("0x1.fffb887ebdd50p-1", "-0x1.05548f11035b3p-7", "0x1.17b36f52409a8p-9"),
    ("0x1.055d1ba047adfp-7", "0x1.fffbd0ecf6c1fp-1", "-0x1.ec4d0608ae1dbp-12"),
    ("-0x1.173382eb1fe38p-9", "0x1.fe21b53447b63p-12", "0x1.ffffafe71afb3p-1"),
)
RECIPROCAL_CELL_OF_V1 = (
    ("0x1.80fc600f53e85p-7", "0x1.bc8b197baafb5p-8", "-0x1.4399e1b0aaab8p-8"),
    ("-0x1.26c852117e9d8p-8", "0x1.8d1fdcfd139b6p-7", "0x1.a468103e770aep-10"),
)
# a handful of roundings of numbers of size 1
ROUNDING = 1e-15


def f64(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def vec(x: float, y: float, z: float) -> Vec3:
    return f64(x), f64(y), f64(z)


def from_hex(words: tuple[str, str, str]) -> Vec3:
    return f64(float.fromhex(words[0])), f64(float.fromhex(words[1])), f64(float.fromhex(words[2]))


def components(v: Vec3) -> Triple:
    return v[0].item(), v[1].item(), v[2].item()


def cos_sin(angle: float) -> tuple[Tensor, Tensor]:
    return f64(math.cos(angle)), f64(math.sin(angle))


def random_vectors(count: int, seed: int) -> Vec3:
    """Vectors with components of size 1, one per element."""
    x, y, z = torch.tensor(np.random.default_rng(seed).normal(size=(3, count)))
    return x, y, z


def random_rotation(seed: int) -> Callable[[Vec3], Vec3]:
    """A rotation about an arbitrary unit axis by an arbitrary angle."""
    generator = np.random.default_rng(seed)
    axis = generator.normal(size=3)
    axis /= math.sqrt(float((axis * axis).sum()))
    e, (c, s) = vec(*(float(x) for x in axis)), cos_sin(generator.uniform(-math.pi, math.pi))
    return lambda v: about_axis(v, e, c, s)


QUARTER_TURNS = [
    (about_x, (1, 2, 3), (1, -3, 2)),
    (about_y, (1, 2, 3), (3, 2, -1)),
    (about_z, (1, 2, 3), (-2, 1, 3)),
]


@pytest.mark.parametrize(("rotate", "v", "expected"), QUARTER_TURNS)
def test_quarter_turns_are_right_handed(rotate: Rotation, v: Triple, expected: Triple) -> None:
    """A quarter turn takes y to z, z to x and x to y (P5.1)."""
    assert components(rotate(vec(*v), f64(0), f64(1))) == expected


@pytest.mark.parametrize(("rotate", "axis"), AXES)
def test_half_turn_reverses_what_is_perpendicular(rotate: Rotation, axis: Triple) -> None:
    """Two quarter turns keep the component along the axis and reverse the others (P5.1)."""
    expected = tuple(x if e else -x for x, e in zip((1, 2, 3), axis, strict=True))
    assert components(rotate(vec(1, 2, 3), f64(-1), f64(0))) == expected


@pytest.mark.parametrize(("rotate", "axis"), AXES)
@pytest.mark.parametrize("angle", [0.1, -0.7, 2.5])
def test_axis_rotation_agrees_with_the_rotation_about_an_axis_of_the_frame(
    rotate: Rotation, axis: Triple, angle: float
) -> None:
    """The general rotation about x, y or z is the special one (P5.1, P5.2)."""
    v, (c, s) = random_vectors(50, 1), cos_sin(angle)
    special, general = rotate(v, c, s), about_axis(v, vec(*axis), c, s)
    for one, other in zip(special, general, strict=True):
        assert one.tolist() == pytest.approx(other.tolist(), rel=0, abs=4 * ROUNDING)


def test_third_of_a_turn_about_the_diagonal_permutes_the_axes() -> None:
    """By 120 degrees about (1, 1, 1) x goes to y, y to z and z to x (P5.2)."""
    third = 1.0 / math.sqrt(3.0)
    got = about_axis(vec(1, 2, 3), vec(third, third, third), f64(-0.5), f64(math.sqrt(3.0) / 2.0))
    assert components(got) == pytest.approx((3, 1, 2), rel=0, abs=4 * ROUNDING)


def test_half_turn_about_a_face_diagonal_exchanges_two_axes() -> None:
    """By 180 degrees about (0, 1, 1) y and z are exchanged and x is reversed (P5.2)."""
    r = math.sqrt(0.5)
    got = about_axis(vec(1, 2, 3), vec(0, r, r), f64(-1), f64(0))
    assert components(got) == pytest.approx((-1, 3, 2), rel=0, abs=4 * ROUNDING)


@pytest.mark.parametrize("seed", range(5))
def test_rotations_keep_lengths_angles_and_hand(seed: int) -> None:
    """Scalar products are kept and the image of a vector product is that of the images (P5.2)."""
    rotate = random_rotation(seed)
    u, v = random_vectors(100, 10 + seed), random_vectors(100, 20 + seed)
    # components reach about 4 and their products 16, so errors may too
    assert norm(rotate(u)).tolist() == pytest.approx(norm(u).tolist(), rel=2 * ROUNDING, abs=0)
    assert dot(rotate(u), rotate(v)).tolist() == pytest.approx(dot(u, v).tolist(), rel=0, abs=30 * ROUNDING)
    left, right = cross(rotate(u), rotate(v)), rotate(cross(u, v))
    assert norm(subtract(left, right)).max().item() < 50 * ROUNDING


def test_the_axis_stays_where_it_is() -> None:
    """A vector along the axis is not moved (P5.2)."""
    e = vec(0.6, 0.0, -0.8)
    c, s = cos_sin(1.234)
    assert components(about_axis(vec(6.0, 0.0, -8.0), e, c, s)) == pytest.approx((6, 0, -8), rel=ROUNDING)


def test_opposite_turns_cancel() -> None:
    """Turning back by the same angle restores every vector (P5.1, P5.2)."""
    v, (c, s) = random_vectors(100, 30), cos_sin(0.9)
    e = vec(2.0 / 7.0, -3.0 / 7.0, 6.0 / 7.0)
    back = about_axis(about_axis(v, e, c, s), e, c, -s)
    assert norm(subtract(back, v)).max().item() < 20 * ROUNDING


def test_angles_about_one_axis_add_up() -> None:
    """A turn by 20 and one by 25 degrees make one by 45 degrees, whose cosine is known (P5.2)."""
    e = vec(0, 0, 1)
    steps = [cos_sin(math.radians(degrees)) for degrees in (20, 25)]
    v = vec(1, 0, 5)
    for c, s in steps:
        v = about_axis(v, e, c, s)
    assert components(v) == pytest.approx((math.sqrt(0.5), math.sqrt(0.5), 5), rel=2 * ROUNDING)


def test_an_infinitesimal_turn_is_a_vector_product() -> None:
    """The velocity of a rotation at angle 0 is the axis times the vector (P5.2)."""
    axis, v = (0.48, -0.6, 0.64), (1.5, 2.5, -0.5)

    def turned(angle: Tensor) -> Tensor:
        return torch.stack(about_axis(vec(*v), vec(*axis), torch.cos(angle), torch.sin(angle)))

    velocity = torch.autograd.functional.jacobian(turned, f64(0.0))  # type: ignore[no-untyped-call]
    assert velocity.tolist() == pytest.approx(np.cross(axis, v).tolist(), rel=4 * ROUNDING)


def test_a_turn_by_nothing_is_exact() -> None:
    """Cosine 1 and sine 0 leave the bits alone, about any axis (P5.1, P5.2)."""
    v, one, zero = random_vectors(50, 40), f64(1), f64(0)
    expected = [x.tolist() for x in v]
    for rotate, _ in AXES:
        assert [x.tolist() for x in rotate(v, one, zero)] == expected
    assert [x.tolist() for x in about_axis(v, vec(0.6, 0.8, 0), one, zero)] == expected


def test_matrix_rows_make_the_components() -> None:
    """A matrix is stored row by row (P5.3)."""
    matrix: Matrix3 = (vec(1, 2, 3), vec(-4, 5, 6), vec(7, 8, -9))
    assert components(by_matrix(vec(1, 10, 100), matrix)) == (321, 646, -813)


def test_matrix_of_a_cyclic_permutation() -> None:
    """The matrix that takes x to y, y to z and z to x does so for many vectors at once (P5.3)."""
    v = random_vectors(20, 50)
    cyclic: Matrix3 = (vec(0, 0, 1), vec(1, 0, 0), vec(0, 1, 0))
    assert [x.tolist() for x in by_matrix(v, cyclic)] == [v[2].tolist(), v[0].tolist(), v[1].tolist()]


def test_second_mosaic_domain_is_a_rotation() -> None:
    """The domain of P10.2 keeps lengths and hand, and turns by less than its half degree (P5.4, P10.2)."""
    matrix = (
        from_hex(SECOND_DOMAIN_OF_V8[0]),
        from_hex(SECOND_DOMAIN_OF_V8[1]),
        from_hex(SECOND_DOMAIN_OF_V8[2]),
    )
    x, y, z = (by_matrix(vec(*axis), matrix) for _, axis in AXES)
    # rounded axis, cosine and sine make the columns a few units in the last place long or short
    assert [norm(v).item() for v in (x, y, z)] == pytest.approx([1.0] * 3, rel=0, abs=3 * ROUNDING)
    assert components(cross(x, y)) == pytest.approx(components(z), rel=0, abs=3 * ROUNDING)
    trace = x[0].item() + y[1].item() + z[2].item()
    assert 0.0 < math.degrees(math.acos((trace - 1.0) / 2.0)) < 0.5


def test_missetting_turns_about_x_then_y_then_z() -> None:
    """Turned back the cell of P10.2 has A* along x and B* in the xy plane (P3.1, P3.3, P5.1)."""
    back: list[tuple[Rotation, float]] = [(about_z, -30), (about_y, -20), (about_x, -10)]
    turned = []
    for words in RECIPROCAL_CELL_OF_V1:
        v = from_hex(words)
        for rotate, degrees in back:
            v = rotate(v, *cos_sin(math.radians(degrees)))
        turned.append(v)
    a_star, b_star = turned
    # the components are about 0.01, the roundings of P3.5 are relative to that
    assert components(a_star)[1:] == pytest.approx((0, 0), rel=0, abs=1e-17)
    assert components(b_star)[2] == pytest.approx(0, rel=0, abs=1e-17)
    assert a_star[0].item() > 0.01
    assert b_star[1].item() > 0.01


def test_gradients_of_the_angle_and_the_vector() -> None:
    """A rotation is differentiable by its vector, its axis and its angle."""

    def turned(v: Tensor, e: Tensor, angle: Tensor) -> Tensor:
        cos, sin = torch.cos(angle), torch.sin(angle)
        return torch.stack(about_axis(about_x(unbind(v), cos, sin), unbind(e), cos, sin))

    def unbind(v: Tensor) -> Vec3:
        return v[0], v[1], v[2]

    v = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    e = torch.tensor([0.6, 0.0, 0.8], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(turned, (v, e, f64(0.4).requires_grad_()))
