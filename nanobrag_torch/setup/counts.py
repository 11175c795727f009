"""Which count, range and step a sampling has when only some of them are given (P4.1 to P4.3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from nanobrag_torch.constants import DEGREES_PER_RADIAN, LARGEST_COUNT
from nanobrag_torch.errors import UsageError
from nanobrag_torch.setup.experiment import plain, scalar


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A resolved sampling: number of points, full range and step, range and step in one unit."""

    count: int
    range: Tensor
    step: Tensor


def one_point() -> Grid:
    """A sampling without extent."""
    return Grid(1, scalar(0.0), scalar(0.0))


def grid(count: int | None, span: Tensor | None, step: Tensor | None, default: float, flag: str) -> Grid:
    """Resolve count, range and step of a divergence or dispersion (P4.1).

    ``None`` and values of no effect (count or step at most 0, negative range) count as
    unset. ``default`` is the range of a count without range, ``flag`` the option to blame
    for a step that is too small. Raises: UsageError.
    """
    n = count if count is not None and count > 0 else 0
    given = span if span is not None and span >= 0 else None
    if step is not None and step > 0:
        if given is None:
            n, given = 2, step
        elif n == 0:
            n = steps_to_cover(given, step, flag)
    elif n == 0:
        if given is None:
            return one_point()
        n, step = 2, given
    elif given is None:
        given = scalar(default)
        step = given / n
    else:
        n = max(n, 2)
        step = given / (n - 1)
    return cleaned(n, given, step)


def layer_grid(count: int | None, thickness: Tensor, corrected: bool) -> Grid:
    """Resolve the layers of a sensor: a thickness alone is halved (P4.1).

    Layers reach beyond the sensor and are at least two, unless ``corrected`` (HD-THK-2).
    """
    if count is None or count <= 0:
        return cleaned(2, thickness, thickness / 2.0)
    if corrected:
        return cleaned(count, thickness, thickness / count)
    n = max(count, 2)
    return cleaned(n, thickness, thickness / (n - 1))


def cleaned(count: int, span: Tensor, step: Tensor) -> Grid:
    """One point without extent unless count, range and step are all positive (P4.1)."""
    return Grid(count, span, step) if count > 0 and span > 0 and step > 0 else one_point()


def steps_to_cover(span: Tensor, step: Tensor, flag: str) -> int:
    """Steps that cover a range, rounded up. Raises: UsageError if there are too many to count."""
    ratio = plain(span / step)
    if ratio > LARGEST_COUNT:
        raise UsageError(f"{flag}: {ratio:g} steps over the range, expected at most {LARGEST_COUNT}")
    return math.ceil(ratio)


def phi_grid(count: int | None, osc: Tensor | None, step: Tensor | None) -> Grid:
    """Resolve the spindle steps (P4.2), at least one of them (HD-PHI-2). Raises: UsageError."""
    if osc is not None and osc < 0:
        osc = None
    positive = step is not None and bool(step > 0)
    if count is None or count < 0:
        if osc is None:
            return Grid(2, step, step) if step is not None and positive else one_point()
        if step is None or not positive:
            return Grid(2, osc, osc / 2.0)
        return Grid(max(1, steps_to_cover(osc, step, "-phistep")), osc, step)
    n = max(count, 1)
    if osc is None:
        if step is not None and positive:
            return Grid(2, step, step)
        osc = 1.0 / scalar(DEGREES_PER_RADIAN)
        return Grid(n, osc, osc / n)
    return Grid(n, osc, osc / n if step is None or step < 0 else step)


def mosaic_count(domains: int | None, spread: Tensor | None) -> tuple[int, Tensor]:
    """Number of domains and their spread (P4.3)."""
    if spread is None or spread < 0:
        return 1, scalar(0.0)
    if spread == 0:
        return 1, spread
    return (10 if domains is None or domains <= 0 else domains), spread
