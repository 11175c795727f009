"""Rotations of component vectors (P5.1 to P5.3); sines and cosines come from the caller.

Every rotation feeds the phase, so they are those of the C library (P0.4, P9.2).
"""

from __future__ import annotations

from torch import Tensor

from nanobrag_torch.physics.vectors import Vec3, dot

Matrix3 = tuple[Vec3, Vec3, Vec3]


def about_x(v: Vec3, cos: Tensor, sin: Tensor) -> Vec3:
    """Right-handed rotation about the laboratory x axis (P5.1)."""
    return v[0], v[1] * cos + v[2] * (-sin), v[1] * sin + v[2] * cos


def about_y(v: Vec3, cos: Tensor, sin: Tensor) -> Vec3:
    """Right-handed rotation about the laboratory y axis (P5.1)."""
    return v[0] * cos + v[2] * sin, v[1], v[0] * (-sin) + v[2] * cos


def about_z(v: Vec3, cos: Tensor, sin: Tensor) -> Vec3:
    """Right-handed rotation about the laboratory z axis (P5.1)."""
    return v[0] * cos + v[1] * (-sin), v[0] * sin + v[1] * cos, v[2]


def about_axis(v: Vec3, axis: Vec3, cos: Tensor, sin: Tensor) -> Vec3:
    """Rodrigues rotation about ``axis``, taken as a unit vector without a check (P5.2)."""
    e1, e2, e3 = axis
    v1, v2, v3 = v
    g = (e1 * v1 + e2 * v2 + e3 * v3) * (1.0 - cos)
    return (
        e1 * g + v1 * cos + (-e3 * v2 + e2 * v3) * sin,
        e2 * g + v2 * cos + (e3 * v1 - e1 * v3) * sin,
        e3 * g + v3 * cos + (-e2 * v1 + e1 * v2) * sin,
    )


def by_matrix(v: Vec3, matrix: Matrix3) -> Vec3:
    """Matrix times vector, row by row (P5.3)."""
    return dot(matrix[0], v), dot(matrix[1], v), dot(matrix[2], v)
