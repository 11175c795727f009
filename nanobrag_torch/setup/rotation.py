"""Rotations of the set-up: angles through the C library, exact zeros skipped (P5.1, P5.2)."""

from __future__ import annotations

import torch
from torch import Tensor

from nanobrag_torch.physics import rotation
from nanobrag_torch.physics.vectors import Vec3
from nanobrag_torch.setup import libm


def unless_zero(angle: Tensor, unrotated: Vec3, rotated: Vec3) -> Vec3:
    """``unrotated`` bit for bit where ``angle`` is exactly 0, with the gradient of ``rotated``."""

    def component(i: int) -> Tensor:
        value = torch.where(angle == 0, unrotated[i], rotated[i])
        return libm.value_with_gradient_of(value.detach(), rotated[i])

    return component(0), component(1), component(2)


def rotxyz(v: Vec3, angles: Vec3) -> Vec3:
    """``v`` turned about the laboratory x, then y, then z axis by ``angles`` in rad (P5.1)."""
    turns = (rotation.about_x, rotation.about_y, rotation.about_z)
    for turn, angle in zip(turns, angles, strict=True):
        v = unless_zero(angle, v, turn(v, libm.cos(angle), libm.sin(angle)))
    return v


def rotaxis(v: Vec3, axis: Vec3, angle: Tensor) -> Vec3:
    """``v`` turned about ``axis`` by ``angle`` in rad; the arithmetic is done at 0 too (P5.2)."""
    return rotation.about_axis(v, axis, libm.cos(angle), libm.sin(angle))
