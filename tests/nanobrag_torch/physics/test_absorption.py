"""Photons captured by the layers of a sensor (P6.6)."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from nanobrag_torch.physics.absorption import capture_fraction


def f64(value: float | list[float]) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


OBLIQUITY = f64([1.0, 0.9, 0.5, 0.1, 0.003])


@pytest.mark.parametrize("layers", [1, 2, 7, 100])
def test_layers_capture_what_the_sensor_stops(layers: int) -> None:
    """The layers that tile a thickness share 1 - exp(-mu*T/cos) among them (P6.6)."""
    thickness_m, mu_inv_m = 450e-6, 4000.0
    spacing = f64(thickness_m / layers)
    total = torch.zeros_like(OBLIQUITY)
    for layer in range(layers):
        total = total + capture_fraction(layer, spacing, f64(mu_inv_m), OBLIQUITY)
    expected = [-math.expm1(-thickness_m * mu_inv_m / z) for z in OBLIQUITY.tolist()]
    # each layer is a difference of numbers below 1 and adds a rounding of 1e-16, as does the sum
    assert total.tolist() == pytest.approx(expected, rel=0, abs=2e-16 * (layers + 4))


def test_half_value_layers() -> None:
    """Where each layer halves the beam the layers capture 1/2, 1/4, 1/8 of it (P6.6)."""
    spacing = f64(1e-4)
    mu = f64(math.log(2.0) / 1e-4)
    got = [capture_fraction(layer, spacing, mu, f64(1.0)).item() for layer in range(5)]
    assert got == pytest.approx([0.5 ** (layer + 1) for layer in range(5)], rel=0, abs=3e-16)


def test_an_oblique_ray_sees_a_thicker_layer() -> None:
    """At 60 degrees from the normal a layer acts like one of twice the thickness (P6.6)."""
    thick, thin, mu = f64(2e-4), f64(1e-4), f64(3000.0)
    for layer in range(4):
        oblique = capture_fraction(layer, thin, mu, f64(0.5))
        assert oblique.item() == pytest.approx(capture_fraction(layer, thick, mu, f64(1.0)).item(), rel=1e-15)


def test_a_thin_layer_captures_in_proportion_to_its_depth() -> None:
    """To first order the first layer captures mu*dT/cos of the photons (P6.6)."""
    got = capture_fraction(0, f64(1e-9), f64(1000.0), f64([1.0, 0.5]))
    # the next order is half the fraction itself, 1e-6
    assert got.tolist() == pytest.approx([1e-6, 2e-6], rel=1.1e-6)


def test_the_first_layer_gets_the_whole_beam() -> None:
    """An opaque first layer captures everything and leaves nothing to the next (P6.6)."""
    opaque = f64(1e9)
    assert capture_fraction(0, f64(1e-3), opaque, OBLIQUITY).tolist() == [1.0] * 5
    assert capture_fraction(1, f64(1e-3), opaque, OBLIQUITY).tolist() == [0.0] * 5


@pytest.mark.parametrize("layer", [0, 1, 5])
def test_without_attenuation_nothing_is_captured(layer: int) -> None:
    """A transparent sensor captures no photon, whatever the layer (P6.6)."""
    assert capture_fraction(layer, f64(1e-4), f64(0.0), OBLIQUITY).tolist() == [0.0] * 5


def test_a_ray_in_the_plane_of_the_sensor_is_finite() -> None:
    """A ray along the surface is stopped by the first layer (P6.6)."""
    grazing = f64([1e-300])
    assert capture_fraction(0, f64(1e-4), f64(1000.0), grazing).tolist() == [1.0]
    assert capture_fraction(1, f64(1e-4), f64(1000.0), grazing).tolist() == [0.0]


def test_gradients_against_differences() -> None:
    """Spacing, attenuation and obliquity have gradients."""

    def captured(spacing: Tensor, mu: Tensor, z: Tensor) -> Tensor:
        return capture_fraction(2, spacing, mu, z)

    inputs = (f64(0.2).requires_grad_(), f64(1.5).requires_grad_(), f64([0.9, 0.5]).requires_grad_())
    assert torch.autograd.gradcheck(captured, inputs)
