"""Grey image of one byte per pixel (F11)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nanobrag_torch.formats.atomic_write import write_file
from nanobrag_torch.formats.general_format import g6


def write(path: str, pixels: npt.NDArray[np.uint8], scale: float) -> None:
    """Write pixels of shape (slow, fast); ``scale`` in grey levels per photon goes into a comment.

    Raises: OutputFileError; nothing half-written is left. Source: F11.1.
    """
    height, width = pixels.shape
    # the comment stands after the dimensions, as the historical program writes it
    header = f"P5\n{width} {height}\n# pixels scaled by {g6(scale)}\n255\n"
    write_file(path, header.encode("ascii"), np.ascontiguousarray(pixels, dtype=np.uint8).data)
