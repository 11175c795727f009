"""SMV images of unsigned 16-bit integers: the integer and noise images, and masks (F7.3, F12.5)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.atomic_write import write_file
from nanobrag_torch.formats.input_file import open_input, read_errors
from nanobrag_torch.formats.smv_header import SmvFields, header_bytes, read_header

Counts = npt.NDArray[np.uint16]
PIXEL_BYTES = 2


def write(path: str, fields: SmvFields, pixels: Counts) -> None:
    """Write header and pixels, shape (slow, fast), in the byte order of the machine.

    Raises: OutputFileError; nothing half-written is left. Source: F7.
    """
    write_file(path, header_bytes(fields), np.ascontiguousarray(pixels, dtype=np.uint16).data)


def read_pixels(path: str) -> Counts:
    """Pixels of an SMV image, shape (slow, fast), bytes not swapped (F12.5).

    Raises: InputFileError if the header is unusable or pixels are missing (F12.7).
    """
    header = read_header(path)
    expected = PIXEL_BYTES * header.width * header.height
    file, size = open_input(path)
    with file:
        if size - header.length < expected:
            got = size - header.length
            raise InputFileError(f"{path}: expected {expected} bytes of pixels, got {got} bytes")
        with read_errors(path):
            file.seek(header.length)
            data = bytearray(file.read(expected))
            return np.frombuffer(data, dtype=np.uint16).reshape(header.height, header.width)
