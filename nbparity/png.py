"""Pictures of float images as PNG; needs Pillow (extra ``compare``)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from .compare import FloatImage

# Bragg images compress well at any level; a higher one costs seconds for a full frame.
COMPRESSION = 3


def white_level(image: FloatImage, percentile: float) -> float:
    """Return the percentile of the positive finite pixels, 0 where there are none.

    Pixels at exactly 0 are left out: a render of a region leaves all others at 0.
    """
    lit = image[np.isfinite(image) & (image > 0)]
    return float(np.percentile(lit, percentile)) if lit.size else 0.0


def write_grey(path: Path, image: FloatImage, white: float) -> None:
    """Write an 8-bit picture, black at 0 or below, linear up to ``white``; non-finite pixels are black."""
    levels = _fraction(image, white) * 255
    _save(path, np.rint(levels).astype(np.uint8))


def write_difference(path: Path, difference: npt.NDArray[np.float64], span: float) -> None:
    """Write a picture of a difference: white at 0, red up to ``span``, blue down to ``-span``."""
    up, down = _fraction(difference, span), _fraction(-difference, span)
    levels = np.stack([1 - down, 1 - up - down, 1 - up], axis=-1) * 255
    _save(path, np.rint(levels).astype(np.uint8))


def _fraction(image: npt.NDArray[np.floating], span: float) -> npt.NDArray[np.float64]:
    """Return image / span within 0 to 1."""
    finite = np.nan_to_num(image.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(finite / span, 0.0, 1.0) if span > 0 else np.zeros_like(finite)


def _save(path: Path, levels: npt.NDArray[np.uint8]) -> None:
    from PIL import Image

    Image.fromarray(levels).save(path, compress_level=COMPRESSION)
