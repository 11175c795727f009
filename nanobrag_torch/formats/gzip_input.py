"""Input files packed with gzip, as archives serve them: recognised by content, unpacked in memory (F1.7)."""

from __future__ import annotations

import gzip
import io
import zlib

from nanobrag_torch.errors import InputFileError

MAGIC = b"\x1f\x8b"
MAX_UNPACKED_BYTES = 1 << 29
"""Room for the mmCIF file of five million atoms at a hundred bytes each.

Half a megabyte of gzip can unpack to as much; what is larger still is a mistake or an attack.
"""


def unpacked(path: str, packed: bytes) -> bytes:
    """What a gzip file holds, all its members one after another.

    Raises: InputFileError if it is truncated, corrupt, or larger than ``MAX_UNPACKED_BYTES``.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            content = file.read(MAX_UNPACKED_BYTES + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise InputFileError(
            f"{path}: is a gzip file that cannot be unpacked, expected a whole one: {error}"
        ) from None
    if len(content) > MAX_UNPACKED_BYTES:
        raise InputFileError(
            f"{path}: is a gzip file: expected at most {MAX_UNPACKED_BYTES} bytes when unpacked, got more"
        )
    return content
