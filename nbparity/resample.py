"""Bring an image to another number of pixels without losing photons.

Both images are taken to cover the same rectangle. A pixel is cut where the grid of the target cuts it, and
its photons go to the parts by area, so the sum of the image stays.
"""

import numpy as np
import numpy.typing as npt

from .compare import FloatImage

METHOD = "area-weighted, photons kept, both images taken to cover the same rectangle"


def resample(image: FloatImage, shape: tuple[int, int]) -> FloatImage:
    """Return the image on a grid of ``shape`` (slow, fast); float32 again, summed in float64."""
    along_slow = _along_first_axis(image.astype(np.float64), shape[0])
    return np.ascontiguousarray(_along_first_axis(along_slow.T, shape[1]).T).astype(np.float32)


def _along_first_axis(values: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    """Distribute rows over ``count`` rows by the length of their overlap, in units of old rows."""
    old = values.shape[0]
    if old == count:
        return values
    edges = np.arange(count + 1) * old / count
    made = np.empty((count, values.shape[1]))
    for row, (start, end) in enumerate(zip(edges, edges[1:], strict=False)):
        first, last = int(start), min(int(np.ceil(end)), old)
        rows = np.arange(first, last)
        overlap = np.minimum(rows + 1, end) - np.maximum(rows, start)
        made[row] = overlap @ values[first:last]
    return made
