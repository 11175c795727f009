"""Pixels of SMV images: the integer and noise images are written, masks are read (F7.3, F12.8)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.atomic_write import write_file
from nanobrag_torch.formats.input_file import open_input, read_errors
from nanobrag_torch.formats.smv_header import SmvFields, header_bytes, read_header
from nanobrag_torch.formats.smv_type import pixel_bytes, pixel_type

Counts = npt.NDArray[np.uint16]


def write(path: str, fields: SmvFields, pixels: Counts) -> None:
    """Write header and pixels, shape (slow, fast), in the byte order of the machine.

    Raises: OutputFileError; nothing half-written is left. Source: F7.
    """
    write_file(path, header_bytes(fields), np.ascontiguousarray(pixels, dtype=np.uint16).data)


def read_pixels(path: str) -> npt.NDArray[Any]:
    """Pixels of an SMV image, shape (slow, fast), in the type and byte order of its header (F12.8).

    Raises: InputFileError if the header is unusable, says a type that is not read, or pixels
    are missing (F12.7). Bytes after the last pixel are not read.
    """
    header = read_header(path)
    dtype = np.dtype(pixel_type(header))
    expected = pixel_bytes(header)
    file, size = open_input(path)
    with file:
        if size - header.length < expected:
            got = size - header.length
            raise InputFileError(f"{path}: expected {expected} bytes of pixels, got {got} bytes")
        with read_errors(path):
            file.seek(header.length)
            data = bytearray(file.read(expected))
            return np.frombuffer(data, dtype=dtype).reshape(header.height, header.width)
