"""Whether two images have their peaks at the same places; needs SciPy (extra ``compare``).

A peak is a pixel above its eight neighbours, its position the centroid of the 3 x 3 pixels around it. The
brightest peaks of one image are assigned to peaks of the other by the Hungarian method (Kuhn 1955, Munkres
1957; SciPy's ``linear_sum_assignment``), which makes the sum of the distances smallest; only pairs within the
gate count. The partners are sought among all peaks of the other image, so that two peaks of nearly the same
height at the end of the list do not lose each other. It is done both ways: a peak may be missing, and there
may be one too many.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .compare import FloatImage

METHOD = "Hungarian assignment of local maxima, centroids of 3 x 3 pixels"
Positions = npt.NDArray[np.float64]  # (n, 2): slow, fast, in pixels


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The brightest peaks of both images and how many found a partner; displacements py - c in pixels.

    Displacements are None where no peak found a partner.
    """

    method: str
    gate_px: float
    peaks_c: int
    matched_c: int
    peaks_py: int
    matched_py: int
    median_px: float | None
    largest_px: float | None
    mean_slow_px: float | None
    mean_fast_px: float | None

    @property
    def matched_fraction(self) -> float:
        """The smaller of the two fractions of peaks that found a partner; 1 where neither image has peaks."""
        counts = ((self.matched_c, self.peaks_c), (self.matched_py, self.peaks_py))
        return min((matched / peaks for matched, peaks in counts if peaks), default=1.0)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for ``summary.json``."""
        return asdict(self)


def register(
    c: FloatImage, py: FloatImage, *, count: int, min_fraction: float, gate_px: float
) -> Registration:
    """Match the brightest peaks of each image with peaks of the other within ``gate_px`` pixels.

    Matched are at most ``count`` peaks, those of at least ``min_fraction`` of the height of the brightest.
    """
    (all_c, heights_c), (all_py, heights_py) = peaks(c), peaks(py)
    bright_c = all_c[: _bright(heights_c, count, min_fraction)]
    bright_py = all_py[: _bright(heights_py, count, min_fraction)]
    pairs = match(bright_c, all_py, gate_px)
    backwards = match(bright_py, all_c, gate_px)
    shift = all_py[pairs[:, 1]] - bright_c[pairs[:, 0]]
    distance = np.hypot(shift[:, 0], shift[:, 1])
    some = bool(len(pairs))
    return Registration(
        method=METHOD,
        gate_px=gate_px,
        peaks_c=len(bright_c),
        matched_c=len(pairs),
        peaks_py=len(bright_py),
        matched_py=len(backwards),
        median_px=float(np.median(distance)) if some else None,
        largest_px=float(distance.max()) if some else None,
        mean_slow_px=float(shift[:, 0].mean()) if some else None,
        mean_fast_px=float(shift[:, 1].mean()) if some else None,
    )


def _bright(heights: FloatImage, count: int, min_fraction: float) -> int:
    """Return how many of the heights, which fall, are to be matched."""
    return min(count, int(np.count_nonzero(heights >= min_fraction * heights[:1])))


def peaks(image: FloatImage) -> tuple[Positions, FloatImage]:
    """Return positions and heights of the peaks, brightest first.

    Of equal neighbours the first in raster order counts.

    Pixels on the edge have no eight neighbours and are no peaks.
    """
    if min(image.shape) < 3:
        return np.empty((0, 2)), np.empty(0, dtype=np.float32)
    inner = image[1:-1, 1:-1]
    highest = np.isfinite(inner) & (inner > 0)
    for slow, fast in _NEIGHBOURS:
        other = _shifted(image, slow, fast)
        highest &= (inner > other) if (slow, fast) < (0, 0) else (inner >= other)
    rows, columns = np.nonzero(highest)
    heights = inner[rows, columns]
    order = np.argsort(-heights, kind="stable")
    return _centroids(image, rows[order] + 1, columns[order] + 1), heights[order]


_NEIGHBOURS = [(slow, fast) for slow in (-1, 0, 1) for fast in (-1, 0, 1) if (slow, fast) != (0, 0)]


def _shifted(image: FloatImage, slow: int, fast: int) -> FloatImage:
    """Return the neighbours of the inner pixels in one direction."""
    return image[1 + slow : image.shape[0] - 1 + slow, 1 + fast : image.shape[1] - 1 + fast]


def _centroids(image: FloatImage, slow: npt.NDArray[np.intp], fast: npt.NDArray[np.intp]) -> Positions:
    """Return intensity-weighted positions within the 3 x 3 pixels around each pixel."""
    weight = np.zeros(len(slow))
    moment = np.zeros((len(slow), 2))
    # Scaled to the peak, so that neither tiny nor huge intensities leave the range of float64.
    height = image[slow, fast].astype(np.float64)
    for step in [(0, 0), *_NEIGHBOURS]:
        value = np.nan_to_num(image[slow + step[0], fast + step[1]].astype(np.float64)) / height
        value = np.clip(value, 0.0, 1.0)
        weight += value
        moment += value[:, None] * np.array(step)
    return np.stack([slow, fast], axis=1) + moment / weight[:, None]


def match(mine: Positions, theirs: Positions, gate_px: float) -> npt.NDArray[np.intp]:
    """Return pairs (index in mine, index in theirs) no further apart than the gate, as many as possible.

    Of the assignments with as many pairs it is the one with the smallest sum of distances.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial import KDTree

    if not len(mine) or not len(theirs):
        return np.empty((0, 2), dtype=np.intp)
    near = KDTree(theirs).query_ball_point(mine, gate_px)
    candidates = np.unique(np.concatenate([np.asarray(found, dtype=np.intp) for found in near]))
    if not len(candidates):
        return np.empty((0, 2), dtype=np.intp)
    offsets = mine[:, None, :] - theirs[candidates][None, :, :]
    cost = np.hypot(offsets[..., 0], offsets[..., 1])
    # One pair beyond the gate costs more than all pairs within it, so none is taken while another will do.
    beyond = gate_px * (len(mine) + 1)
    rows, columns = linear_sum_assignment(np.where(cost <= gate_px, cost, beyond))
    within = cost[rows, columns] <= gate_px
    return np.stack([rows[within], candidates[columns[within]]], axis=1)
