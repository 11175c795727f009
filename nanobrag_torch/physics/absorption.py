"""Share of the photons that a sensor layer captures (P6.6)."""

from __future__ import annotations

import torch
from torch import Tensor


def capture_fraction(layer: int, spacing_m: Tensor, mu_inv_m: Tensor, obliquity: Tensor) -> Tensor:
    """Captured fraction of layer ``layer``, dimensionless, shape of ``obliquity``.

    ``obliquity`` is the cosine between the diffracted ray and the detector normal,
    ``mu_inv_m`` the attenuation coefficient in 1/m.
    """
    entered = torch.exp(-layer * spacing_m * mu_inv_m / obliquity)
    left = torch.exp(-(layer + 1) * spacing_m * mu_inv_m / obliquity)
    return entered - left
