"""Raw binary32 image, photons per pixel (F10)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nanobrag_torch.formats.atomic_write import write_file


def write(path: str, image: npt.NDArray[np.float32]) -> None:
    """Write pixels of shape (slow, fast), byte order of the machine, and nothing else.

    Raises: OutputFileError; nothing half-written is left. Source: F10.
    """
    write_file(path, np.ascontiguousarray(image, dtype=np.float32).data)
