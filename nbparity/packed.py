"""Images as they lie in a bundle: compressed by gzip, for nearly all pixels outside the region are zero.

They are known by their content. The packed bytes depend on the version of zlib, so they belong to the machine
that wrote them; the content is the file of the program, byte for byte, wherever it is unpacked, and ``zcat``
gives it without us.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUFFIX = ".gz"
LEVEL = 6
"""Of gzip, its own default: a region of 57 x 57 pixels takes three times the space at 1, hardly less at 9."""


def plain_name(name: str) -> str:
    """Return the name of the content of a file, packed or not."""
    return name.removesuffix(SUFFIX)


def write(target: Path, content: bytes) -> None:
    """Pack a content, with no name and no time in the header: a machine always makes the same file."""
    target.write_bytes(gzip.compress(content, LEVEL, mtime=0))


@contextmanager
def unpacked(path: Path) -> Iterator[gzip.GzipFile]:
    """Open the content of a packed file; ValueError while it is read if it cannot be unpacked to its end."""
    with gzip.open(path) as stream:
        try:
            yield stream
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{path.name}: cannot be unpacked by gzip: {error}") from None


def sha256_of_content(path: Path) -> str:
    """Return the hexadecimal digest of what was packed; ValueError if it cannot be unpacked to its end."""
    with unpacked(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
