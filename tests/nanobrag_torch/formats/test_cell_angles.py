"""Angles that a cell can have (C10.3)."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest

from nanobrag_torch.formats.unit_cell import impossible_angles


def spanned(angles: tuple[float, float, float]) -> bool:
    """Whether three vectors have these mutual angles: their Gram matrix is positive definite."""
    al, be, ga = (math.cos(math.radians(angle)) for angle in angles)
    return bool(np.linalg.eigvalsh([[1, ga, be], [ga, 1, al], [be, al, 1]]).min() > 1e-6)


def test_a_cell_is_possible_if_three_vectors_have_its_angles() -> None:
    """Random angles, those at the edge left out (C10.3)."""
    draw, seen = random.Random(5), set()
    for _ in range(400):
        angles = (draw.uniform(1, 179), draw.uniform(1, 179), draw.uniform(1, 179))
        gap = min(360 - sum(angles), *(sum(angles) - 2 * angle for angle in angles))
        if abs(gap) > 1:
            possible = impossible_angles(*angles) is None
            seen.add(possible)
            assert possible == spanned(angles), angles
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("angles", "expected"),
    [
        ((30, 30, 120), "gamma below alpha + beta"),
        ((60, 60, 120), "gamma below alpha + beta"),
        ((30, 120, 30), "beta below alpha + gamma"),
        ((170, 80, 85), "alpha below beta + gamma"),
        ((120, 120, 120), "a sum below 360"),
        ((150, 150, 150), "a sum below 360"),
    ],
)
def test_the_inequality_that_fails_is_named(angles: tuple[float, float, float], expected: str) -> None:
    """Flat cells, too, in which it is an equality (C10.3)."""
    shown = " ".join(map(str, angles))
    assert impossible_angles(*angles) == f"no cell has the angles {shown} degrees: expected {expected}"


def test_cells_of_the_field_are_possible() -> None:
    """Right angles, hexagonal, rhombohedral and close to flat."""
    for angles in itertools.chain([(90, 90, 120), (60, 60, 60), (10, 10, 19)], [(119.9, 119.9, 119.9)]):
        assert impossible_angles(*angles) is None
