"""Elementary functions of the C library on float64 CPU tensors, differentiable.

Torch evaluates its own through a vector library whose last bits differ from
the C library and between processors; every rotation that feeds the phase must have
the bits of the platform's libm (P0.4, P9.2). The set-up makes a few hundred calls a
run; a curved detector makes four for every sub-pixel, of about 0.1 us each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Scalar = Callable[[float], float]
Elementwise = Callable[[Tensor], Tensor]


def evaluate(function: Scalar, x: Tensor) -> Tensor:
    """``function`` of each element, of an infinite one inf - inf as in C; float64, shape of ``x``."""
    values = x.detach().reshape(-1).tolist()
    try:
        done = list(map(function, values))
    except ValueError:  # Python raises what IEEE 754 calls invalid
        done = [function(v) if math.isfinite(v) else v - v for v in values]
    return torch.tensor(done, dtype=torch.float64).reshape(x.shape)


class _Sine(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return evaluate(math.sin, x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grads[0] * torch.cos(x)


class _Cosine(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return evaluate(math.cos, x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return -grads[0] * torch.sin(x)


class _Stand(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, twin: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        return None, grads[0]


def sin(x: Tensor) -> Tensor:
    """Sine of ``x`` in radians, any shape, float64, bits of the C library."""
    return _Sine.apply(x)  # type: ignore[no-any-return,no-untyped-call]


def cos(x: Tensor) -> Tensor:
    """Cosine of ``x`` in radians, any shape, float64, bits of the C library."""
    return _Cosine.apply(x)  # type: ignore[no-any-return,no-untyped-call]


def on(device: torch.device) -> tuple[Elementwise, Elementwise]:
    """Cosine and sine for tensors on ``device``: a GPU has no C library, and torch's stand in (P0.4)."""
    return (cos, sin) if device.type == "cpu" else (torch.cos, torch.sin)


def value_with_gradient_of(value: Tensor, twin: Tensor) -> Tensor:
    """``value``, but with the gradient of ``twin``, which must equal it but for the sign of 0.

    For rotations by exactly 0, which are skipped (P5.1): the vector keeps its
    bits, and the angle keeps its derivative.
    """
    return _Stand.apply(value, twin)  # type: ignore[no-any-return,no-untyped-call]
