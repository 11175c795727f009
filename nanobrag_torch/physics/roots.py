"""A square root that is correctly rounded on every processor and device.

Eager torch takes float64 square roots of contiguous tensors from a vector
library whose result is off by one unit in the last place for about 1.4 % of
the arguments, and which differs between processors. The scattering vector is a
difference of unit vectors, so that error would reach the image (P9.1). Here the
root starts from ``torch.rsqrt``, which does not go through that library, and an
exact residual decides the last bit.
"""

from __future__ import annotations

import torch
from torch import Tensor

VELTKAMP = 134217729.0  # 2**27 + 1 splits a binary64 into two halves of 26 bits
HALF_ULP = 2.0**-53 * (1.0 + 2.0**-52)  # s plus or minus this share of s rounds to the neighbour of s


def square_error(s: Tensor, p: Tensor) -> Tensor:
    """What rounding lost when ``p = s*s`` was formed: ``s*s - p`` exactly (Dekker 1971)."""
    c = VELTKAMP * s
    high = c - (c - s)
    low = s - high
    return (high * high).sub_(p).add_((high * low).mul_(2.0)).add_(low.mul_(low))


def rounded_root(x: Tensor, start: Tensor, inverse: Tensor) -> Tensor:
    """The root of ``x`` rounded to nearest, given ``start`` a unit off and ``inverse`` near 1/start.

    The residual ``x - start*start`` is formed without an error, and one Newton step
    leads to the root or a neighbour of it. (Two units off, the residual may need a few
    bits more than there are; that can decide for one argument in 10**15.) The new
    residual follows from the old one without an error, since the step is a small whole
    number of units. The root lies beyond the middle between ``s`` and a neighbour at
    distance u if the residual exceeds s*u in size; both are multiples of u*u, and a root
    is never exactly in the middle.
    """
    p = start * start
    residual = (x - p).sub_(square_error(start, p))
    s = (residual * inverse).mul_(0.5).add_(start)
    step = s - start
    residual.sub_(start * step).sub_(step.mul_(s))
    share = s * HALF_ULP
    above, below = s + share, s - share
    root = torch.where(residual > (above - s).mul_(s), above, s)
    return torch.where(residual <= (below - s).mul_(s), below, root)


def sqrt(x: Tensor) -> Tensor:
    """Square root of ``x`` rounded to nearest, as IEEE 754 and P0.4 require.

    Any shape, float64, ``x`` at most 2**1023 and either 0 or so large that its last bit
    squared does not underflow (2**-960). The gradient is x**-0.5 / 2, at 0 finite.
    """
    inverse = torch.rsqrt(torch.where(x == 0, torch.ones_like(x), x))
    start = x * inverse
    with torch.no_grad():
        root = rounded_root(x, start, inverse)
    if start.requires_grad:
        return start + (root - start.detach())
    return root
