"""The correctly rounded square root (P0.1, P0.4)."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor

from nanobrag_torch.physics.roots import HALF_ULP, rounded_root, sqrt, square_error


def f64(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def magnitudes(count: int, lowest: float, highest: float, seed: int) -> list[float]:
    """Random significands over decimal exponents from ``lowest`` to ``highest``."""
    exponents = np.random.default_rng(seed).uniform(lowest, highest, count)
    return [float(x) for x in 10.0**exponents]


def neighbours(x: float) -> list[float]:
    return [math.nextafter(x, 0.0), x, math.nextafter(x, math.inf)]


def roots_of(values: list[float]) -> list[float]:
    return [math.sqrt(x) for x in values]


@pytest.mark.parametrize(("lowest", "highest"), [(-200, 200), (-20, 20), (-1, 1)])
def test_bits_over_many_magnitudes(lowest: float, highest: float) -> None:
    """Every root has the bits of the C library's, which is correctly rounded (P0.4)."""
    values = magnitudes(50_000, lowest, highest, seed=1)
    assert sqrt(f64(values)).tolist() == roots_of(values)


def test_bits_over_every_significand_of_two_octaves() -> None:
    """Roots do not depend on the parity of the exponent (P0.4)."""
    significands = 1.0 + np.random.default_rng(2).random(20_000)
    values = [float(x) for x in np.concatenate([significands, 2.0 * significands])]
    assert sqrt(f64(values)).tolist() == roots_of(values)


def test_perfect_squares() -> None:
    """The root of a square that is a binary64 number is exact (P0.4)."""
    whole = [*range(2049), *(int(n) for n in np.random.default_rng(3).integers(2**20, 2**26, 20_000))]
    assert sqrt(f64([float(n * n) for n in whole])).tolist() == [float(n) for n in whole]


def test_neighbours_of_perfect_squares() -> None:
    """One unit in the last place beside a square is rounded to the right side (P0.4)."""
    roots = [int(n) for n in np.random.default_rng(4).integers(1, 2**26, 10_000)]
    values = [x for n in roots for x in neighbours(float(n * n))]
    assert sqrt(f64(values)).tolist() == roots_of(values)


def test_roots_near_the_middle_between_two_numbers() -> None:
    """Arguments whose roots lie next to a rounding boundary are rounded to nearest (P0.4)."""
    values = []
    for s in np.random.default_rng(5).uniform(1.0, 2.0, 4_000):
        middle = (Fraction(float(s)) + Fraction(math.nextafter(s, 2.0))) / 2
        values += neighbours(float(middle * middle))
    roots = sqrt(f64(values)).tolist()
    assert roots == roots_of(values)
    for x, s in zip(values[:300], roots[:300], strict=True):
        low, high = (Fraction(s) + Fraction(math.nextafter(s, to)) for to in (0.0, 4.0))
        assert low * low < 4 * Fraction(x) < high * high


def roots_modulo(residue: int, bits: int) -> list[int]:
    """The four square roots of ``residue``, 1 modulo 8, modulo 2**bits, lifted bit by bit (Hensel)."""
    root = 1
    for k in range(3, bits):
        if (root * root - residue) % 2 ** (k + 1):
            root += 2 ** (k - 1)
    half = 2 ** (bits - 1)
    return [candidate % 2**bits for candidate in (root, -root, root + half, half - root)]


def hardest_arguments() -> tuple[list[float], list[float]]:
    """Arguments whose roots lie 2**-54 to 2**-46 units beside the middle of two numbers, and their roots."""
    values, roots = [], []
    for residue, bits in itertools.product(range(-1999, 2000, 8), (54, 55)):
        for middle in roots_modulo(residue, bits):
            # an odd number of 54 bits, whose square less a few units has 53 bits and 54 or 55 zeros
            if 2**53 < middle < 2**54 and (middle * middle).bit_length() == 53 + bits:
                values.append(math.ldexp((middle * middle - residue) >> bits, bits))
                # beyond the middle by -residue/(2*middle)
                roots.append(float(middle - 1 if residue > 0 else middle + 1))
    assert len(values) > 500
    return values, roots


def test_roots_nearest_to_the_middle_of_all() -> None:
    """The worst arguments there are get the root of exact integer arithmetic (P0.4)."""
    values, expected = hardest_arguments()
    assert sqrt(f64(values)).tolist() == expected
    smaller = [x / 4.0**30 for x in values]
    assert sqrt(f64(smaller)).tolist() == [s / 2.0**30 for s in expected]


def stepped(x: float, steps: int) -> float:
    """The binary64 number ``steps`` above ``x``, or below it."""
    for _ in range(abs(steps)):
        x = math.nextafter(x, math.copysign(math.inf, steps))
    return x


@pytest.mark.parametrize("steps", range(-4, 5))
@pytest.mark.parametrize("share", [-3, 0, 3])
def test_the_root_does_not_depend_on_its_start(steps: int, share: int) -> None:
    """From a start and a reciprocal a few units off, as devices differ, the same root is reached (P0.7)."""
    values = magnitudes(2_000, -50, 50, seed=13)
    expected = roots_of(values)
    if abs(steps) <= 1:
        # with a start farther off, the residual of the very worst arguments has more than 53 bits
        hardest, their_roots = hardest_arguments()
        values, expected = values + hardest, expected + their_roots
    starts = [stepped(s, steps) for s in expected]
    inverses = [stepped(1.0 / s, share) for s in starts]
    assert rounded_root(f64(values), f64(starts), f64(inverses)).tolist() == expected


@pytest.mark.parametrize("x", [0.0, 1.0, 2.0, 0.25, 2.0**-960, 1e-200, 1e200, 1e300])
def test_single_numbers(x: float) -> None:
    """0, 1, powers of two and the ends of the stated range, each alone (P0.4)."""
    assert sqrt(torch.tensor(x, dtype=torch.float64)).item() == math.sqrt(x)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 8, 9, 15, 17, 33])
def test_bits_do_not_depend_on_the_layout(count: int) -> None:
    """Full vectors, their remainders and strided tensors all give the same bits (P0.7)."""
    values = magnitudes(3 * count, -30, 30, seed=6)
    table = f64(values).reshape(count, 3)
    assert sqrt(table).flatten().tolist() == roots_of(values)
    assert [sqrt(table[:, i]).tolist() for i in range(3)] == [roots_of(values[i::3]) for i in range(3)]


def test_the_argument_is_left_alone() -> None:
    """A root is a pure function of its argument."""
    values = magnitudes(100, -5, 5, seed=7)
    x = f64(values)
    sqrt(x)
    assert x.tolist() == values


def test_bits_do_not_depend_on_the_gradient() -> None:
    """A root whose gradient is wanted has the same bits."""
    values = magnitudes(5_000, -100, 100, seed=8)
    assert sqrt(f64(values).requires_grad_()).tolist() == roots_of(values)


def test_gradient() -> None:
    """The slope of the root is one over twice the root, over the whole range."""
    values = magnitudes(2_000, -100, 100, seed=9)
    x = f64(values).requires_grad_()
    (slope,) = torch.autograd.grad(sqrt(x).sum(), x)
    # the reciprocal root that leads to the gradient is a few units in the last place off
    assert slope.tolist() == pytest.approx([0.5 / s for s in roots_of(values)], rel=2e-15, abs=0)


def test_gradient_against_differences() -> None:
    """Finite differences agree with the slope."""
    x = f64(magnitudes(20, -0.5, 0.5, seed=10)).requires_grad_()
    assert torch.autograd.gradcheck(sqrt, (x,))


def test_square_error_is_exact() -> None:
    """A rounded square and its error add up to the exact square (Dekker)."""
    values = magnitudes(1_000, -100, 100, seed=11)
    s = f64(values)
    p = s * s
    for x, rounded, error in zip(values, p.tolist(), square_error(s, p).tolist(), strict=True):
        assert Fraction(rounded) + Fraction(error) == Fraction(x) ** 2


def test_half_ulp_steps_to_the_next_number() -> None:
    """A number plus or minus its share rounds to its neighbour, also at the ends of an octave."""
    inner = [float(x) for x in np.random.default_rng(12).uniform(1.0, 2.0, 1_000)]
    values = [1.0, math.nextafter(1.0, 2.0), math.nextafter(2.0, 1.0), *inner]
    for s in values:
        assert s + s * HALF_ULP == math.nextafter(s, math.inf)
        assert s - s * HALF_ULP == math.nextafter(s, 0.0)
