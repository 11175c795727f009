"""Lines of numbers with free separators: the rules shared by F5 and F6."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nanobrag_torch.formats.input_file import number_at, read_input, text_lines

SEPARATORS = re.compile(rb"[\s,;:!]+")


def rows(path: str, columns: int) -> Iterator[tuple[int, list[float]]]:
    """Line number and up to ``columns`` numbers of each line that holds any.

    Lines whose first character is ``#`` are skipped, further columns ignored. Raises:
    InputFileError at the first token that is not a finite number. Source: F5.2, F5.5.
    """
    for line, text in text_lines(read_input(path)):
        tokens = [token for token in SEPARATORS.split(text) if token]
        if tokens and not tokens[0].startswith(b"#"):
            yield line, [number_at(path, line, token) for token in tokens[:columns]]
