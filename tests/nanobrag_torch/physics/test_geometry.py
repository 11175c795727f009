"""Positions and solid angles of sub-pixels (P6.4, P6.5)."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from torch import Tensor

from nanobrag_torch.physics.geometry import (
    curved_position,
    flat_position,
    plane_coordinate,
    point_solid_angle_sr,
    solid_angle_sr,
)
from nanobrag_torch.physics.vectors import Vec3, norm, unit
from nanobrag_torch.setup import libm

Triple = tuple[float, float, float]


def f64(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def vec(x: float, y: float, z: float) -> Vec3:
    return f64(x), f64(y), f64(z)


def components(v: Vec3) -> Triple:
    return v[0].item(), v[1].item(), v[2].item()


# the MOSFLM row of P2.4, negative zeros avoided
MOSFLM = (vec(0, 0, 1), vec(0, -1, 0), vec(1, 0, 0))
BEAM = vec(1, 0, 0)
C_LIBRARY = libm.on(torch.device("cpu"))
PIX0_OF_V1 = tuple(
    float.fromhex(word) for word in ("0x1.999999999999ap-4", "0x1.47ae147ae147cp-8", "-0x1.47ae147ae147cp-8")
)


def test_check_values_of_a_pixel() -> None:
    """Pixel slow 2, fast 5 of V1 has the coordinates, distance, direction and solid angle of P10.2."""
    pixel, pix0 = f64(0.001), vec(*PIX0_OF_V1)
    fast, slow = plane_coordinate(f64(5), pixel), plane_coordinate(f64(2), pixel)
    assert fast.item() == float.fromhex("0x1.6872b020c49bap-8")
    assert slow.item() == float.fromhex("0x1.47ae147ae147bp-9")
    position = flat_position(fast, slow, f64(0), MOSFLM, pix0)
    airpath = norm(position)
    assert airpath.item() == float.fromhex("0x1.99bbac55c97e8p-4")
    assert [x.hex() for x in components(unit(position))] == [
        "0x1.ffd56c1f7d144p-1",
        "0x1.997789b2ca76cp-6",
        "0x1.4792d48f085dfp-8",
    ]
    omega = solid_angle_sr(airpath, pixel, f64(PIX0_OF_V1[0]))
    assert omega.item() == float.fromhex("0x1.a30593db823edp-14")


def test_subpixels_lie_in_the_middle_of_their_share() -> None:
    """Sub-pixel i of 1/2**-10 m begins at i and ends at i + 1 of them; its middle is exact (P6.4)."""
    size = Fraction(1, 1024)
    index = torch.arange(12, dtype=torch.float64).reshape(3, 4)
    got = plane_coordinate(index, f64(float(size)))
    assert got.shape == (3, 4)
    assert got.flatten().tolist() == [float((i * size + (i + 1) * size) / 2) for i in range(12)]


@pytest.mark.parametrize("oversample", [2, 3, 5])
def test_subpixels_are_centred_on_their_pixel(oversample: int) -> None:
    """The middles of the sub-pixels of a pixel average to the middle of the pixel (P6.4)."""
    pixel, x = 1.72e-4, 431
    indices = torch.arange(x * oversample, (x + 1) * oversample, dtype=torch.float64)
    middles = plane_coordinate(indices, f64(pixel / oversample))
    # roundings of numbers of 0.07 m
    assert middles.mean().item() == pytest.approx((x + Fraction(1, 2)) * Fraction(pixel), rel=1e-15)


def test_flat_position_of_known_points() -> None:
    """Fast, slow and depth are measured along their own axes from the corner (P6.4)."""
    origin = vec(100, 20, -30)
    assert components(flat_position(f64(0), f64(0), f64(0), MOSFLM, origin)) == (100, 20, -30)
    assert components(flat_position(f64(3), f64(0), f64(0), MOSFLM, origin)) == (100, 20, -27)
    assert components(flat_position(f64(0), f64(5), f64(0), MOSFLM, origin)) == (100, 15, -30)
    assert components(flat_position(f64(0), f64(0), f64(7), MOSFLM, origin)) == (107, 20, -30)


def test_the_corner_is_added_last() -> None:
    """Two halves of a last bit are lost before a corner that cancels the first term is added (P6.4, P9.2)."""
    one, half = vec(1, 1, 1), f64(2.0**-53)
    got = flat_position(f64(1), half, half, (one, one, one), vec(-1, -1, -1))
    assert components(got) == (0.0, 0.0, 0.0)
    got = flat_position(half, half, f64(1), (one, one, one), vec(-1, -1, -1))
    assert components(got) == (2.0**-52, 2.0**-52, 2.0**-52)


def curved(y: float, z: float, distance: float) -> Triple:
    """The curved position of a flat one in the MOSFLM frame."""
    fdet, sdet, _ = MOSFLM
    return components(curved_position(vec(distance, y, z), (fdet, sdet), BEAM, f64(distance), C_LIBRARY))


@pytest.mark.parametrize(
    ("axes", "beam"),
    [(MOSFLM, BEAM), ((vec(0.6, 0, 0.8), vec(0, -1, 0), vec(0.8, 0, -0.6)), vec(0.8, 0.0, -0.6))],
)
def test_a_curved_detector_is_equally_far_everywhere(axes: tuple[Vec3, Vec3, Vec3], beam: Vec3) -> None:
    """All its points lie on one sphere about the sample (P6.4 step 3)."""
    generator = torch.Generator().manual_seed(1)
    distance = 0.125
    y, z = 0.3 * (torch.rand((2, 500), generator=generator, dtype=torch.float64) - 0.5)
    flat = (torch.full_like(y, distance), y, z)
    radius = norm(curved_position(flat, axes[:2], beam, f64(distance), C_LIBRARY))
    # two rotations, a few roundings each
    assert radius.tolist() == pytest.approx([distance] * 500, rel=2e-15)


def test_the_curved_detector_touches_the_flat_one_at_the_beam() -> None:
    """The point in the direct beam is the same on both (P6.4 step 3)."""
    assert curved(0.0, 0.0, 0.25) == (0.25, 0.0, 0.0)


@pytest.mark.parametrize("angle", [-1.0, -0.01, 0.3, 1.5])
def test_the_curved_detector_exchanges_the_directions(angle: float) -> None:
    """The arc equals the flat distance, but y moves along f and z against s (HD-DET-7)."""
    distance = 0.2
    arc = angle * distance
    along, across = distance * math.cos(angle), distance * math.sin(angle)
    # quotient, sine and products of numbers of 0.2
    assert curved(arc, 0.0, distance) == pytest.approx((along, 0.0, across), rel=1e-15, abs=1e-16)
    assert curved(0.0, arc, distance) == pytest.approx((along, across, 0.0), rel=1e-15, abs=1e-16)


def turned(v: Triple, axis: Triple, angle: float) -> Triple:
    """``v`` turned about ``axis``, number by number with the sines of the C library, as P5.2 writes it."""
    (v1, v2, v3), (e1, e2, e3), sin, cos = v, axis, math.sin(angle), math.cos(angle)
    g = (e1 * v1 + e2 * v2 + e3 * v3) * (1.0 - cos)
    return (
        e1 * g + v1 * cos + (-e3 * v2 + e2 * v3) * sin,
        e2 * g + v2 * cos + (e3 * v1 - e1 * v3) * sin,
        e3 * g + v3 * cos + (-e2 * v1 + e1 * v2) * sin,
    )


def test_the_curved_position_has_the_bits_of_the_c_library() -> None:
    """A position feeds the phase, so its swings are exact to the last bit (P6.4 step 3, P9.2)."""
    generator = torch.Generator().manual_seed(2)
    y, z = 0.3 * (torch.rand((2, 20000), generator=generator, dtype=torch.float64) - 0.5)
    got = torch.stack(curved_position((y, y, z), MOSFLM[:2], BEAM, f64(0.1), C_LIBRARY))
    fdet, sdet = components(MOSFLM[0]), components(MOSFLM[1])
    expected = [
        turned(turned((0.1, 0.0, 0.0), sdet, at_y / 0.1), fdet, at_z / 0.1)
        for at_y, at_z in zip(y.tolist(), z.tolist(), strict=True)
    ]
    assert int((got != torch.tensor(expected, dtype=torch.float64).T).any(0).sum()) == 0


def test_a_radius_of_zero_bends_nothing_to_a_number() -> None:
    """With no distance the angles are infinite or undefined, and so is the position (P6.4 step 3)."""
    assert all(math.isnan(x) for x in curved(0.1, -0.2, 0.0))
    assert all(math.isnan(x) for x in curved(0.0, 0.0, 0.0))


def rectangle_sr(half_fast: float, half_slow: float, distance: float) -> float:
    """Solid angle of a rectangle seen from above its middle: a right rectangular pyramid."""
    hypotenuses = math.hypot(half_fast, distance) * math.hypot(half_slow, distance)
    return 4.0 * math.asin(half_fast * half_slow / hypotenuses)


def test_the_pyramid_of_a_cube_is_a_sixth_of_the_sphere() -> None:
    """The closed form that the next test relies on is right for the faces of a cube."""
    assert rectangle_sr(1.0, 1.0, 1.0) == pytest.approx(4.0 * math.pi / 6.0, rel=1e-15)


@pytest.mark.parametrize(
    ("half_fast", "half_slow", "distance"), [(0.05, 0.05, 0.05), (0.05, 0.03, 0.04), (0.02, 0.04, 0.2)]
)
def test_pixels_add_up_to_the_solid_angle_of_the_detector(
    half_fast: float, half_slow: float, distance: float
) -> None:
    """The pixels of a flat detector cover the solid angle of a rectangular pyramid (P6.5)."""
    pixel = 0.001
    nf, ns = round(2 * half_fast / pixel), round(2 * half_slow / pixel)
    fast = plane_coordinate(torch.arange(nf, dtype=torch.float64), f64(pixel))
    slow = plane_coordinate(torch.arange(ns, dtype=torch.float64), f64(pixel))
    corner = vec(distance, half_slow, -half_fast)
    position = flat_position(fast[None, :], slow[:, None], f64(0), MOSFLM, corner)
    total = solid_angle_sr(norm(position), f64(pixel), f64(distance)).sum().item()
    # the error of the midpoint rule is (pixel/distance)**2/24 times a curvature of about 3
    assert total == pytest.approx(
        rectangle_sr(half_fast, half_slow, distance), rel=(pixel / distance) ** 2 / 4
    )


def test_solid_angle_facing_the_sample() -> None:
    """A pixel in the foot of the perpendicular has its area over the distance squared (P6.5)."""
    assert solid_angle_sr(f64(4), f64(0.5), f64(4)).item() == 1 / 64


def test_solid_angle_falls_with_the_cosine_cubed() -> None:
    """At 60 degrees from the perpendicular an eighth remains (P6.5)."""
    facing, oblique = solid_angle_sr(
        torch.tensor([2.0, 4.0], dtype=torch.float64), f64(0.25), f64(2)
    ).tolist()
    assert oblique == facing / 8


def test_point_pixels_feel_the_distance_alone() -> None:
    """A point pixel counts as one square metre that faces the sample (P6.5)."""
    airpath = torch.tensor([0.5, 1.0, 4.0], dtype=torch.float64)
    assert point_solid_angle_sr(airpath).tolist() == [4.0, 1.0, 0.0625]


def test_gradients_reach_the_solid_angle() -> None:
    """Solid angle and curved position are differentiable by the distance and the corner."""

    def chain(corner: Tensor, distance: Tensor) -> Tensor:
        flat = flat_position(f64(0.03), f64(0.02), f64(0), MOSFLM, (corner[0], corner[1], corner[2]))
        bent = curved_position(flat, MOSFLM[:2], BEAM, distance, C_LIBRARY)
        return torch.stack([*bent, solid_angle_sr(norm(flat), f64(0.1), distance)])

    corner = torch.tensor([0.9, 0.4, -0.3], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(chain, (corner, f64(0.9).requires_grad_()))
