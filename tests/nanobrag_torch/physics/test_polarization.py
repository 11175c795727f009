"""Polarization factor (P7)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from nanobrag_torch.physics.polarization import polarization_factor
from nanobrag_torch.physics.vectors import Vec3, dot, negate, unit


def f64(value: float | list[float]) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def vec(x: float, y: float, z: float) -> Vec3:
    return f64(x), f64(y), f64(z)


BEAM, AXIS, NORMAL = vec(1, 0, 0), vec(0, 0, 1), vec(0, 1, 0)
"""The MOSFLM frame: beam along x, polarization along z, the vector perpendicular to both."""


def cone(two_theta: float, count: int) -> Vec3:
    """Directions at the angle ``two_theta`` from the beam, evenly spread in azimuth."""
    azimuth = torch.arange(count, dtype=torch.float64) * (2.0 * math.pi / count) + 0.1
    s = math.sin(two_theta)
    return torch.full_like(azimuth, math.cos(two_theta)), s * torch.cos(azimuth), s * torch.sin(azimuth)


def sphere(count: int, seed: int) -> Vec3:
    x, y, z = torch.tensor(np.random.default_rng(seed).normal(size=(3, count)))
    return unit((x, y, z))


def test_check_value_of_a_pixel() -> None:
    """Factor of V1 at pixel slow 2, fast 5, to the last bit (P10.2)."""
    d = [float.fromhex(x) for x in ("0x1.ffd56c1f7d144p-1", "0x1.997789b2ca76cp-6", "0x1.4792d48f085dfp-8")]
    got = polarization_factor(f64(0), BEAM, unit(vec(d[0], d[1], d[2])), AXIS, False)
    assert got.item() == float.fromhex("0x1.ffd56de4b3d9ep-1")


@pytest.mark.parametrize(
    ("degrees", "expected"), [(0, 1.0), (60, 0.625), (90, 0.5), (120, 0.625), (180, 1.0)]
)
@pytest.mark.parametrize("polarized", [False, True])
def test_unpolarized_beam(degrees: float, expected: float, polarized: bool) -> None:
    """With K = 0 the factor is (1 + cos(2 theta)**2)/2 at every azimuth, computed or not (P7)."""
    d = cone(math.radians(degrees), 24)
    got = polarization_factor(f64(0), BEAM, d, AXIS, polarized)
    assert got.tolist() == pytest.approx([expected] * 24, rel=4e-16)


@pytest.mark.parametrize("kahn", [-0.5, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("degrees", [10, 45, 90, 150])
def test_average_over_the_azimuth_is_unpolarized(kahn: float, degrees: float) -> None:
    """Around the beam the polarization averages out, since cos(2 psi) does (P7)."""
    two_theta = math.radians(degrees)
    got = polarization_factor(f64(kahn), BEAM, cone(two_theta, 36), AXIS, True)
    assert got.std().item() > 0.001, "the factor depends on the azimuth"
    assert got.mean().item() == pytest.approx((1.0 + math.cos(two_theta) ** 2) / 2.0, rel=1e-14)


def test_nothing_is_scattered_along_the_polarization() -> None:
    """A fully polarized beam sends nothing to 90 degrees in the direction of its field (P7)."""
    for d in (AXIS, negate(AXIS)):
        # the square of a cosine of 90 degrees, 6e-17, and the rounding of numbers of size 1
        assert polarization_factor(f64(1), BEAM, d, AXIS, True).item() == pytest.approx(0.0, abs=1e-15)


def test_everything_is_scattered_across_the_polarization() -> None:
    """In the plane perpendicular to its field a fully polarized beam is not weakened (P7)."""
    angles = torch.linspace(0.1, 3.0, 20, dtype=torch.float64)
    d = (torch.cos(angles), torch.sin(angles), torch.zeros_like(angles))
    got = polarization_factor(f64(1), BEAM, d, AXIS, True)
    assert got.tolist() == pytest.approx([1.0] * 20, rel=1e-15)


@pytest.mark.parametrize("kahn", [-1.0, 0.0, 0.4, 0.99, 1.0])
def test_the_field_radiates_like_dipoles(kahn: float) -> None:
    """Two dipoles, along the axis and across it, carry (1 + K)/2 and (1 - K)/2 of the beam (P7)."""
    d = sphere(300, 1)
    along, across = dot(d, AXIS), dot(d, NORMAL)
    expected = (1.0 + kahn) / 2.0 * (1.0 - along**2) + (1.0 - kahn) / 2.0 * (1.0 - across**2)
    got = polarization_factor(f64(kahn), BEAM, d, AXIS, True)
    # an arctangent and a cosine, weighted by numbers below 1
    assert got.tolist() == pytest.approx(expected.tolist(), rel=0, abs=2e-15)


def test_the_sign_of_the_axis_does_not_matter() -> None:
    """A field along p is one along -p (P7)."""
    d = sphere(100, 2)
    one = polarization_factor(f64(0.7), BEAM, d, AXIS, True)
    other = polarization_factor(f64(0.7), BEAM, d, negate(AXIS), True)
    assert one.tolist() == pytest.approx(other.tolist(), rel=0, abs=1e-15)


def test_only_the_transverse_part_of_the_axis_counts() -> None:
    """An axis inclined towards the beam acts like its projection (P7)."""
    d = sphere(100, 3)
    straight = polarization_factor(f64(0.7), BEAM, d, AXIS, True)
    inclined = polarization_factor(f64(0.7), BEAM, d, vec(0.6, 0.0, 0.8), True)
    assert inclined.tolist() == pytest.approx(straight.tolist(), rel=0, abs=1e-15)


def test_the_factor_turns_with_the_frame() -> None:
    """A cyclic exchange of the axes of beam, field and ray changes nothing (P7)."""
    d = sphere(100, 4)
    turned = polarization_factor(
        f64(-0.6), (BEAM[2], BEAM[0], BEAM[1]), (d[2], d[0], d[1]), (AXIS[2], AXIS[0], AXIS[1]), True
    )
    straight = polarization_factor(f64(-0.6), BEAM, d, AXIS, True)
    assert turned.tolist() == pytest.approx(straight.tolist(), rel=0, abs=1e-15)


@pytest.mark.parametrize("axis", [vec(1, 0, 0), vec(-1, 0, 0)])
def test_beam_along_the_axis(axis: Vec3) -> None:
    """Without a transverse field cos(2 psi) is 1: at 60 degrees 0.5*(1 + 1/4 - K*3/4), and finite (P7)."""
    got = polarization_factor(f64(0.8), BEAM, cone(math.radians(60.0), 12), axis, True)
    assert got.tolist() == pytest.approx([0.5 * (1.25 - 0.8 * 0.75)] * 12, rel=1e-15)


def test_forward_scattering_is_never_weakened() -> None:
    """In the direct beam the factor is 1 for every degree of polarization (P7)."""
    kahn = torch.linspace(-1.0, 1.0, 9, dtype=torch.float64)
    assert polarization_factor(kahn, BEAM, BEAM, AXIS, True).tolist() == [1.0] * 9


def test_gradients_against_differences() -> None:
    """Degree of polarization, ray and axis have gradients."""

    def factor(kahn: Tensor, d: Tensor, axis: Tensor) -> Tensor:
        return polarization_factor(
            kahn, BEAM, unit((d[0], d[1], d[2])), unit((axis[0], axis[1], axis[2])), True
        )

    d, axis = f64([0.5, 0.6, -0.7]).requires_grad_(), f64([0.1, 0.3, 0.9]).requires_grad_()
    assert torch.autograd.gradcheck(factor, (f64(0.8).requires_grad_(), d, axis))
