"""Files in place of a text of numbers that are something else, and say what (F1.6)."""

from __future__ import annotations

from nanobrag_torch.errors import InputFileError

ENCODINGS = (
    # the longer marks first: that of UTF-32 begins with that of UTF-16
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


def plain_text(path: str, data: bytes) -> bytes:
    """``data``, which the file at ``path`` holds.

    Raises: InputFileError if it is text in an encoding other than ASCII and UTF-8. Source: F1.6.
    """
    for mark, name in ENCODINGS:
        if data.startswith(mark):
            raise InputFileError(f"{path}: is text in {name}, expected ASCII or UTF-8")
    if len(data) > 1 and (data[0] == 0) != (data[1] == 0):
        raise InputFileError(f"{path}: is text in UTF-16, or no text at all, expected ASCII or UTF-8")
    return data
