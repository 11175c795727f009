"""Lattice factor of the four crystal shapes (P6.9).

Each function takes the fractional Miller indices ``hkl`` and their nearest ``nodes``,
shape (3, ...) with h, k, l first, and the cell ``counts`` along a, b, c, which broadcast
with them. It returns the amplitude in units of one cell's, of the shape of one index.

In float32 the indices are first reduced to their distance from the nearest node,
which is exact in float64 and loses nothing but the sign of the amplitude, whose
square alone counts.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from nanobrag_torch.physics.scattering import nearest_node
from nanobrag_torch.physics.vectors import Vec3

Basis = tuple[Vec3, Vec3, Vec3]

SPHERE_TO_CUBE = 0.723601254558268
"""Amplitude at the centre of ROUND relative to SQUARE (P6.9)."""
GAUSS_RADIUS = 0.63
TOPHAT_RADIUS_SQUARED = 0.3969
TINY = 2.0**-1000
"""Below the last bit of every phase but 0; its sine and its whole multiples are exact."""


def row_ratio(h: Tensor, n: Tensor) -> Tensor:
    """sin(n*pi*h)/sin(pi*h); a shift that no other phase feels makes h = 0 give ``n`` exactly."""
    # not in one operation: fused, it would round the product with the shift (P0.1)
    phase = torch.mul(h, math.pi).add_(TINY)
    return (phase * n).sin_().div_(phase.sin_())


class _RowAmplitude(torch.autograd.Function):
    """``row_ratio`` with the limit at h = 0 in the gradient too."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, n: Tensor) -> Tensor:
        ctx.save_for_backward(h, n)
        return row_ratio(h, n)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor | None]:
        h, n = ctx.saved_tensors
        x = math.pi * h
        at_zero = x == 0
        safe = torch.where(at_zero, torch.ones_like(x), torch.sin(x))
        phase, value = x * n, row_ratio(h, n)
        slope = (n * torch.cos(phase) - value * torch.cos(x)) / safe * math.pi
        by_h = grads[0] * torch.where(at_zero, torch.zeros_like(slope), slope)
        by_n = None
        if ctx.needs_input_grad[1]:
            full = grads[0] * torch.where(at_zero, torch.ones_like(slope), x * torch.cos(phase) / safe)
            by_n = full.sum_to_size(n.shape)
        return by_h.sum_to_size(h.shape), by_n


def row_amplitude(h: Tensor, n: Tensor) -> Tensor:
    """Amplitude of a row of ``n`` cells: sin(pi*h*n)/sin(pi*h), and ``n`` at h = 0 (P6.9).

    ``h`` is the fractional index along the row, float64; ``n`` broadcasts with it.
    """
    if torch.is_grad_enabled() and (h.requires_grad or n.requires_grad):
        return _RowAmplitude.apply(h, n)  # type: ignore[no-any-return,no-untyped-call]
    return row_ratio(h, n)


def reduced_row_amplitude(h: Tensor, h0: Tensor, n: Tensor, dtype: torch.dtype) -> Tensor:
    """Modulus of ``row_amplitude``, evaluated in ``dtype`` after exact reductions.

    ``h0`` is the node nearest to ``h``. Both phases are taken to their distance from the
    nearest multiple of pi in float64, so that float32 sees numbers below pi/2 only.
    """
    distance = h - h0
    turns = distance * n
    top = torch.sin(((turns - nearest_node(turns)) * math.pi).to(dtype))
    bottom = torch.sin((distance * math.pi).to(dtype))
    at_node = bottom == 0
    return torch.where(at_node, n.to(dtype), top / torch.where(at_node, torch.ones_like(bottom), bottom))


def square(hkl: Tensor, nodes: Tensor, counts: Tensor, rows: Sequence[int], dtype: torch.dtype) -> Tensor:
    """Parallelepiped: product of the rows along each axis; ``rows`` are the axes of more than one cell."""
    if not rows:
        return torch.ones_like(hkl[0], dtype=dtype)
    if len(rows) < len(hkl):
        chosen = list(rows)
        hkl, nodes, counts = hkl[chosen], nodes[chosen], counts[chosen]
    if dtype == torch.float64:
        amplitudes = row_amplitude(hkl, counts)
    else:
        amplitudes = reduced_row_amplitude(hkl, nodes, counts, dtype)
    return functools.reduce(torch.mul, amplitudes.unbind(0))


def sphere_transform(x: Tensor) -> Tensor:
    """3*(sin(x)/x - cos(x))/x^2, the transform of a solid sphere; 1 at x = 0 (P6.9)."""
    at_zero = x == 0
    safe = torch.where(at_zero, torch.ones_like(x), x)
    value = 3.0 * (torch.sin(safe) / safe - torch.cos(safe)) / (safe * safe)
    return torch.where(at_zero, torch.ones_like(x), value)


def round_(hkl: Tensor, nodes: Tensor, counts: Tensor, fudge: Tensor, dtype: torch.dtype) -> Tensor:
    """Ellipsoid (ROUND of P6.9)."""
    Na, Nb, Nc = counts.unbind(0)
    dh, dk, dl = (hkl - nodes).unbind(0)
    r2 = dh * dh * Na * Na + dk * dk * Nb * Nb + dl * dl * Nc * Nc
    # not through roots.sqrt: P9.2 finds no pixel that an ulp in a lattice factor changes
    # its difference cancels near the node, which float32 cannot afford
    shape = sphere_transform(math.pi * safe_sqrt(r2 * fudge)).to(dtype)
    return (Na * Nb * Nc * SPHERE_TO_CUBE).to(dtype) * shape


def safe_sqrt(x: Tensor) -> Tensor:
    """Square root whose gradient at 0 is 0 instead of infinite."""
    at_zero = x == 0
    return torch.where(at_zero, torch.zeros_like(x), torch.sqrt(torch.where(at_zero, torch.ones_like(x), x)))


def reciprocal_distance(hkl: Tensor, nodes: Tensor, counts: Tensor, reciprocal_inv_A: Basis) -> Tensor:
    """Scaled squared distance rho from the nearest node, of GAUSS and TOPHAT (P6.9)."""
    Na, Nb, Nc = counts.unbind(0)
    a_star, b_star, c_star = reciprocal_inv_A
    dh, dk, dl = (hkl - nodes).unbind(0)
    e1, e2, e3 = (dh * a_star[i] + dk * b_star[i] + dl * c_star[i] for i in range(3))
    return (e1 * e1 + e2 * e2 + e3 * e3) * Na * Na * Nb * Nb * Nc * Nc


def gauss(rho: Tensor, counts: Tensor, fudge: Tensor, dtype: torch.dtype) -> Tensor:
    """Gaussian spots (GAUSS of P6.9)."""
    Na, Nb, Nc = counts.unbind(0)
    return (Na * Nb * Nc).to(dtype) * torch.exp(-(rho / GAUSS_RADIUS * fudge).to(dtype))


def tophat(rho: Tensor, counts: Tensor, fudge: Tensor, dtype: torch.dtype) -> Tensor:
    """Flat spots: all or nothing (TOPHAT of P6.9). Its gradient is that of the cell counts."""
    Na, Nb, Nc = counts.unbind(0)
    inside = (rho * fudge < TOPHAT_RADIUS_SQUARED).to(dtype)
    return (Na * Nb * Nc).to(dtype) * inside
