"""Writing a file so that it appears complete or not at all."""

import os
import tempfile
from pathlib import Path

from .errors import NotWrittenError


def write(path: Path, text: str, scratch: Path | None = None) -> None:
    """Write a text file in one step; the unfinished one is in ``scratch``, or else beside it.

    NotWrittenError if that is not possible; the file is then what it was.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".unfinished-", dir=scratch or path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                os.fchmod(stream.fileno(), 0o644)
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise NotWrittenError(f"{path}: cannot be written: {error.strerror}") from None
