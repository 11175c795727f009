"""What an image holds, in figures: extremes, zeros, and the mean over rings of equal resolution."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .compare import FloatImage, Roi, crop
from .traces import Entry

Data = dict[str, Any]
Vector = npt.NDArray[np.float64]
RINGS = 24
PIXEL_SIZE = re.compile(r"\bpixel=([0-9.eE+-]+) meters")


def extremes(image: FloatImage, roi: Roi | None) -> Data:
    """Return the brightest and the weakest positive pixel (photons), and the counts of zeros and of others.

    Brightest and weakest are None where no finite pixel is positive.
    """
    region = crop(image, roi)
    finite = np.isfinite(region)
    positive = region[finite & (region > 0)]
    return {
        "max": float(positive.max()) if positive.size else None,
        "min_positive": float(positive.min()) if positive.size else None,
        "zeros": int(np.count_nonzero(region == 0)),
        "negative": int(np.count_nonzero(region < 0)),
        "not_finite": int(region.size - np.count_nonzero(finite)),
    }


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """A flat detector: origin (m), unit vectors, pixel size (m), unit vector of the beam, wavelength (A)."""

    origin_m: Vector
    fast: Vector
    slow: Vector
    pixel_m: float
    beam: Vector
    wavelength_A: float


def geometry(entries: Sequence[Entry], log_text: str) -> Geometry:
    """Take the geometry from a trace (C7) and the pixel size from the text of the run; ValueError without."""
    first = {entry.key: np.array(entry.values) for entry in reversed(entries)}
    size = PIXEL_SIZE.search(log_text)
    vectors = ("pix0_vector_meters", "fdet_vec", "sdet_vec", "incident_vec")
    missing = [key for key in (*vectors, "lambda_angstroms") if key not in first]
    if missing or size is None:
        raise ValueError(f"not printed: {', '.join(missing) or 'pixel=<size> meters'}")
    origin, fast, slow, beam = (first[key] for key in vectors)
    return Geometry(
        origin_m=origin,
        fast=fast,
        slow=slow,
        pixel_m=float(size[1]),
        beam=beam,
        wavelength_A=float(first["lambda_angstroms"][0]),
    )


def inverse_d(found: Geometry, roi: Roi) -> Vector:
    """Return 1/d = |s - i| / lambda of every pixel of a region, in 1/Angstrom, shape (slow, fast).

    Only sums, products and square roots, which give the same bits on every machine.
    """
    fast_first, fast_last, slow_first, slow_last = roi
    along_fast = (np.arange(fast_first, fast_last + 1) + 0.5) * found.pixel_m
    along_slow = (np.arange(slow_first, slow_last + 1) + 0.5)[:, np.newaxis] * found.pixel_m
    position = [
        found.origin_m[axis] + along_fast * found.fast[axis] + along_slow * found.slow[axis]
        for axis in range(3)
    ]
    distance = np.sqrt(position[0] ** 2 + position[1] ** 2 + position[2] ** 2)
    difference = [position[axis] / distance - found.beam[axis] for axis in range(3)]
    length: Vector = np.sqrt(difference[0] ** 2 + difference[1] ** 2 + difference[2] ** 2)
    return length / found.wavelength_A


def rings(inverse_d_A: Vector, regions: Mapping[str, FloatImage]) -> list[Data]:
    """Return the mean of each image over rings of equal width in 1/d; finite pixels only, no empty rings.

    Raises ValueError if an image has another shape than ``inverse_d_A``.
    """
    low, high = float(inverse_d_A.min()), float(inverse_d_A.max())
    width = (high - low) / RINGS
    # A region of one pixel has no width; it is one ring.
    place = ((inverse_d_A - low) / width if width > 0 else np.zeros_like(inverse_d_A)).astype(np.int64)
    place = np.minimum(place, RINGS - 1).ravel()
    pixels = np.bincount(place, minlength=RINGS)
    means = {name: _means(place, region) for name, region in regions.items()}
    return [
        {
            "inverse_d_low": low + number * width,
            "inverse_d_high": low + (number + 1) * width,
            "pixels": int(pixels[number]),
            **{name: found[number] for name, found in means.items()},
        }
        for number in range(RINGS)
        if pixels[number]
    ]


def _means(place: npt.NDArray[np.int64], region: FloatImage) -> list[float | None]:
    values = region.ravel().astype(np.float64)
    finite = np.isfinite(values)
    sums = np.bincount(place[finite], weights=values[finite], minlength=RINGS)
    counts = np.bincount(place[finite], minlength=RINGS)
    return [float(total / count) if count else None for total, count in zip(sums, counts, strict=True)]
