"""Structure-factor list: lines of ``h k l F`` (F2), and the table made of it (F2.3)."""

from __future__ import annotations

import itertools
import re

import numpy as np
import numpy.typing as npt

from nanobrag_torch.constants import HIGHEST_INDEX, LOWEST_INDEX
from nanobrag_torch.errors import InputFileError
from nanobrag_torch.formats.input_file import (
    BYTE_ORDER_MARK,
    NUMBER,
    number_at,
    read_input,
    shown,
    text_lines,
    with_line_feeds,
)

Indices = npt.NDArray[np.int32]
Amplitudes = npt.NDArray[np.float64]
Box = tuple[int, int, int, int, int, int]

COLUMNS = 4
MAX_TABLE_ENTRIES = 2**29
"""Four gigabytes of amplitudes; more is a slip in the list, not a crystal."""
WRITTEN_BY_HAND = 100
"""Shorter lists hold the reflections that somebody wants, and are complete as they are."""
WHOLE_NUMBER = re.compile(rb"[+-]?[0-9]+(\.0*)?")
INTEGER_CHARACTERS = b"0123456789+-"
NUMBER_CHARACTERS = INTEGER_CHARACTERS + b".eE \t\r\n\v\f"


def read(path: str) -> tuple[Indices, Amplitudes]:
    """Miller indices, shape (records, 3), and F in electrons, shape (records,), float64.

    Every line holds a multiple of four numbers; empty lines and lines that begin with
    ``#`` are skipped. Raises: InputFileError with the first bad line. Source: F2.7.
    """
    return parsed(path, read_input(path))


def parsed(path: str, data: bytes) -> tuple[Indices, Amplitudes]:
    """What ``read`` makes of the content of the file ``path``."""
    numbers = _fast_numbers(with_line_feeds(data.removeprefix(BYTE_ORDER_MARK)))
    if numbers is None:
        numbers = _checked_numbers(path, data)
    if not len(numbers):
        raise InputFileError(f"{path}:1: expected 'h k l F', got no record at all")
    records = numbers.reshape(-1, COLUMNS)
    return records[:, :3].astype(np.int32), np.ascontiguousarray(records[:, 3])


def _skipped(line: bytes) -> bool:
    return line.lstrip()[:1] in (b"", b"#")


def _fast_numbers(text: bytes) -> Amplitudes | None:
    """All numbers of a list without any flaw; None if there may be one."""
    if b"#" in text:
        text = b"\n".join(line for line in text.split(b"\n") if not _skipped(line))
    if text.translate(None, NUMBER_CHARACTERS) or not _whole_records(text):
        return None
    tokens = text.split()
    try:
        numbers = np.fromiter(map(float, tokens), dtype=np.float64, count=len(tokens))
    except ValueError:
        return None
    indices = itertools.chain(tokens[0::COLUMNS], tokens[1::COLUMNS], tokens[2::COLUMNS])
    if b"".join(indices).translate(None, INTEGER_CHARACTERS):
        return None
    records = numbers.reshape(-1, COLUMNS)
    if not np.isfinite(numbers).all():
        return None
    if (records[:, :3] < LOWEST_INDEX).any() or (records[:, :3] > HIGHEST_INDEX).any():
        return None
    return numbers


def _whole_records(text: bytes) -> bool:
    """Whether the count of tokens of every line is a multiple of four."""
    characters = np.frombuffer(text, dtype=np.uint8)
    begins = characters > ord(" ")
    begins[1:] &= characters[:-1] <= ord(" ")
    begun = np.cumsum(begins)
    return not (begun[characters == ord("\n")] % COLUMNS).any() and not (begun[-1:] % COLUMNS).any()


def _checked_numbers(path: str, data: bytes) -> Amplitudes:
    """The same, token by token: slower, but it finds the place of a flaw."""
    numbers: list[float] = []
    for line, text in text_lines(data):
        tokens = [] if _skipped(text) else text.split()
        if len(tokens) % COLUMNS:
            bad = next((token for token in tokens if not NUMBER.fullmatch(token)), None)
            got = f"{len(tokens)} numbers: {shown(b' '.join(tokens))}" if bad is None else shown(bad)
            raise InputFileError(f"{path}:{line}: expected 'h k l F', got {got}")
        numbers += [_checked(path, line, column, token) for column, token in enumerate(tokens)]
    return np.array(numbers, dtype=np.float64)


def _checked(path: str, line: int, column: int, token: bytes) -> float:
    name = "hklF"[column % COLUMNS]
    number = number_at(path, line, token, f"a number for {name}")
    if name == "F":
        return number
    if not WHOLE_NUMBER.fullmatch(token):
        raise InputFileError(f"{path}:{line}: expected an integer for {name}, got {shown(token)}")
    if not LOWEST_INDEX <= number <= HIGHEST_INDEX:
        raise InputFileError(f"{path}:{line}: expected {name} within 32 bits, got {shown(token)}")
    return number


def duplicates(indices: Indices) -> int:
    """How many records have the indices of an earlier one."""
    return len(indices) - len(np.unique(indices, axis=0))


def missing_half(indices: Indices) -> str | None:
    """The half of reciprocal space, as "negative l", in which a long list has no record; None if in both.

    All of P1 reaches as far to either side, an asymmetric unit does not. Source: F2.7.
    """
    if len(indices) < WRITTEN_BY_HAND:
        return None
    lowest, highest = indices.min(axis=0).tolist(), indices.max(axis=0).tolist()
    for name, low, high in zip("hkl", lowest, highest, strict=True):
        if low < 0 >= high:
            return f"positive {name}"
        if low >= 0 < high:
            return f"negative {name}"
    return None


def fill_table(
    path: str,
    indices: Indices,
    F: Amplitudes,  # noqa: N803
    default_F: float,  # noqa: N803
) -> tuple[Box, Amplitudes]:
    """Box (hmin, hmax, kmin, kmax, lmin, lmax) and table of the list ``path``, as the cache stores them.

    The table has one plane more than the box along each axis; these extra planes are 0,
    the rest is ``default_F`` where the list says nothing. The last of several records
    with the same indices counts. Raises: InputFileError if the box is absurdly large.
    Source: F2.3, P3.10.
    """
    lowest, highest = indices.min(axis=0).tolist(), indices.max(axis=0).tolist()
    box = (lowest[0], highest[0], lowest[1], highest[1], lowest[2], highest[2])
    check_box(path, box)
    try:
        table = np.zeros(table_shape(box))
    except MemoryError:
        raise InputFileError(f"{path}: no memory for a table of {extent(box)}") from None
    if default_F != 0:  # a negative zero fills nothing
        table[:-1, :-1, :-1] = default_F
    h, k, l = (indices.astype(np.int64) - lowest).T  # noqa: E741 - Miller index
    table[h, k, l] = F
    return box, table


def table_shape(box: Box) -> tuple[int, int, int]:
    """Elements along h, k, l: one more than the range has indices."""
    return box[1] - box[0] + 2, box[3] - box[2] + 2, box[5] - box[4] + 2


def check_box(path: str, box: Box) -> None:
    """Raise InputFileError, before memory is touched, if the table of ``box`` could not be held in memory."""
    nh, nk, nl = table_shape(box)
    if nh * nk * nl > MAX_TABLE_ENTRIES:
        raise InputFileError(
            f"{path}: expected a table of at most {MAX_TABLE_ENTRIES} entries, got {extent(box)}"
        )


def extent(box: Box) -> str:
    """The range of each index, for a message."""
    return f"h {box[0]} to {box[1]}, k {box[2]} to {box[3]}, l {box[4]} to {box[5]}"
