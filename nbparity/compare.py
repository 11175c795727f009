"""How far two float images are from each other, in pure numpy.

Every figure has a defined answer for every input: where a figure has no meaning
(an empty image, different shapes, the correlation of a constant image) it is
None, never NaN.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import packed

FloatImage = npt.NDArray[np.float32]
Roi = tuple[int, int, int, int]  # fast first, fast last, slow first, slow last; all inclusive


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Figures of image x against reference r; sums and differences in float64, in the unit of the images.

    ``problem`` says in words why figures are missing, and is empty otherwise.
    """

    pixels: int
    bit_identical_fraction: float | None
    differing_pixels: int | None
    max_ulp: int | None
    correlation: float | None
    sum_x: float | None
    sum_r: float | None
    sum_ratio: float | None
    rmse: float | None
    max_difference: float | None
    problem: str = ""

    @property
    def identical(self) -> bool:
        """Tell whether both images have the same shape and the same bits, and at least one pixel."""
        return self.pixels > 0 and self.differing_pixels == 0 and not self.problem

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for ``summary.json``."""
        return asdict(self)


def read_float_image(path: Path, shape: tuple[int, int]) -> FloatImage:
    """Read little-endian float32 pixels, shape (slow, fast), from a file that is packed or not.

    ValueError names expected and found size, or says that the file cannot be unpacked.
    """
    expected = 4 * shape[0] * shape[1]
    if path.suffix == packed.SUFFIX:
        with packed.unpacked(path) as stream:
            # One byte more than needed: the checksum is compared where the content ends.
            content = stream.read(expected + 1)
        size, found = len(content), f"{len(content)}" if len(content) <= expected else f"more than {expected}"
    else:
        size = path.stat().st_size
        content, found = path.read_bytes() if size == expected else b"", f"{size}"
    if size != expected:
        raise ValueError(
            f"{packed.plain_name(path.name)} holds {found} bytes, expected {expected} for"
            f" {shape[0]} x {shape[1]} pixels"
        )
    return np.frombuffer(content, dtype="<f4").reshape(shape).astype(np.float32, copy=False)


def as_roi(numbers: Sequence[int] | None) -> Roi | None:
    """Return a region from plain data, a list of a JSON or TOML file for example."""
    return None if numbers is None else (numbers[0], numbers[1], numbers[2], numbers[3])


def crop(image: FloatImage, roi: Roi | None) -> FloatImage:
    """Return the pixels of the region, or all of them where there is none."""
    if roi is None:
        return image
    fast_first, fast_last, slow_first, slow_last = roi
    return image[slow_first : slow_last + 1, fast_first : fast_last + 1]


def nonzero_outside(image: FloatImage, roi: Roi | None) -> int:
    """Count the pixels outside the region that are not zero; a render of a region leaves them at zero."""
    if roi is None:
        return 0
    return int(np.count_nonzero(image)) - int(np.count_nonzero(crop(image, roi)))


def ordered_key(image: FloatImage) -> npt.NDArray[np.int64]:
    """Map float32 bit patterns to integers in the order of the values; both zeros map to 0."""
    bits = np.ascontiguousarray(image).view(np.int32).astype(np.int64)
    return np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))


def correlation(x: npt.NDArray[np.float64], r: npt.NDArray[np.float64]) -> float | None:
    """Pearson correlation, None if either image is constant."""
    dx, dr = x - x.mean(), r - r.mean()
    # Scaled to a largest value of 1, so that neither tiny nor huge intensities leave the range of float64.
    span_x, span_r = np.abs(dx).max(), np.abs(dr).max()
    if span_x == 0 or span_r == 0:
        return None
    dx, dr = dx / span_x, dr / span_r
    value = float((dx * dr).sum() / math.sqrt(float((dx * dx).sum()) * float((dr * dr).sum())))
    return max(-1.0, min(1.0, value))


def ratio_of_sums(sum_x: float, sum_r: float) -> float | None:
    """Return sum_x / sum_r: 1 where both are zero, None where only the reference is."""
    if sum_r == 0:
        return 1.0 if sum_x == 0 else None
    return sum_x / sum_r


def undefined(problem: str, pixels: int = 0) -> Comparison:
    """Return the comparison that has no figures, for a stated reason."""
    return Comparison(
        pixels=pixels,
        bit_identical_fraction=None,
        differing_pixels=None,
        max_ulp=None,
        correlation=None,
        sum_x=None,
        sum_r=None,
        sum_ratio=None,
        rmse=None,
        max_difference=None,
        problem=problem,
    )


def compare(x: FloatImage, r: FloatImage) -> Comparison:
    """Compare an image with a reference of the same shape.

    Non-finite pixels leave only the counting figures and are stated in ``problem``.
    """
    if x.shape != r.shape:
        return undefined(f"shapes differ: {_shape(x)} and {_shape(r)}")
    if x.size == 0:
        return undefined("no pixels to compare")
    same = np.ascontiguousarray(x).view(np.int32) == np.ascontiguousarray(r).view(np.int32)
    counted = replace(
        undefined("", pixels=int(x.size)),
        bit_identical_fraction=float(same.mean()),
        differing_pixels=int(x.size - np.count_nonzero(same)),
    )
    bad_x, bad_r = int(np.count_nonzero(~np.isfinite(x))), int(np.count_nonzero(~np.isfinite(r)))
    if bad_x or bad_r:
        return replace(
            counted, problem=f"non-finite pixels: {bad_x} in the first image, {bad_r} in the second"
        )
    wide_x, wide_r = x.astype(np.float64).ravel(), r.astype(np.float64).ravel()
    sum_x, sum_r = math.fsum(wide_x), math.fsum(wide_r)
    difference = wide_x - wide_r
    return replace(
        counted,
        max_ulp=int(np.abs(ordered_key(x) - ordered_key(r)).max()),
        correlation=correlation(wide_x, wide_r),
        sum_x=sum_x,
        sum_r=sum_r,
        sum_ratio=ratio_of_sums(sum_x, sum_r),
        rmse=math.sqrt(float(np.mean(difference * difference))),
        max_difference=float(np.abs(difference).max()),
    )


def _shape(image: FloatImage) -> str:
    """Write a shape as people do."""
    return " x ".join(str(n) for n in image.shape)
