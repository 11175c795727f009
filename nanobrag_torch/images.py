"""From the float image to the numbers and images made of it (P6.12, P6.14, F8, F9, F11).

Images have shape (slow, fast). A region of interest is (xmin, xmax, ymin, ymax),
inclusive, x fast; its upper limits may lie beyond the image. A mask is true where
a pixel is rendered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nanobrag_torch.errors import NanoBragError
from nanobrag_torch.random_numbers.poisson_image import poisson_image
from nanobrag_torch.random_numbers.uniform import Stream

FloatImage = npt.NDArray[np.float32]
Counts = npt.NDArray[np.uint16]
Greys = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Roi = tuple[int, int, int, int]

BRIGHTEST_COUNT = 55000.0
BRIGHTEST_GREY = 250.0
GREY_DEVIATIONS = 5.0
LARGEST_PIXEL = 65535.0
LARGEST_GREY = 255.0
CHUNK = 1 << 20
MANY_CUT = 0.01
"""Fraction of pixels at the upper end from which on an image is not what was meant; detectors have fewer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statistics:
    """Statistics of the rendered pixels, in photons; ``brightest`` is (slow, fast) of ``max_I``.

    ``brightest`` is None if no pixel is above 0.
    """

    max_I: float  # noqa: N815 - name of the report
    brightest: tuple[int, int] | None
    mean: float
    rms: float
    rmsd: float


def statistics(image: FloatImage, roi: Roi, mask: Mask | None = None) -> Statistics:
    """Maximum, mean, root mean square and deviation of the pixels inside ``roi`` and ``mask``.

    Sums are formed serially in pixel order. Squares are binary64 and the deviation is that
    of the pixels of the mean (HD-STAT-1, 2, 4). Source: P6.12.
    """
    inside = roi_slices(roi, image.shape)
    part = image[inside]
    pixels = (part.ravel() if mask is None else part[mask[inside]]).astype(np.float64)
    count = len(pixels)
    mean = serial_sum(pixels) / max(count, 1)
    divisor = max(count, 2) - 1
    with np.errstate(all="ignore"):  # infinite pixels are reported, not warned about
        squares, deviations = pixels * pixels, (pixels - mean) * (pixels - mean)
    max_I, brightest = _brightest(part, None if mask is None else mask[inside])
    if brightest is not None:
        brightest = (brightest[0] + roi[2], brightest[1] + roi[0])
    return Statistics(
        max_I=max_I,
        brightest=brightest,
        mean=mean,
        rms=math.sqrt(serial_sum(squares) / divisor),
        rmsd=math.sqrt(serial_sum(deviations) / divisor),
    )


def flaws(image: FloatImage) -> Iterator[str]:
    """Pixels that are no photons, in words (C10.8)."""
    infinite, undefined = int(np.isinf(image).sum()), int(np.isnan(image).sum())
    if infinite or undefined:
        yield (
            f"the image has {infinite} infinite and {undefined} undefined pixels, binary32 ends at 3.4e38 "
            "(-fluence, -flux, -default_F, -hkl, -N, -oversample_omega)"
        )
    below = int((image < 0).sum())
    if below:
        yield f"the image has {below} pixels below 0"


def roi_slices(roi: Roi, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of an image of ``shape`` inside ``roi``."""
    xmin, xmax, ymin, ymax = roi
    return slice(ymin, min(ymax + 1, shape[0])), slice(xmin, min(xmax + 1, shape[1]))


def serial_sum(values: npt.NDArray[np.float64]) -> float:
    """Sum from first to last, each addition rounded; ``numpy.sum`` adds in another order."""
    total = 0.0
    with np.errstate(all="ignore"):
        for start in range(0, len(values), CHUNK):
            total = float(np.cumsum(np.concatenate([[total], values[start : start + CHUNK]]))[-1])
    return total


def _brightest(part: FloatImage, rendered: Mask | None) -> tuple[float, tuple[int, int] | None]:
    """Largest pixel above 0 and its first place; an undefined pixel is never the largest."""
    counted = part > 0 if rendered is None else (part > 0) & rendered
    if not counted.any():
        return 0.0, None
    place = int(np.where(counted, part, np.float32(0)).argmax())
    slow, fast = divmod(place, part.shape[1])
    return float(part[slow, fast]), (slow, fast)


def integer_scale(wanted: float, max_I: float) -> float:  # noqa: N803 - name of the report
    """Counts per photon of the integer image; automatic unless ``wanted`` is above 0 (F8.1)."""
    if wanted > 0:
        return wanted
    return BRIGHTEST_COUNT / max_I if max_I > 0 else 1.0


def grey_scale(wanted: float, rmsd: float, int_scale: float) -> float:
    """Grey levels per photon of the PGM image; automatic unless ``wanted`` is above 0 (F11.2)."""
    if wanted > 0:
        return wanted
    return BRIGHTEST_GREY / (GREY_DEVIATIONS * rmsd) if rmsd > 0 else int_scale


def integer_image(image: FloatImage, roi: Roi, scale: float, offset: float) -> Counts:
    """Scaled counts, clipped and rounded to the nearest integer; 0 outside ``roi`` (F8.2).

    The rounding passes through binary32, which is observable near the upper end.
    """
    inside = roi_slices(roi, image.shape)
    with np.errstate(all="ignore"):
        z = image[inside].astype(np.float64) * scale + offset
    z = np.clip(np.nan_to_num(z, nan=-1.0, posinf=np.inf, neginf=-1.0), 0.0, LARGEST_PIXEL)
    rounded = np.floor((z + 0.5).astype(np.float32))
    rounded[np.isnan(image[inside])] = 0.0
    counts = np.zeros(image.shape, dtype=np.uint16)
    counts[inside] = rounded.astype(np.uint16)
    return counts


def cut_pixels(image: FloatImage, roi: Roi, scale: float, offset: float) -> int:
    """Number of pixels that the integer image cannot hold (C10.8)."""
    with np.errstate(all="ignore"):
        z = image[roi_slices(roi, image.shape)].astype(np.float64) * scale + offset
    return int((z > LARGEST_PIXEL).sum())


def grey_image(image: FloatImage, roi: Roi, scale: float) -> Greys:
    """Scaled grey levels, clipped and truncated; 0 outside ``roi`` (F11.3)."""
    inside = roi_slices(roi, image.shape)
    with np.errstate(all="ignore"):
        z = image[inside].astype(np.float64) * scale
    greys = np.zeros(image.shape, dtype=np.uint8)
    greys[inside] = np.clip(np.nan_to_num(z, nan=0.0), 0.0, LARGEST_GREY).astype(np.uint8)
    return greys


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class NoiseImage:
    """Counts with photon noise, the sum of the deviates and the number of clipped pixels."""

    pixels: Counts
    photons: float
    overloads: int


def noise_image(image: FloatImage, roi: Roi, offset: float, stream: Stream) -> NoiseImage:
    """One Poisson deviate per pixel inside ``roi``, masked ones included, plus ``offset`` (R10).

    Raises: NanoBragError if a pixel is not finite (R5.7).
    """
    inside = roi_slices(roi, image.shape)
    means = np.ascontiguousarray(image[inside], dtype=np.float32)
    if not np.isfinite(means).all():
        infinite, undefined = int(np.isinf(means).sum()), int(np.isnan(means).sum())
        raise NanoBragError(
            f"noise image: the float image has {infinite} infinite and {undefined} undefined pixels, "
            "expected finite ones"
        )
    deviates = poisson_image(means.ravel(), stream).astype(np.float64)
    z = (deviates + offset).reshape(means.shape)
    pixels = np.zeros(image.shape, dtype=np.uint16)
    pixels[inside] = np.clip(z, 0.0, LARGEST_PIXEL).astype(np.uint16)
    return NoiseImage(pixels=pixels, photons=serial_sum(deviates), overloads=int((z > LARGEST_PIXEL).sum()))
