"""Polarization factor (P7)."""

from __future__ import annotations

import torch
from torch import Tensor

from nanobrag_torch.physics.vectors import Vec3, cross, dot, unit


def polarization_factor(
    kahn: Tensor, incident: Vec3, diffracted: Vec3, axis: Vec3, polarized: bool
) -> Tensor:
    """Kahn's factor, dimensionless, for unit vectors ``incident``, ``diffracted`` and ``axis``.

    ``polarized`` says whether ``kahn`` is not 0; without it the azimuth does not
    matter and is not computed. Source: P7; Kahn et al., J. Appl. Cryst. 15 (1982) 330.
    """
    c = dot(incident, diffracted)
    c2 = c * c
    s2 = 1 - c2
    if not polarized:
        # K*cos(2*psi) with K = 0 and psi = 0
        return 0.5 * (1.0 + c2 - (kahn * 1.0) * s2)
    b_in = unit(cross(axis, incident))
    e_in = unit(cross(incident, b_in))
    psi = -torch.atan2(dot(diffracted, b_in), dot(diffracted, e_in))
    return 0.5 * (1.0 + c2 - kahn * torch.cos(2 * psi) * s2)
