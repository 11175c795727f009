"""Which angles a unit cell can have (C10.3)."""

from __future__ import annotations

import math

SMALLEST_PRODUCT = 1e-12
"""A cell of unit edges and a volume of 2e-6: flatter ones are a slip, and near 0 the rounding decides."""

EXPECTED = (
    "a sum below 360",
    "alpha below beta + gamma",
    "beta below alpha + gamma",
    "gamma below alpha + beta",
)


def impossible_angles(alpha_deg: float, beta_deg: float, gamma_deg: float) -> str | None:
    """Why no cell has these angles, as the end of an error message, or None where one has them.

    The message begins with the option or file: ``f"{name}: {reason}"``. Source: C10.3.
    """
    angles = (alpha_deg, beta_deg, gamma_deg)
    half = sum(angles) / 2
    factors = [math.sin(math.radians(x)) for x in (half, *(half - angle for angle in angles))]
    if math.prod(factors) > SMALLEST_PRODUCT:
        return None
    expected = EXPECTED[factors.index(min(factors))]
    shown = " ".join(f"{angle:g}" for angle in angles)
    return f"no cell has the angles {shown} degrees: expected {expected}"
