"""The best single observation on two images that differ and that no known cause explains: where to look.

An observation is no explanation. The first that holds is said, the most telling ones come first.
"""

import numpy as np
import numpy.typing as npt

from .compare import Comparison, FloatImage
from .registration import Registration
from .tables import figure
from .thresholds import NbCompareLimits

TINY = float(np.finfo(np.float32).tiny)
"""Smaller pixels have fewer than 24 bits, so their ratios tell nothing."""
ROUNDED = 2.0**-22
"""A difference of two float32 pixels is off by up to half a unit of each."""
Corner = tuple[int, int]  # slow, fast


def observe(
    c: FloatImage,
    py: FloatImage,
    pair: Comparison,
    peaks: Registration | None,
    limits: NbCompareLimits,
    corner: Corner = (0, 0),
) -> str:
    """Return what two images of the same shape look like, py beside c, and where to look; photons, pixels.

    ``pair`` and ``peaks`` compare py with c in the same region, whose first pixel on the detector is
    ``corner``.
    """
    if pair.problem:
        return f"{pair.problem}: look at what the program says of its input"
    empty = [name for name, image in (("c", c), ("py", py)) if not image.any()]
    if empty:
        return f"{empty[0]} is zero in every pixel: look at -roi, -default_F, -hkl and -distance"
    x, r = py.astype(np.float64), c.astype(np.float64)
    found = (
        _rounding(pair, limits)
        or _scale(x, r, limits)
        or _constant(x, r)
        or _mirrored(py, c)
        or _shifted(peaks, limits)
        or _patch(py, c, limits, corner)
    )
    return found or _largest(x, r, pair, corner)


def _scale(x: npt.NDArray[np.float64], r: npt.NDArray[np.float64], limits: NbCompareLimits) -> str:
    """A factor that is the same in every pixel above zero; where one is zero, the other has to be."""
    told = (np.abs(x) >= TINY) & (np.abs(r) >= TINY)
    if np.count_nonzero(told) < 2 or not np.array_equal(x == 0, r == 0):
        return ""
    ratio = x[told] / r[told]
    middle = float(np.median(ratio))
    if float(np.ptp(ratio)) > limits.scale_max_spread * abs(middle):
        return ""
    return (
        f"looks like a scale: py is {figure(middle)} times c in every pixel; look at -fluence, -flux,"
        " -exposure, -beamsize and the number of sources, steps and domains"
    )


def _rounding(pair: Comparison, limits: NbCompareLimits) -> str:
    if pair.max_ulp is None or pair.max_ulp > limits.rounding_max_ulp:
        return ""
    return (
        f"looks like rounding: no pixel is off by more than {pair.max_ulp} units in the last place; look at"
        " how the programs were compiled (-ffast-math, fused products), at the C library and -dtype"
    )


def _constant(x: npt.NDArray[np.float64], r: npt.NDArray[np.float64]) -> str:
    difference = x - r
    middle = float(np.median(difference))
    slack = ROUNDED * np.maximum(np.abs(x), np.abs(r))
    if middle == 0 or bool((np.abs(difference - middle) > slack).any()) or abs(middle) <= float(slack.max()):
        return ""
    return f"looks like a background: py is c plus {figure(middle)} in every pixel; look at -water and -adc"


def _mirrored(py: FloatImage, c: FloatImage) -> str:
    turned = {
        "turned by 180 degrees": c[::-1, ::-1],
        "mirrored along fast": c[:, ::-1],
        "mirrored along slow": c[::-1],
        "transposed": c.T,
    }
    for name, image in turned.items():
        if np.array_equal(py, image):
            return f"py is c {name}: look at the directions of fast and slow and at the convention"
    return ""


def _shifted(peaks: Registration | None, limits: NbCompareLimits) -> str:
    """Most peaks found a partner, and all moved the same way."""
    if peaks is None or peaks.mean_slow_px is None or peaks.mean_fast_px is None:
        return ""
    moved = float(np.hypot(peaks.mean_slow_px, peaks.mean_fast_px))
    if moved < limits.shift_min_px or peaks.matched_fraction < limits.shift_min_matched:
        return ""
    return (
        f"peaks of py lie {figure(peaks.mean_slow_px, 3)} pixels further along slow and"
        f" {figure(peaks.mean_fast_px, 3)} along fast: look at beam centre, -distance, -pixel and the cell"
    )


def _patch(py: FloatImage, c: FloatImage, limits: NbCompareLimits, corner: Corner) -> str:
    """All differing pixels lie in a box that is small beside the region."""
    apart = py != c
    slow, fast = np.nonzero(apart.any(axis=1))[0], np.nonzero(apart.any(axis=0))[0]
    sides = (int(slow[-1] - slow[0]) + 1, int(fast[-1] - fast[0]) + 1)
    if sides[0] * sides[1] > limits.patch_max_fraction * apart.size:
        return ""
    return (
        f"all differing pixels, {int(apart.sum())}, lie within slow {slow[0] + corner[0]} to"
        f" {slow[-1] + corner[0]}, fast {fast[0] + corner[1]} to {fast[-1] + corner[1]}: look at -roi, -mask"
        " and at single reflections there"
    )


def _largest(x: npt.NDArray[np.float64], r: npt.NDArray[np.float64], pair: Comparison, corner: Corner) -> str:
    slow, fast = np.unravel_index(int(np.abs(x - r).argmax()), x.shape)
    zeros = int(np.count_nonzero((x == 0) != (r == 0)))
    only = f", {zeros} pixels are zero in one image only" if zeros else ""
    values = f"c {figure(float(r[slow, fast]))}, py {figure(float(x[slow, fast]))}"
    return (
        f"the largest difference is at slow {slow + corner[0]}, fast {fast + corner[1]}: {values}{only};"
        f" correlation {figure(pair.correlation)}"
    )
