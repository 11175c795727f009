"""Counts, ranges and steps: the tables of P4.1, P4.2 and P4.3 row by row."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from nanobrag_torch.errors import UsageError
from nanobrag_torch.setup.counts import Grid, grid, layer_grid, mosaic_count, phi_grid
from nanobrag_torch.setup.experiment import scalar

NO_COUNT = (None, 0, -2)
NO_RANGE = (None, -1.0)
NO_STEP = (None, 0.0, -1.0)
DEGREE = 1.0 / float.fromhex("0x1.ca5dc1a63c1f8p+5")  # the RTD of P1.1
LARGEST_INT32 = 2147483647

Resolved = tuple[int, float, float]


def resolved(axis: Grid) -> Resolved:
    """Count, range and step as plain numbers."""
    return axis.count, float(axis.range), float(axis.step)


def maybe(value: float | None) -> torch.Tensor | None:
    """A tensor, or None for what the user did not give."""
    return None if value is None else scalar(value)


GENERIC_ROWS: list[tuple[int | None, float | None, float | None, Resolved]] = [
    *((n, r, d, (1, 0.0, 0.0)) for n, r, d in itertools.product(NO_COUNT, NO_RANGE, NO_STEP)),
    *((n, r, 0.25, (2, 0.25, 0.25)) for n, r in itertools.product(NO_COUNT, NO_RANGE)),
    *((n, 3.0, d, (2, 3.0, 3.0)) for n, d in itertools.product(NO_COUNT, NO_STEP)),
    *((n, 3.0, 0.5, (6, 3.0, 0.5)) for n in NO_COUNT),
    *((n, 3.0, 0.8, (4, 3.0, 0.8)) for n in NO_COUNT),
    *((4, r, d, (4, 8.0, 2.0)) for r, d in itertools.product(NO_RANGE, NO_STEP)),
    *((1, r, d, (1, 8.0, 8.0)) for r, d in itertools.product(NO_RANGE, NO_STEP)),
    *((5, r, 0.25, (2, 0.25, 0.25)) for r in NO_RANGE),
    *((4, 3.0, d, (4, 3.0, 1.0)) for d in NO_STEP),
    *((1, 3.0, d, (2, 3.0, 3.0)) for d in NO_STEP),
    (4, 3.0, 0.25, (4, 3.0, 0.25)),
    (1, 3.0, 0.25, (1, 3.0, 0.25)),
]


@pytest.mark.parametrize(("count", "span", "step", "expected"), GENERIC_ROWS)
def test_generic_table(count: int | None, span: float | None, step: float | None, expected: Resolved) -> None:
    """The eight rows of P4.1, with 8 as the range of a count without one, and every form of unset."""
    assert resolved(grid(count, maybe(span), maybe(step), 8.0, "-x")) == expected


@pytest.mark.parametrize("count", [None, 0, 1, 4])
@pytest.mark.parametrize("step", [None, 0.5])
def test_no_extent_means_one_point(count: int | None, step: float | None) -> None:
    """A range of 0 ends as one point whatever count and step are: the clean-up of P4.1."""
    assert resolved(grid(count, scalar(0.0), maybe(step), 8.0, "-x")) == (1, 0.0, 0.0)


@pytest.mark.parametrize(
    ("count", "thickness", "expected"),
    [
        *((n, 3.0, (2, 3.0, 1.5)) for n in NO_COUNT),
        (1, 3.0, (2, 3.0, 3.0)),
        (2, 3.0, (2, 3.0, 3.0)),
        (4, 3.0, (4, 3.0, 1.0)),
        *((n, 0.0, (1, 0.0, 0.0)) for n in (None, 0, 1, 5)),
    ],
)
def test_sensor_layers(count: int | None, thickness: float, expected: Resolved) -> None:
    """A thickness alone is halved, n layers are R/(n-1) apart, a count alone is no sensor (P4.1, C4.9)."""
    assert resolved(layer_grid(count, scalar(thickness), corrected=False)) == expected


@pytest.mark.parametrize(
    ("count", "thickness", "expected"),
    [
        *((n, 3.0, (2, 3.0, 1.5)) for n in NO_COUNT),
        (1, 3.0, (1, 3.0, 3.0)),
        (2, 3.0, (2, 3.0, 1.5)),
        (4, 3.0, (4, 3.0, 0.75)),
        *((n, 0.0, (1, 0.0, 0.0)) for n in (None, 0, 1, 5)),
    ],
)
def test_corrected_sensor_layers(count: int | None, thickness: float, expected: Resolved) -> None:
    """With corrected physics n layers of R/n fill the sensor, and one layer is allowed (HD-THK-2)."""
    assert resolved(layer_grid(count, scalar(thickness), corrected=True)) == expected


PHI_ROWS: list[tuple[int | None, float | None, float | None, Resolved]] = [
    *((n, r, d, (1, 0.0, 0.0)) for n, r, d in itertools.product((None, -1), NO_RANGE, NO_STEP)),
    *((n, r, 0.25, (2, 0.25, 0.25)) for n, r in itertools.product((None, -1), NO_RANGE)),
    *((n, 3.0, d, (2, 3.0, 1.5)) for n, d in itertools.product((None, -1), NO_STEP)),
    *((n, 3.0, 0.5, (6, 3.0, 0.5)) for n in (None, -1)),
    *((n, 3.0, 0.8, (4, 3.0, 0.8)) for n in (None, -1)),
    (0, None, None, (1, DEGREE, DEGREE)),
    (0, None, 0.25, (2, 0.25, 0.25)),
    (0, 3.0, None, (1, 3.0, 3.0)),
    (0, 3.0, 0.25, (1, 3.0, 0.25)),
    *((4, r, d, (4, DEGREE, DEGREE / 4)) for r, d in itertools.product(NO_RANGE, NO_STEP)),
    *((4, r, 0.25, (2, 0.25, 0.25)) for r in NO_RANGE),
    (4, 3.0, None, (4, 3.0, 0.75)),
    (4, 3.0, 0.25, (4, 3.0, 0.25)),
    (4, 3.0, 0.0, (4, 3.0, 0.0)),
    (4, 0.0, None, (4, 0.0, 0.0)),
]


@pytest.mark.parametrize(("count", "osc", "step", "expected"), PHI_ROWS)
def test_phi_table(count: int | None, osc: float | None, step: float | None, expected: Resolved) -> None:
    """The rows of P4.2; a count without range covers one degree, and no clean-up follows."""
    assert resolved(phi_grid(count, maybe(osc), maybe(step))) == expected


def test_a_count_of_phi_steps_covers_one_degree() -> None:
    """The default range of P4.2 is one degree in radians."""
    # P1.1 forms degrees per radian by way of 1/pi, which may differ from pi/180 in the last place
    assert float(phi_grid(5, None, None).range) == pytest.approx(math.radians(1.0), rel=4e-16)


def test_an_oscillation_of_zero_has_one_step() -> None:
    """Historically there were none and the image was NaN (HD-PHI-2)."""
    assert resolved(phi_grid(None, scalar(0.0), scalar(1.0))) == (1, 0.0, 1.0)


@pytest.mark.parametrize(
    ("domains", "spread", "expected"),
    [
        *((n, eta, (1, 0.0)) for n, eta in itertools.product((None, 0, -1), (None, -1.0, 0.0))),
        *((n, 0.5, (10, 0.5)) for n in (None, 0, -1)),
        *((7, eta, (1, 0.0)) for eta in (None, -1.0, 0.0)),
        (7, 0.5, (7, 0.5)),
        (1, 0.5, (1, 0.5)),
    ],
)
def test_mosaic_table(domains: int | None, spread: float | None, expected: tuple[int, float]) -> None:
    """The cases of P4.3: no spread is one domain, a spread alone is ten."""
    count, width = mosaic_count(domains, maybe(spread))
    assert (count, float(width)) == expected


def test_the_most_steps_that_fit_are_counted() -> None:
    """Counts are 32-bit integers (P4.4)."""
    assert grid(None, scalar(float(LARGEST_INT32)), scalar(1.0), 1.0, "-x").count == LARGEST_INT32


@pytest.mark.parametrize("step", [0.999, 1e-300])
def test_a_step_too_small_to_count_is_blamed(step: float) -> None:
    """More steps than a 32-bit integer holds are an error that names the option (P4.4, C8.4)."""
    with pytest.raises(UsageError, match=f"-thatstep: .*{LARGEST_INT32}"):
        grid(None, scalar(float(LARGEST_INT32)), scalar(step), 1.0, "-thatstep")
    with pytest.raises(UsageError, match=f"-phistep: .*{LARGEST_INT32}"):
        phi_grid(None, scalar(float(LARGEST_INT32)), scalar(step))


def test_the_step_follows_the_range_in_gradients() -> None:
    """Of n points over a range the step grows by 1/(n-1) per unit of range (P4.1)."""
    span = scalar(3.0).requires_grad_()
    (slope,) = torch.autograd.grad(grid(4, span, None, 1.0, "-x").step, span)
    # 1/3 has no exact binary form
    assert float(slope) == pytest.approx(1 / 3, rel=1e-15)
