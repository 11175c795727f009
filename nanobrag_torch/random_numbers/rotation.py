"""Random rotations and their angles (R7, R8; P5.4, P5.6)."""

from __future__ import annotations

import math

import numpy as np

from nanobrag_torch.random_numbers.uniform import Stream

Row = tuple[float, float, float]
Matrix = tuple[Row, Row, Row]
THIRD = np.float32(1.0 / 3.0)


def cap(largest_rad: float, stream: Stream) -> Matrix:
    """Rotation by at most ``largest_rad`` about a random axis, row by row; draws three deviates.

    Source: R7, P5.4; the order of operations is that of the text.
    """
    r1, r2, r3 = (2.0 * stream.draw() - 1.0 for _ in range(3))
    height = math.sqrt(1.0 - r2 * r2)
    axis = (height * math.sin(math.pi * r1), height * math.cos(math.pi * r1), r2)
    return _about(axis, _angle(largest_rad, r3))


def _angle(largest_rad: float, r: float) -> float:
    """Angle in radians, all in binary32.

    The power of two numpy scalars is that of the C library; arrays use other code (R12.2).
    """
    power = np.float32(1.0 - r * r) ** THIRD
    return float(np.float32(largest_rad) * power)


def _about(axis: Row, angle_rad: float) -> Matrix:
    """Right-handed rotation by ``angle_rad`` about the unit vector ``axis``."""
    e1, e2, e3 = axis
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    q = 1.0 - c
    return (
        (c + q * (e1 * e1), q * e1 * e2 - s * e3, q * e1 * e3 + s * e2),
        (q * e1 * e2 + s * e3, c + q * (e2 * e2), q * e2 * e3 - s * e1),
        (q * e1 * e3 - s * e2, q * e2 * e3 + s * e1, c + q * (e3 * e3)),
    )


def angles(matrix: Matrix) -> Row:
    """Angles in radians about x, then y, then z that make up ``matrix``. Source: R8, P5.6."""
    # the rows are normalised twice, as the historical program does
    u1, u2, u3 = (_unit(_unit(row)) for row in matrix)
    if u3[0] * u3[0] < 1.0:
        return (
            math.atan2(u3[1], u3[2]),
            math.atan2(-u3[0], math.sqrt(u3[1] * u3[1] + u3[2] * u3[2])),
            math.atan2(u2[0], u1[0]),
        )
    return math.pi, math.pi / 2, math.atan2(u1[1], -u2[1])


def _unit(row: Row) -> Row:
    length = math.sqrt(row[0] * row[0] + row[1] * row[1] + row[2] * row[2])
    return row[0] / length, row[1] / length, row[2] / length
