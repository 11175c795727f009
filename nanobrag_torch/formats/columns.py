"""Lines of numbers with free separators: the rules shared by F5 and F6."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

from nanobrag_torch.formats.input_file import number_at, read_input, text_lines
from nanobrag_torch.formats.recognise import Wanted, refuse_other_kinds

SEPARATORS = re.compile(rb"[\s,;:!]+")


def rows(path: str, columns: int) -> Iterator[tuple[int, list[float], int]]:
    """Line, up to ``columns`` numbers, and the count of further columns of each line that holds any.

    Lines whose first character is ``#`` are skipped; further columns, up to one that begins with
    ``#``, are counted and not looked at. Raises: InputFileError at the first token that is not a
    finite number, and for a file that is no such text. Source: F1.6, F5.2, F5.5, F5.6.
    """
    data = read_input(path)
    refuse_other_kinds(path, data, Wanted.LINES)
    for line, text in text_lines(data):
        tokens = [token for token in SEPARATORS.split(text) if token]
        if tokens and not tokens[0].startswith(b"#"):
            further = takewhile(lambda token: not token.startswith(b"#"), tokens[columns:])
            numbers = [number_at(path, line, token) for token in tokens[:columns]]
            yield line, numbers, sum(1 for _ in further)
