"""Scattering vector and Miller indices: the part of the pixel loop whose last bits count (P9.1)."""

from __future__ import annotations

from torch import Tensor

from nanobrag_torch.physics.vectors import Vec3, divide, norm, subtract


def scattering_vector(diffracted: Vec3, incident: Vec3, wavelength_m: Tensor) -> Vec3:
    """Scattering vector (d - k)/lambda in 1/m, of two unit vectors (P6.7)."""
    return divide(subtract(diffracted, incident), wavelength_m)


def within_resolution(q_inv_m: Vec3, dmin_m: Tensor) -> Tensor:
    """Whether the spacing, one over the length of q, is at least ``dmin_m``; true at q = 0 (P6.7)."""
    stol = 0.5 * norm(q_inv_m)
    return ~((stol > 0) & (dmin_m > 0.5 / stol))


def miller_indices(q_inv_m: Vec3, cells_m: Vec3) -> Tensor:
    """Fractional Miller indices: the scattering vector along each cell vector (P6.9).

    Args: ``q_inv_m`` and ``cells_m`` of shapes that broadcast; ``cells_m`` with the axes a, b, c first.
    Returns: h, k, l, shape (3, ...).
    """
    # dot of P0.3 with the sums formed in place: this is the innermost loop
    x, y, z = cells_m
    return (x * q_inv_m[0]).add_(y * q_inv_m[1]).add_(z * q_inv_m[2])


def nearest_node(h: Tensor) -> Tensor:
    """Nearest whole number, ties down, as a float of the same shape (P0.5)."""
    return (h - 0.5).ceil_()
