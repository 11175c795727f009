"""Vector operations on component tuples, in the operation order of P0.3.

A ``Vec3`` is (x, y, z), three tensors of any shapes that broadcast together.
The same functions serve the scalar set-up and the pixel loop.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nanobrag_torch.physics.roots import sqrt

Vec3 = tuple[Tensor, Tensor, Tensor]


def dot(u: Vec3, v: Vec3) -> Tensor:
    """Scalar product, summed x, y, z from left to right (P0.3)."""
    return u[0] * v[0] + u[1] * v[1] + u[2] * v[2]


def cross(u: Vec3, v: Vec3) -> Vec3:
    """Vector product (P0.3)."""
    return (
        u[1] * v[2] - u[2] * v[1],
        u[2] * v[0] - u[0] * v[2],
        u[0] * v[1] - u[1] * v[0],
    )


def norm(v: Vec3) -> Tensor:
    """Length, with a correctly rounded root (P0.3, P0.4)."""
    return sqrt(dot(v, v))


def scale(s: Tensor, v: Vec3) -> Vec3:
    """``s`` times each component (P0.3)."""
    return s * v[0], s * v[1], s * v[2]


def add(u: Vec3, v: Vec3) -> Vec3:
    """Sum by components."""
    return u[0] + v[0], u[1] + v[1], u[2] + v[2]


def subtract(u: Vec3, v: Vec3) -> Vec3:
    """Difference by components."""
    return u[0] - v[0], u[1] - v[1], u[2] - v[2]


def negate(v: Vec3) -> Vec3:
    """The opposite vector; exact."""
    return -v[0], -v[1], -v[2]


def divide(v: Vec3, s: Tensor) -> Vec3:
    """Each component divided by ``s``; not the same bits as a product with 1/s (P9.2)."""
    return v[0] / s, v[1] / s, v[2] / s


def direction(v: Vec3, length: Tensor) -> Vec3:
    """``v`` divided by its known ``length``; the zero vector where that is 0 (P0.3, unit)."""
    safe = torch.where(length == 0, torch.ones_like(length), length)
    return divide(v, safe)


def unit(v: Vec3) -> Vec3:
    """Unit vector along ``v``; the zero vector where ``v`` is zero (P0.3)."""
    return direction(v, norm(v))


def rescale(v: Vec3, length: Tensor) -> Vec3:
    """``v`` brought to ``length``; unchanged direction, factor formed first (P0.3)."""
    n = norm(v)
    return scale(length / torch.where(n <= 0, torch.ones_like(n), n), v)


def select(condition: Tensor, u: Vec3, v: Vec3) -> Vec3:
    """``u`` where ``condition`` holds, ``v`` elsewhere."""
    return (
        torch.where(condition, u[0], v[0]),
        torch.where(condition, u[1], v[1]),
        torch.where(condition, u[2], v[2]),
    )
