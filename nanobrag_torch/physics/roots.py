"""A square root that is correctly rounded on every processor and device.

Eager torch takes float64 square roots of contiguous tensors from a vector
library whose result is off by one unit in the last place for about 1.4 % of
the arguments, and which differs between processors. The scattering vector is a
difference of unit vectors, so that error would reach the image (P9.1).
"""

from __future__ import annotations

import torch
from torch import Tensor

VELTKAMP = 134217729.0  # 2**27 + 1 splits a binary64 into two halves of 26 bits


def square_error(s: Tensor, p: Tensor) -> Tensor:
    """What rounding lost when ``p = s*s`` was formed: ``s*s - p`` exactly (Dekker 1971)."""
    c = VELTKAMP * s
    high = c - (c - s)
    low = s - high
    return ((high * high - p) + 2.0 * (high * low)) + low * low


def sqrt(x: Tensor) -> Tensor:
    """Square root of ``x`` rounded to nearest, as IEEE 754 and P0.4 require.

    Any shape, float64, ``x`` at least 0. The library's root is at most one unit
    off; with the exact residual ``x - s*s`` the two neighbours are compared with
    it without rounding. A root is never half-way between two numbers, so the
    comparison decides. The gradient is that of ``torch.sqrt``.
    """
    s = torch.sqrt(x)
    with torch.no_grad():
        p = s * s
        residual = (x - p) - square_error(s, p)
        up = torch.nextafter(s, torch.full_like(s, torch.inf)) - s
        down = s - torch.nextafter(s, torch.zeros_like(s))
        correction = torch.where(residual > s * up, up, torch.zeros_like(s))
        correction = torch.where((residual < 0) & (residual <= -(s * down)), -down, correction)
    return s + correction
