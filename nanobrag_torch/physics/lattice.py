"""Lattice factor of the four crystal shapes (P6.9).

Each function takes the fractional Miller indices ``h, k, l``, their nearest nodes
``h0, k0, l0`` and the cell counts, tensors that broadcast, and returns the
amplitude in units of one cell's.

In float32 the indices are first reduced to their distance from the nearest node,
which is exact in float64 and loses nothing but the sign of the amplitude, whose
square alone counts.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from nanobrag_torch.physics.scattering import nearest_node
from nanobrag_torch.physics.vectors import Vec3

SPHERE_TO_CUBE = 0.723601254558268
"""Amplitude at the centre of ROUND relative to SQUARE (P6.9)."""
GAUSS_RADIUS = 0.63
TOPHAT_RADIUS_SQUARED = 0.3969
TINY = 2.0**-1000
"""Below the last bit of every phase but 0; its sine and its whole multiples are exact."""


def row_ratio(x: Tensor, n: Tensor) -> Tensor:
    """sin(n*x)/sin(x); a shift that no other argument feels makes x = 0 give ``n`` exactly."""
    shifted = x + TINY
    return (shifted * n).sin_().div_(shifted.sin_())


class _RowAmplitude(torch.autograd.Function):
    """``row_ratio`` with the limit at x = 0 in the gradient too."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, n: Tensor) -> Tensor:
        value = row_ratio(x, n)
        ctx.save_for_backward(x, n, value)
        return value

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor | None]:
        x, n, value = ctx.saved_tensors
        at_zero = x == 0
        safe = torch.where(at_zero, torch.ones_like(x), torch.sin(x))
        phase = x * n
        slope = (n * torch.cos(phase) - value * torch.cos(x)) / safe
        by_x = grads[0] * torch.where(at_zero, torch.zeros_like(slope), slope)
        by_n = None
        if ctx.needs_input_grad[1]:
            full = grads[0] * torch.where(at_zero, torch.ones_like(slope), x * torch.cos(phase) / safe)
            by_n = full.sum_to_size(n.shape)
        return by_x.sum_to_size(x.shape), by_n


def row_amplitude(x: Tensor, n: Tensor) -> Tensor:
    """Amplitude of a row of ``n`` equal scatterers: sin(n*x)/sin(x), and ``n`` at x = 0 (P6.9).

    ``x`` is half the phase between neighbours in rad.
    """
    if torch.is_grad_enabled() and (x.requires_grad or n.requires_grad):
        return _RowAmplitude.apply(x, n)  # type: ignore[no-any-return,no-untyped-call]
    return row_ratio(x, n)


def reduced_row_amplitude(h: Tensor, h0: Tensor, n: Tensor, dtype: torch.dtype) -> Tensor:
    """Modulus of ``row_amplitude`` at pi*h, evaluated in ``dtype`` after exact reductions.

    Both arguments are taken to their distance from the nearest multiple of pi in
    float64, so that float32 sees numbers below pi/2 only.
    """
    distance = h - h0
    turns = distance * n
    top = torch.sin(((turns - nearest_node(turns)) * math.pi).to(dtype))
    bottom = torch.sin((distance * math.pi).to(dtype))
    return torch.where(bottom == 0, n.to(dtype), top / bottom)


def square(hkl: Vec3, nodes: Vec3, counts: Vec3, rows: tuple[bool, bool, bool], dtype: torch.dtype) -> Tensor:
    """Parallelepiped: product of three rows; ``rows`` marks the axes of more than one cell."""
    factor: Tensor | None = None
    for h, h0, n, long in zip(hkl, nodes, counts, rows, strict=True):
        if long:
            if dtype == torch.float64:
                amplitude = row_amplitude(math.pi * h, n)
            else:
                amplitude = reduced_row_amplitude(h, h0, n, dtype)
            factor = amplitude if factor is None else factor.mul_(amplitude)
    return torch.ones_like(hkl[0], dtype=dtype) if factor is None else factor


def sphere_transform(x: Tensor) -> Tensor:
    """3*(sin(x)/x - cos(x))/x^2, the transform of a solid sphere; 1 at x = 0 (P6.9)."""
    at_zero = x == 0
    safe = torch.where(at_zero, torch.ones_like(x), x)
    value = 3.0 * (torch.sin(safe) / safe - torch.cos(safe)) / (safe * safe)
    return torch.where(at_zero, torch.ones_like(x), value)


def round_(hkl: Vec3, nodes: Vec3, counts: Vec3, fudge: Tensor, dtype: torch.dtype) -> Tensor:
    """Ellipsoid (ROUND of P6.9)."""
    (h, k, l), (h0, k0, l0), (Na, Nb, Nc) = hkl, nodes, counts
    dh, dk, dl = h - h0, k - k0, l - l0
    r2 = dh * dh * Na * Na + dk * dk * Nb * Nb + dl * dl * Nc * Nc
    # not through roots.sqrt: P9.2 finds no pixel that an ulp in a lattice factor changes
    x = math.pi * safe_sqrt(r2 * fudge)
    return (Na * Nb * Nc * SPHERE_TO_CUBE).to(dtype) * sphere_transform(x.to(dtype))


def safe_sqrt(x: Tensor) -> Tensor:
    """Square root whose gradient at 0 is 0 instead of infinite."""
    at_zero = x == 0
    return torch.where(at_zero, torch.zeros_like(x), torch.sqrt(torch.where(at_zero, torch.ones_like(x), x)))


def reciprocal_distance(hkl: Vec3, nodes: Vec3, counts: Vec3, reciprocal_inv_A: tuple[Vec3, Vec3, Vec3]) -> Tensor:
    """Scaled squared distance rho from the nearest node, of GAUSS and TOPHAT (P6.9)."""
    (h, k, l), (h0, k0, l0), (Na, Nb, Nc) = hkl, nodes, counts
    a_star, b_star, c_star = reciprocal_inv_A
    dh, dk, dl = h - h0, k - k0, l - l0
    e1, e2, e3 = (dh * a_star[i] + dk * b_star[i] + dl * c_star[i] for i in range(3))
    return (e1 * e1 + e2 * e2 + e3 * e3) * Na * Na * Nb * Nb * Nc * Nc


def gauss(rho: Tensor, counts: Vec3, fudge: Tensor, dtype: torch.dtype) -> Tensor:
    """Gaussian spots (GAUSS of P6.9)."""
    Na, Nb, Nc = counts
    return (Na * Nb * Nc).to(dtype) * torch.exp(-(rho / GAUSS_RADIUS * fudge).to(dtype))


def tophat(rho: Tensor, counts: Vec3, fudge: Tensor, dtype: torch.dtype) -> Tensor:
    """Flat spots: all or nothing (TOPHAT of P6.9). Its gradient is that of the cell counts."""
    Na, Nb, Nc = counts
    inside = (rho * fudge < TOPHAT_RADIUS_SQUARED).to(dtype)
    return (Na * Nb * Nc).to(dtype) * inside
