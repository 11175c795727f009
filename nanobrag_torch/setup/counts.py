"""Which count, range and step a sampling has when only some of them are given (P4.1 to P4.3)."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor

from nanobrag_torch.setup.constants import DEGREES_PER_RADIAN
from nanobrag_torch.setup.experiment import scalar


class Grid(NamedTuple):
    """A resolved sampling: number of points, full range and step, range and step in one unit."""

    count: int
    range: Tensor
    step: Tensor


def grid(count: int | None, span: Tensor | None, step: Tensor | None, default: float, layers: bool = False) -> Grid:
    """Resolve count, range and step of a divergence, dispersion or sensor sampling (P4.1).

    ``None`` and values of no effect (count or step at most 0, negative range)
    count as unset. ``default`` is the range of a count without range; with
    ``layers`` a range alone is halved, as the sensor does it.
    """
    n = count if count is not None and count > 0 else 0
    given = span if span is not None and span >= 0 else None
    if step is not None and not step > 0:
        step = None
    if step is not None:
        if given is None:
            n, given = 2, step
        elif n == 0:
            n = math.ceil(float(given / step))
    elif n == 0:
        n, given, step = (1, scalar(0.0), scalar(0.0)) if given is None else (2, given, given)
        step = given / n if layers else step
    elif given is None:
        given = scalar(default)
        step = given / n
    else:
        n = max(n, 2)
        step = given / (n - 1)
    return cleaned(n, given, step)


def cleaned(count: int, span: Tensor, step: Tensor) -> Grid:
    """One point without extent unless count, range and step are all positive (P4.1)."""
    if count <= 0 or span <= 0 or step <= 0:
        return Grid(1, scalar(0.0), scalar(0.0))
    return Grid(count, span, step)


def phi_grid(count: int | None, osc: Tensor | None, step: Tensor | None) -> Grid:
    """Resolve the spindle steps (P4.2), at least one of them (HD-PHI-2)."""
    if osc is not None and osc < 0:
        osc = None
    positive = step is not None and bool(step > 0)
    if count is None or count < 0:
        if osc is None:
            return Grid(2, step, step) if step is not None and positive else Grid(1, scalar(0.0), scalar(0.0))
        if step is None or not positive:
            return Grid(2, osc, osc / 2.0)
        return Grid(max(1, math.ceil(float(osc / step))), osc, step)
    n = max(count, 1)
    if osc is None:
        if step is not None and positive:
            return Grid(2, step, step)
        osc = 1.0 / scalar(DEGREES_PER_RADIAN)
        return Grid(n, osc, osc / n)
    return Grid(n, osc, osc / n if step is None else step)


def mosaic_count(domains: int | None, spread: Tensor | None) -> tuple[int, Tensor]:
    """Number of domains and their spread (P4.3)."""
    if spread is None or spread < 0:
        return 1, scalar(0.0)
    if spread == 0:
        return 1, spread
    return (10 if domains is None or domains <= 0 else domains), spread
