"""Sines and cosines of the set-up: bits of the C library, derivatives of calculus (P0.4, P9.2)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from nanobrag_torch.setup import libm
from nanobrag_torch.setup.experiment import scalar

FUNCTIONS = [(libm.sin, math.sin), (libm.cos, math.cos)]
SPECIAL = (0.0, -0.0, 5e-324, -1e-300, math.pi, math.pi / 2, 1e22, -123456789.0)


def angles(count: int) -> list[float]:
    """Seeded angles from tiny to many turns, both signs."""
    source = random.Random(20260725)
    return [source.choice((-1, 1)) * 10 ** source.uniform(-12, 6) for _ in range(count)]


@pytest.mark.parametrize(("ours", "library"), FUNCTIONS, ids=["sin", "cos"])
def test_values_have_the_bits_of_the_c_library(
    ours: Callable[[Tensor], Tensor], library: Callable[[float], float]
) -> None:
    """Every value is that of the C library bit for bit, signed zeros included (P0.4)."""
    x = [*SPECIAL, *angles(5000)]
    got = ours(torch.tensor(x, dtype=torch.float64)).tolist()
    assert [value.hex() for value in got] == [library(value).hex() for value in x]


@pytest.mark.parametrize("ours", [libm.sin, libm.cos], ids=["sin", "cos"])
def test_an_angle_that_is_not_finite_has_no_value(ours: Callable[[Tensor], Tensor]) -> None:
    """IEEE 754 calls them invalid, which is no reason to end a run (P0.1)."""
    got = ours(torch.tensor([math.inf, 0.0, -math.inf, math.nan], dtype=torch.float64))
    assert got.isnan().tolist() == [True, False, True, True]


@pytest.mark.parametrize(("ours", "library"), FUNCTIONS, ids=["sin", "cos"])
def test_elements_stay_in_their_places(
    ours: Callable[[Tensor], Tensor], library: Callable[[float], float]
) -> None:
    """Shape and order survive, also for tensors without dimension or not contiguous (P0.4)."""
    x = torch.tensor(angles(6), dtype=torch.float64).reshape(2, 3).T
    got = ours(x)
    assert got.shape == (3, 2)
    assert got.dtype == torch.float64
    assert got.tolist() == [[library(value) for value in row] for row in x.tolist()]
    assert ours(scalar(0.7)).shape == ()


def test_only_the_processor_has_a_c_library() -> None:
    """Elsewhere torch's own functions take their place, so that no value leaves the device (P0.4)."""
    assert libm.on(torch.device("cpu")) == (libm.cos, libm.sin)
    assert libm.on(torch.device("meta")) == (torch.cos, torch.sin)


@pytest.mark.parametrize(("ours", "library"), FUNCTIONS, ids=["sin", "cos"])
def test_gradients_are_those_of_calculus(
    ours: Callable[[Tensor], Tensor], library: Callable[[float], float]
) -> None:
    """The slope of sin is cos, that of cos is minus sin, times what comes from above (P0.4)."""
    x = torch.tensor(angles(200), dtype=torch.float64, requires_grad=True)
    weights = torch.linspace(-2.0, 3.0, 200, dtype=torch.float64)
    (slope,) = torch.autograd.grad((ours(x) * weights).sum(), x)
    derivative = math.cos if library is math.sin else lambda value: -math.sin(value)
    expected = [w * derivative(value) for w, value in zip(weights.tolist(), x.tolist(), strict=True)]
    # the derivative comes from torch, whose own sine may be off by a unit in the last place
    assert slope.tolist() == pytest.approx(expected, rel=1e-15, abs=1e-15)


@pytest.mark.parametrize("ours", [libm.sin, libm.cos], ids=["sin", "cos"])
def test_gradients_can_be_differentiated_again(ours: Callable[[Tensor], Tensor]) -> None:
    """Second derivatives agree with finite differences, so that a fit may use them (P0.4)."""
    x = torch.tensor([-2.0, 0.0, 0.3, 4.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(ours, (x,))
    assert torch.autograd.gradgradcheck(ours, (x,))


def test_a_stand_in_keeps_its_bits_and_passes_the_gradient_on() -> None:
    """The value is the first tensor with its signed zero, the gradient goes to the second (P5.1)."""
    value = torch.tensor([-0.0, 2.0], dtype=torch.float64, requires_grad=True)
    twin = torch.tensor([0.0, 2.0], dtype=torch.float64, requires_grad=True)
    got = libm.value_with_gradient_of(value, twin)
    assert [x.hex() for x in got.tolist()] == ["-0x0.0p+0", "0x1.0000000000000p+1"]
    got.backward(torch.tensor([3.0, 5.0], dtype=torch.float64))  # type: ignore[no-untyped-call]
    assert value.grad is None
    assert twin.grad is not None
    assert twin.grad.tolist() == [3.0, 5.0]
