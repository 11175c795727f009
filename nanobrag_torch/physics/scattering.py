"""Scattering vector and Miller indices: the part of the pixel loop whose last bits count (P9.1)."""

from __future__ import annotations

from torch import Tensor

from nanobrag_torch.physics.vectors import Vec3, divide, norm, subtract


def scattering_vector(diffracted: Vec3, incident: Vec3, wavelength_m: Tensor) -> Vec3:
    """q = (d - k)/lambda in 1/m, of two unit vectors (P6.7)."""
    return divide(subtract(diffracted, incident), wavelength_m)


def within_resolution(q_inv_m: Vec3, dmin_m: Tensor) -> Tensor:
    """Whether the spacing 1/\\|q\\| is at least ``dmin_m``; true in the direct beam (P6.7)."""
    stol = 0.5 * norm(q_inv_m)
    return ~((stol > 0) & (dmin_m > 0.5 / stol))


def miller_indices(q_inv_m: Vec3, a_m: Vec3, b_m: Vec3, c_m: Vec3) -> Vec3:
    """Fractional Miller indices h, k, l: the scattering vector along each cell vector (P6.9)."""
    return along(a_m, q_inv_m), along(b_m, q_inv_m), along(c_m, q_inv_m)


def along(v: Vec3, q: Vec3) -> Tensor:
    """``dot`` of P0.3 with the sums formed in place: this is the innermost loop.

    The first product must have the shape of the result.
    """
    return (v[0] * q[0]).add_(v[1] * q[1]).add_(v[2] * q[2])


def nearest_node(h: Tensor) -> Tensor:
    """Nearest whole number, ties down, as a float of the same shape (P0.5)."""
    return (h - 0.5).ceil_()
